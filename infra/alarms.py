"""Every alarm: what it watches, what it means and what to do.

`make docs` writes the same texts into docs/operating.md, one section for each key of `ALARMS`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.alarm_kinds import (
    Alarm,
    Urgency,
    api_failures,
    api_latency,
    function_errors,
    function_not_run,
    function_throttles,
    oldest_message,
    own_metric,
    queue_not_empty,
    stream_delay,
)
from infra.api_functions import API_FUNCTIONS
from infra.composite_alarms import make_composite_alarms
from infra.table_alarms import TABLES

_REGISTRATION = {"Resource": "/v1/registrations", "Method": "POST"}
_FIFTEEN_MINUTES = 900

_DROP_OR_FIX = (
    "Later runs do its work. If they succeed, drop the message. If they fail too, fix what the log of"
)
_LOOK_AT_RULE = "The rule is disabled or missing, or may not invoke the function."
_CONCURRENCY = 'See on the dashboard ("Running at once") which function uses the account\'s concurrency, and ask AWS for more.'
_NOT_STARTED = "Lambda had no concurrency left for the function. Nothing is lost: streams and queues wait, events are retried for an hour, ageing for six. Each failed attempt at a notification counts towards its dead letter."

_DEAD_LETTERS = (
    queue_not_empty(
        "NotificationsDeadLetters",
        "A notification failed five times: a worker did not get an SMS.",
        "`daftar dead-letters list` shows the reason. Fix it, then redrive. If every message has the same error, a dependency was unavailable for longer than the retries lasted: redrive all of them.",
    ),
    queue_not_empty(
        "RemindersDeadLetters",
        "A reminder failed five times.",
        "`daftar dead-letters list` shows the reason. Fix it, then redrive. A reminder that is out of date sends nothing.",
    ),
    queue_not_empty(
        "ReceiptsDeadLetters",
        "A gateway's receipt failed five times: the ledger lacks the outcome or the price of an SMS.",
        "Fix what `daftar dead-letters list` shows, then redrive. Receipts may be recorded late, twice and in any order.",
    ),
    queue_not_empty(
        "ChatOutboxDeadLetters",
        "A message to a person in a chat was not sent in ten attempts, over some 20 minutes. The later ones of that chat came without it.",
        "`daftar dead-letters list` shows the reason. Fix it, then redrive: what is older than a day is not sent any more, and what may have been sent is not repeated.",
    ),
    queue_not_empty(
        "ChatEventsDeadLetters",
        "A message of a person in a chat failed five times: the person got no answer.",
        "`daftar dead-letters list` shows the reason. Fix it, then redrive. The answer may come late, to a person who has gone on.",
    ),
    queue_not_empty(
        "DueSmsFailures",
        "A run of QueueDueSms failed for good.",
        f"{_DROP_OR_FIX} QueueDueSms shows.",
    ),
    queue_not_empty(
        "StreamFailures",
        "The stream publisher (relay) gave up on records of the registrations stream: SMS or recounts are missing.",
        "Act today, because the stream keeps a record for 24 hours. Fix the cause that `daftar dead-letters show` names, then redrive. If the records have expired, redrive with `--from-table`.",
    ),
    queue_not_empty(
        "RollUpFailures",
        "A run of the roll-up failed for good. The next hour counts what it missed.",
        "If the summaries are there, drop the message. If not, the log of RollUpDueDays says why; redriving runs the roll-up again. `campaign day partly counted` in that log is no failure: the next hour goes on with it. To count now, a manager sends `POST /v1/campaigns/{campaign_id}/summaries/{day}` until it no longer answers 503.",
    ),
    queue_not_empty(
        "DeliveryFailures",
        "A run of DeliverReports failed for good.",
        f"{_DROP_OR_FIX} DeliverReports shows.",
    ),
    queue_not_empty(
        "ExportFailures",
        "A run of ExportDays failed for good.",
        f"{_DROP_OR_FIX} ExportDays shows.",
    ),
    queue_not_empty(
        "AgeingFailures",
        "A run of AgeRegistrations failed for good: applications have not expired, memberships have not lapsed, or personal data was not deleted.",
        "The log of AgeRegistrations names each registration that failed. Fix the cause; each run, every half an hour, tries again and leaves a message as long as it fails. Drop the messages when a run has succeeded.",
    ),
)

_LATE = (
    oldest_message(
        "NotificationsWaiting",
        "NotificationsQueue",
        "The oldest notification has waited for 15 minutes: SMS are late.",
        "Look at the errors and throttles of OnNotifications, then whether the SMS service answers, then whether the day has more SMS than five senders can send.",
        seconds=_FIFTEEN_MINUTES,
    ),
    oldest_message(
        "RemindersWaiting",
        "RemindersQueue",
        "The oldest reminder has waited for 15 minutes.",
        "Confirmations are sent first: look at how many wait. Then look at the errors and throttles of OnNotifications.",
        seconds=_FIFTEEN_MINUTES,
    ),
    oldest_message(
        "ReceiptsWaiting",
        "ReceiptsQueue",
        "The oldest receipt has waited for 15 minutes: an SMS with an unknown outcome may be sent twice although it arrived.",
        "See whether OnReceipts fails or is throttled.",
        seconds=_FIFTEEN_MINUTES,
    ),
    oldest_message(
        "ChatMessagesWaiting",
        "ChatOutboxQueue",
        "The oldest message to a person in a chat has waited for 15 minutes: people get no answers.",
        "`message not handled` in the log of OnChatOutbox says why: `stopped` means that the provider accepts nothing from our account (`http_401`: the token in the secret is wrong; `131042`: WhatsApp wants a payment method), `http_429` that it asks to wait. One chat that waits does not hold up the others.",
        seconds=_FIFTEEN_MINUTES,
    ),
    oldest_message(
        "ChatEventsWaiting",
        "ChatEventsQueue",
        "The oldest message of a person in a chat has waited for 15 minutes.",
        "Look at the errors and throttles of OnChatEvents.",
        seconds=_FIFTEEN_MINUTES,
    ),
    own_metric(
        "SmsExpired",
        "SmsExpired",
        "An SMS was not sent before the time at which it would have been of no use: a worker was not told.",
        "`sms processed` with the reason `expired` in the log of OnNotifications names its purpose and its id. Usual causes: sending was stopped, a budget was held, or a gateway failed, for longer than the SMS could wait. The officer sees at the registration that the worker was not told.",
    ),
    own_metric(
        "SmsContentRefused",
        "SmsContentRefused",
        "The gate before the SMS gateways refused an SMS whose content operators filter, such as a link or a one-time password. Its recipient was not told.",
        "`content of an sms refused` in the log of OnNotifications or DeliverReports says what was found and in which SMS. It comes from a value that neither our rules of names nor the template covers, such as a payment code of the core system. Correct the value, and ask for the SMS once more.",
    ),
    own_metric(
        "SmsHeld",
        "SmsHeld",
        "SMS are held, because a campaign has spent its SMS budget of the day, or because it is unknown if they were sent and no receipts come in that could show it. None is dropped. The alarm stays until none is held; `daftar sms status` shows how many are, and why.",
        "Budget: decide whether to pay for them. Receipts: see whether the gateway sends receipts and OnReceipts works; a receipt that comes late settles its SMS, and one that is released without it may arrive twice. `daftar sms release CAMPAIGN` sends them, however long they were held, except those whose content is no longer true.",
    ),
    own_metric(
        "SendingStopped",
        "SendingStopped",
        "No SMS is sent: somebody stopped sending, or every gateway refuses our account because a monthly limit is spent or a permission is missing. Nothing is lost.",
        "The log of QueueDueSms says which. Raise the limit or restore the permission, then run `daftar sms resume`. New SMS are sent at once, also by a gateway whose circuit was open; those that were stopped become due within 15 minutes.",
    ),
    own_metric(
        "GatewayCircuitOpen",
        "GatewayCircuitsOpened",
        "A gateway refuses our account, or has refused five SMS in a row, so its circuit is open for a minute at a time. SMS use another gateway if `GatewayWeights` gives one a weight; otherwise they wait.",
        "The log of OnNotifications names the gateway and the reason (AWS's exception, Twilio's error code). `daftar sms resume` tries it again at once. A new weight takes one deployment, or one environment variable of OnNotifications.",
    ),
    stream_delay(
        "RelayBehind",
        "OnRegistrationChanges",
        "The stream publisher (relay) is more than 5 minutes behind the registrations stream: SMS and recounts are late.",
        "One bad record may block half a shard until it is given up: the log of OnRegistrationChanges names its sequence number.",
        milliseconds=300_000,
    ),
    function_not_run(
        "RollUpNotRun",
        "RollUpDueDays",
        "The roll-up has not run for two hours, so no summaries are made.",
        f"Count with `POST /v1/campaigns/{{campaign_id}}/summaries/{{day}}`, then look at the rule and its permission. {_LOOK_AT_RULE}",
    ),
    function_not_run(
        "QueueDueSmsNotRun",
        "QueueDueSms",
        "QueueDueSms has not run for two minutes: retries and reminders wait.",
        f"Invoke it by hand, then look at the rule and its permission. {_LOOK_AT_RULE}",
        period_seconds=60,
    ),
    function_not_run(
        "DeliverReportsNotRun",
        "DeliverReports",
        "DeliverReports has not run for ten minutes: managers get no reports.",
        f"Invoke it by hand, then look at the rule and its permission. {_LOOK_AT_RULE}",
        period_seconds=300,
    ),
    function_not_run(
        "ExportDaysNotRun",
        "ExportDays",
        "ExportDays has not run for two hours, so final days are not exported.",
        f"Export with `daftar export`, then look at the rule and its permission. {_LOOK_AT_RULE}",
    ),
    own_metric(
        "ReportsNotDelivered",
        "ReportsNotDelivered",
        "A manager did not get a report, or the outcome is unknown. The day's page has the same figures meanwhile.",
        "`report delivery updated` in the log of DeliverReports names the campaign, day, medium, state and reason, and never the manager. `failed`: a wrong address, an opt-out, or two hours without success (`MessageRejected`: the sender is not verified at SES, or SES is in its sandbox; `SendingPausedException`: bounces or complaints). `bounced` and `complained` came later, in the log of OnReceipts: the address does not exist, or its owner marked the mail as spam, and SES sends it no more. `unknown`: SES or the gateway did not answer. Correct the managers (`PATCH /v1/campaigns/{campaign_id}`) or SES; the next report is sent by itself.",
    ),
    own_metric(
        "ExportsLate",
        "ExportsLate",
        "A final day has waited three hours for its export, because its captures differ from those of its summary.",
        "The next hourly count usually settles it: see whether RollUpDueDays runs. To count now, a manager sends `POST /v1/campaigns/{campaign_id}/summaries/{day}`; then run `daftar export CAMPAIGN DAY --stack NAME`.",
        period_seconds=_FIFTEEN_MINUTES,
    ),
    function_not_run(
        "AgeingNotRun",
        "AgeRegistrations",
        "AgeRegistrations has not run for an hour: applications do not expire, memberships do not lapse, personal data is not deleted.",
        f"Invoke it by hand, then look at the rule and its permission. {_LOOK_AT_RULE}",
        period_seconds=1_800,
    ),
    own_metric(
        "AgeingBehind",
        "AgeingCut",
        "In each hour of a day a run of AgeRegistrations had no time for all that was due: more is due than is done, and personal data is kept for too long.",
        "Set `RunsSideBySide` to 8. If it is, see in the log of AgeRegistrations what a run gets done, and whether the tables throttle.",
        period_seconds=3_600,
        periods=24,
    ),
)

_FUNCTIONS = (
    function_errors(
        "APIHandler",
        "The API's function ended without an answer: it crashed, timed out or could not start. Devices keep what was not accepted and send it again.",
        "Look for the error in its log, then at its duration and memory.",
    ),
    function_errors(
        "Administration",
        "The function that enrols clients and renews their tokens ended without an answer: it crashed, timed out or could not start.",
        "Look for the error in its log, then at its duration and memory.",
    ),
    function_errors(
        "PeoplesData",
        "The function that discloses and erases a person's data ended without an answer: it crashed, timed out or could not start.",
        "Look for the error in its log, then at its duration and memory. An erasure may be sent again: it goes on.",
    ),
    function_errors(
        "OnRegistrationChanges",
        "The stream publisher (relay) failed on a whole batch. It is retried and split automatically; if it keeps failing, SMS and summaries wait.",
        "Look for `record not published` in its log.",
    ),
    function_errors(
        "OnNotifications",
        "The sender failed on a whole batch of notifications, perhaps by a timeout. The messages are retried.",
        "Find the error in its log before they become dead letters.",
    ),
    function_errors(
        "OnReceipts",
        "Receipts could not be recorded, perhaps because of a timeout. The messages are retried.",
        "Find the error in its log before they become dead letters.",
    ),
    function_errors(
        "OnChatEvents",
        "A message of a person in a chat could not be answered, perhaps because of a timeout. It is handled again.",
        "Find the error in its log before it becomes a dead letter.",
    ),
    function_errors(
        "OnChatOutbox",
        "The sender of chat messages failed on a whole batch, perhaps by a timeout. Messages whose attempt had begun are not repeated; the others are.",
        "Find the error in its log before they become dead letters.",
    ),
    function_errors(
        "QueueDueSms",
        "A run of QueueDueSms failed. Retries and reminders wait for the next minute's run.",
        "Look for the error in its log if it keeps failing.",
    ),
    function_errors(
        "RollUpDueDays",
        "A run of the roll-up failed. It is retried twice, then kept in RollUpFailures; the next hour catches up.",
        "Look for the error in its log.",
    ),
    function_errors(
        "DeliverReports",
        "A run of DeliverReports failed, partly or entirely. The next run, five minutes later, does what is left.",
        "Look for `report not delivered` in its log if it keeps failing: it names the campaign and the day.",
    ),
    function_errors(
        "ExportDays",
        "A run of ExportDays failed, partly or entirely. The next run does what is left.",
        "Look for `campaign day not exported` in its log if it keeps failing: it names the campaign and the day. `campaign day export timed out` is a day that needs more than a whole run: raise the timeout or the memory of ExportDays.",
    ),
    function_errors(
        "AgeRegistrations",
        "A run of AgeRegistrations failed. It is retried once, then kept in AgeingFailures; the next run, half an hour later, tries again what failed.",
        "Look for the error in its log.",
    ),
    *(
        function_throttles(
            name,
            "Requests were refused because Lambda had no concurrency left. Clients send them again.",
            _CONCURRENCY,
        )
        for name in (*API_FUNCTIONS, "AuthorizeCaller")
    ),
    *(
        function_throttles(name, _NOT_STARTED, _CONCURRENCY)
        for name in (
            *("OnRegistrationChanges", "OnNotifications", "OnReceipts", "OnChatEvents", "OnChatOutbox"),
            "QueueDueSms",
            *("RollUpDueDays", "DeliverReports", "ExportDays", "AgeRegistrations"),
        )
    ),
)

_API = (
    own_metric(
        "RequestsFailed",
        "InternalErrors",
        "An unforeseen error failed at least one request, or one item of a batch. The answer was `internal_error`, in a batch `try_again`; devices keep what was not accepted and send it again.",
        "`request failed` and `item of a batch failed` in the log of APIHandler, Administration or PeoplesData show where the error was raised. If one device repeats it, its capture meets a fault of ours that only a new version mends.",
    ),
    own_metric(
        "RequestsDeferred",
        "TryAgainAnswers",
        "Twenty requests or items of batches were answered `try_again` in five minutes, for three times in a row. Devices keep what they sent and send it again, but something does not recover by itself.",
        "Look at the throttles and errors of the tables, then at the answers of the key service in the log of APIHandler.",
        threshold=20,
        periods=3,
    ),
    own_metric(
        "RecordsUnreadable",
        "UnreadableRecords",
        "A stored record cannot be read: a value in it was altered, or the key that it is sealed under is gone. It was skipped in a listing, a count, an export or a run, or its own request was answered `record_unreadable`. Nothing else stops. The alarm comes back each time that it is met.",
        "`daftar records unreadable --stack NAME` lists such records, and `error` is `RecordUnreadable` in the logs that met one. If its reason is `KeyNotHeld`, a retired key is missing: `daftar rotate --reinstate KEY` takes it back. Otherwise restore the item from the point-in-time recovery of its table. The core system then reads what a pull skipped one by one; count its day again.",
    ),
    own_metric(
        "TokensNotChecked",
        "AuthorizerErrors",
        "The authorizer failed, so clients got 503 whatever their token. Wrong tokens do not count.",
        "`token not checked` in the log of AuthorizeCaller shows the error. Then look at the clients table.",
    ),
    own_metric(
        "UnusualClient",
        "UnusualClients",
        "A device or bot met unusually many known, refused or capped workers today (`DeviceUnusualAttempts`, `BotUnusualAttempts`). Somebody may be using its token to ask who is registered. It fires again at each multiple.",
        "`unusual client` in the log of APIHandler names it, and the day's summary shows it to its managers. Ask them what the device does. If nobody can say, or the device is lost, revoke it (`DELETE /v1/clients/{client_id}`). A van where most workers registered before, or an officer who mistypes, is harmless.",
    ),
    api_failures(
        "APIFailures",
        "The API gave at least five answers of 5xx in five minutes. Devices keep and repeat what they sent.",
        "Look at the logs of APIHandler and AuthorizeCaller, then whether a table throttles.",
        threshold=5,
    ),
    api_latency(
        "RegisteringSlow",
        "For 15 minutes, one registration in a hundred took 3 seconds or more, while an officer and a worker waited.",
        "Look at the duration and throttles of APIHandler, then at the tables.",
        milliseconds=3_000,
        method=_REGISTRATION,
    ),
    api_latency(
        "APISlow",
        "For 15 minutes, one request in a hundred took 15 seconds or more, which not even a batch of 200 should. Batches soon end half-done and are sent again.",
        "Look at the duration and throttles of APIHandler, then at the tables.",
        milliseconds=15_000,
    ),
)

# For these somebody is woken: workers cannot be registered, something is lost if nobody acts today, or it may be an
# attack. For all others somebody looks at them in the day.
PAGES = frozenset(
    {"StreamFailuresNotEmpty", "RelayBehind", "SendingStopped", "RegistrationsTableFailing", "UnusualClient"}
)

ALARMS: Mapping[str, tuple[Alarm, ...]] = {
    "Dead letters": _DEAD_LETTERS,
    "Late, or not at all": _LATE,
    "Functions": _FUNCTIONS,
    "The API": _API,
    "Tables": TABLES,
}


def iter_alarms() -> Iterator[Alarm]:
    for section in ALARMS.values():
        yield from section


COMPOSITES = make_composite_alarms([*iter_alarms()])


def find_urgency(name: str) -> Urgency | None:
    """Return the urgency of an alarm, None for a member of a composite."""
    if any(name in each.members for each in COMPOSITES):
        return None
    return Urgency.PAGE if name in PAGES else Urgency.TICKET


def make_alarms() -> dict[str, Any]:
    return {
        **{alarm.name: alarm.make_resource(find_urgency(alarm.name)) for alarm in iter_alarms()},
        **{each.name: each.make_resource() for each in COMPOSITES},
    }
