"""The settings that name the resources of a stage: its tables, queues, buckets and keys."""

from chalicelib.settings_base import SettingsBase, setting


class ResourceSettings(SettingsBase):
    """The names that the template gives its own resources. None has a default."""

    registrations_table: str = setting(
        "DAFTAR_REGISTRATIONS_TABLE",
        description="Table of captures, workers and registrations; has the stream.",
    )
    campaigns_table: str = setting("DAFTAR_CAMPAIGNS_TABLE", description="Table of campaigns.")
    clients_table: str = setting(
        "DAFTAR_CLIENTS_TABLE", description="Table of clients and hashes of their tokens."
    )
    sms_ledger_table: str = setting(
        "DAFTAR_SMS_LEDGER_TABLE", description="Table of the SMS ledger: one row per SMS."
    )
    sending_table: str = setting(
        "DAFTAR_SENDING_TABLE",
        description="Table of budgets, daily counts, opt-outs, deliveries and the rate limiter of sending.",
    )
    summaries_table: str = setting(
        "DAFTAR_SUMMARIES_TABLE",
        description="Table of the versions of each campaign day's summary, and of dirty days.",
    )
    requests_table: str = setting(
        "DAFTAR_REQUESTS_TABLE", description="Table of requests about one person's data."
    )
    audit_table: str = setting(
        "DAFTAR_AUDIT_TABLE", description="Table of the audit trail: who changed and read what."
    )
    conversations_table: str = setting(
        "DAFTAR_CONVERSATIONS_TABLE",
        description="Table of chats: their sessions, handled events, and messages to people.",
    )
    reviews_table: str = setting(
        "DAFTAR_REVIEWS_TABLE",
        description="Table of review items, and of lookups by receipt code, phone and person.",
    )
    keys_table: str = setting("DAFTAR_KEYS_TABLE", description="Table of data keys, wrapped by the KMS key.")
    field_key_arn: str = setting("DAFTAR_FIELD_KEY_ARN", description="KMS key that wraps the data keys.")
    notifications_queue_url: str = setting(
        "DAFTAR_NOTIFICATIONS_QUEUE_URL",
        description="Queue of events that workers get an SMS for, and of confirmations that are due.",
    )
    reminders_queue_url: str = setting(
        "DAFTAR_REMINDERS_QUEUE_URL", description="Queue of reminders that are due."
    )
    receipts_queue_url: str = setting(
        "DAFTAR_RECEIPTS_QUEUE_URL", description="Queue of delivery receipts from the SMS gateways."
    )
    photos_bucket: str = setting(
        "DAFTAR_PHOTOS_BUCKET", description="Bucket for the photos that forms of ODK Collect ask for."
    )
    chat_events_queue_url: str = setting(
        "DAFTAR_CHAT_EVENTS_QUEUE_URL", description="Queue of messages of people in chats, sealed."
    )
    chat_outbox_queue_url: str = setting(
        "DAFTAR_CHAT_OUTBOX_QUEUE_URL",
        description="Queue of the messages to people in chats, in the order of each chat.",
    )
    exports_bucket: str = setting(
        "DAFTAR_EXPORTS_BUCKET", description="Bucket for analysts: the captures of each final day."
    )
    parquet_layer: str = setting(
        "DAFTAR_PARQUET_LAYER",
        default="",
        description="ARN of the layer that writes exports as Parquet, too. Empty for JSON Lines alone.",
    )
