"""The alarms on tables and their indexes, one row each; `alarms.py` joins them with the others."""

from infra.alarm_kinds import Alarm, index_throttles, table_failures, table_throttles

_INDEX_THROTTLED = "Reads or writes of an index were throttled. A throttled write of an index throttles the writes of its table; both are retried."
_INDEX_ACTION = "The name of the alarm says which index. If it lasts, one of its keys is too hot: one campaign day, status or minute has too many items for its shards."

TABLES: tuple[Alarm, ...] = (
    table_throttles(
        "RegistrationsTable",
        "Write",
        "Writes of registrations were throttled; devices were asked to send again.",
        "If it lasts, one day's eight shards are too few, or the account's table limit is reached.",
    ),
    table_throttles(
        "RegistrationsTable",
        "Read",
        "Reads of registrations were throttled.",
        "If it lasts, see who reads so much: the roll-up, or one client.",
    ),
    *(
        index_throttles(table, index, kind, _INDEX_THROTTLED, _INDEX_ACTION)
        for kind in ("Read", "Write")
        for table, index in (
            ("RegistrationsTable", "by_campaign_day"),
            ("RegistrationsTable", "by_status"),
            ("RegistrationsTable", "by_due_day"),
            ("RegistrationsTable", "by_device_sequence"),
            ("CampaignsTable", "by_last_day"),
            ("ClientsTable", "by_listing"),
            ("SmsLedgerTable", "by_due"),
            ("SmsLedgerTable", "by_campaign_day"),
            ("SmsLedgerTable", "by_reference"),
            ("SummariesTable", "by_due"),
            ("RequestsTable", "by_subject"),
            ("AuditTable", "by_client"),
            ("ReviewsTable", "by_state"),
            ("ConversationsTable", "by_worker"),
        )
    ),
    table_throttles(
        "CampaignsTable",
        "Read",
        "Reads of campaigns were throttled, and every registration reads one. A single busy campaign is a hot item.",
        "Wait: it ends when DynamoDB splits the partition.",
    ),
    table_throttles(
        "ClientsTable",
        "Read",
        "Token checks were throttled, so clients got 503. One token used by many devices is a hot item.",
        "Give each device its own token.",
    ),
    table_throttles(
        "ClientsTable",
        "Write",
        "Daily capture counts or changes of clients were throttled, so requests got 503 and are sent again.",
        "If it lasts, one client or one phone number is used by many: the log of APIHandler shows which.",
    ),
    table_throttles(
        "SmsLedgerTable",
        "Write",
        "Writes of the SMS ledger were throttled. The messages are retried.",
        "If it lasts, lower the concurrency of OnNotifications.",
    ),
    table_throttles(
        "SendingTable",
        "Write",
        "Writes of budgets, daily counts or the send rate limiter were throttled. The messages are retried.",
        "If it lasts, lower `SmsPartsASecond`.",
    ),
    table_throttles(
        "SummariesTable",
        "Write",
        "Writes of summaries or dirty days were throttled. Both are retried.",
        "Wait: one busy campaign day is a hot item.",
    ),
    table_throttles(
        "RequestsTable",
        "Write",
        "Requests about a person's data could not be recorded, so they were not done; clients were asked to send again.",
        "Such requests are few: see which client sends so many.",
    ),
    table_throttles(
        "AuditTable",
        "Write",
        "Changes and reads could not be recorded, so they were not done; clients were asked to send again.",
        "See which client reads so much: `GET /v1/audit` has what a client did.",
    ),
    table_throttles(
        "ConversationsTable",
        "Write",
        "Writes of chats were throttled: replies are late. The events are handled again.",
        "If it lasts, one chat sends very much, such as a program that answers ours: the log of OnChatEvents counts by channel.",
    ),
    table_throttles(
        "ConversationsTable",
        "Read",
        "Reads of chats were throttled: replies are late.",
        "If it lasts, see which channel has so many events.",
    ),
    table_throttles(
        "ReviewsTable",
        "Write",
        "Writes of review items or lookups were throttled. The stream and the counts are retried; a registration waits for neither.",
        "If it lasts, one phone number or one campaign has too many items: see `GET /v1/campaigns/{campaign_id}/review-items`.",
    ),
    table_throttles(
        "KeysTable",
        "Read",
        "Reads of the wrapped keys were throttled.",
        "Each function reads them once when it starts: see what starts so many.",
    ),
    table_failures(
        "RegistrationsTableFailing",
        "RegistrationsTable",
        "TransactWriteItems",
        "DynamoDB itself failed on writes of registrations; devices were asked to send again.",
        "Nothing can be fixed here: see AWS's health page, and watch that it ends.",
    ),
)
