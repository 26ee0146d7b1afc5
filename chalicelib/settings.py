"""The one reader of the environment: names and sizes of this deployment, never secrets."""

import os
from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsIncomplete(Exception):
    """The environment lacks, or garbles, the variables that the message names."""


class Settings(BaseModel):
    """What one deployed stage is told about itself. A field's alias is its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str = Field(alias="DAFTAR_STAGE", description="Name of the stage: local, dev or prod.")
    registrations_table: str = Field(
        alias="DAFTAR_REGISTRATIONS_TABLE", description="Captures, workers and registrations; has the stream."
    )
    campaigns_table: str = Field(alias="DAFTAR_CAMPAIGNS_TABLE", description="Campaigns.")
    clients_table: str = Field(
        alias="DAFTAR_CLIENTS_TABLE", description="Clients and hashes of their tokens."
    )
    sms_ledger_table: str = Field(
        alias="DAFTAR_SMS_LEDGER_TABLE", description="The ledger: one row per text."
    )
    sending_table: str = Field(
        alias="DAFTAR_SENDING_TABLE",
        description="What sending goes by: budgets, counts, opt-outs, the line that senders stand in.",
    )
    summaries_table: str = Field(
        alias="DAFTAR_SUMMARIES_TABLE", description="Versions of each campaign day's summary, and marks."
    )
    requests_table: str = Field(
        alias="DAFTAR_REQUESTS_TABLE", description="What was asked and done about single persons' data."
    )
    keys_table: str = Field(alias="DAFTAR_KEYS_TABLE", description="Data keys, wrapped by KMS.")
    field_key_arn: str = Field(alias="DAFTAR_FIELD_KEY_ARN", description="KMS key that wraps the data keys.")
    notifications_queue_url: str = Field(
        alias="DAFTAR_NOTIFICATIONS_QUEUE_URL", description="Queue from the relay to the sender of texts."
    )
    reminders_queue_url: str = Field(
        alias="DAFTAR_REMINDERS_QUEUE_URL", description="Queue of texts that every confirmation goes before."
    )
    sms_originator: str = Field(
        alias="DAFTAR_SMS_ORIGINATION_IDENTITY",
        min_length=1,
        description="Registered sender id, number or pool that texts go out under.",
    )
    sms_configuration_set: str = Field(
        alias="DAFTAR_SMS_CONFIGURATION_SET",
        default="",
        description="Configuration set that collects delivery events; empty for none.",
    )

    sms_protect_configuration: str = Field(
        alias="DAFTAR_SMS_PROTECT_CONFIGURATION",
        default="",
        description="Protect configuration that lets texts go to Indonesia only; empty for the account's.",
    )
    sms_max_price: str = Field(
        alias="DAFTAR_SMS_MAX_PRICE",
        default="0.50000",
        pattern=r"^[0-9]{1,2}\.[0-9]{1,5}$",
        description=(
            "US dollars, above which AWS does not send a text. AWS's own price for Indonesia was not found;"
            " some 0.20 to 0.45 a part is said (confidence low)."
        ),
    )
    sms_price: int = Field(
        alias="DAFTAR_SMS_PRICE",
        default=350,
        ge=0,
        description=(
            "Rupiah that one part is expected to cost until its receipt says. Local gateways ask 300 to 500"
            " (confidence medium); AWS some ten times that (confidence low)."
        ),
    )
    rupiah_a_dollar: int = Field(
        alias="DAFTAR_RUPIAH_A_DOLLAR",
        default=16_500,
        ge=1,
        description="What receipts in dollars are reckoned at (confidence low: no rate of the day is read).",
    )
    sms_parts_a_second: float = Field(
        alias="DAFTAR_SMS_PARTS_A_SECOND",
        default=10,
        gt=0,
        description="Parts that go out in a second, over all senders: the gateway's own limit.",
    )
    sms_a_day: int = Field(
        alias="DAFTAR_SMS_A_DAY", default=3, ge=1, description="Texts that one phone gets in a day, at most."
    )
    quiet_from: int = Field(
        alias="DAFTAR_QUIET_FROM",
        default=20,
        ge=0,
        le=23,
        description="Local hour from which nobody is reminded; convention, no rule was found (low).",
    )
    quiet_until: int = Field(
        alias="DAFTAR_QUIET_UNTIL",
        default=8,
        ge=0,
        le=23,
        description="Local hour up to which nobody is reminded; convention, no rule was found (low).",
    )
    tells_known_workers: bool = Field(
        alias="DAFTAR_NOTIFY_KNOWN_WORKERS",
        default=False,
        description="Whether a worker registered again by an officer's device gets a text that says so.",
    )

    gateway_weights: str = Field(
        alias="DAFTAR_GATEWAY_WEIGHTS",
        default="aws=100",
        pattern=r"^(aws|twilio)=[0-9]{1,3}(,(aws|twilio)=[0-9]{1,3})*$",
        description="How many texts of a hundred each gateway carries, as in aws=70,twilio=30.",
    )
    twilio_url: str = Field(
        alias="DAFTAR_TWILIO_URL",
        default="https://api.twilio.com",
        pattern=r"^https?://",
        description="Where the Twilio-compatible gateway is.",
    )
    twilio_secret: str = Field(
        alias="DAFTAR_TWILIO_SECRET",
        default="",
        description="Secret with the account_sid and the auth_token of that gateway; empty for none.",
    )
    public_url: str = Field(
        alias="DAFTAR_PUBLIC_URL",
        default="",
        pattern=r"^(https?://.+)?$",
        description="This API's own URL, stage included, as gateways are told it for their callbacks.",
    )
    receipts_queue_url: str = Field(
        alias="DAFTAR_RECEIPTS_QUEUE_URL", description="Queue of what gateways report of texts."
    )

    mail_from: str = Field(
        alias="DAFTAR_MAIL_FROM",
        default="",
        pattern=r"^([^@\s<>\",;:]+@[A-Za-z0-9.-]+)?$",
        description="Address that managers' mails are from, verified at SES; empty, and nobody is mailed.",
    )
    mail_reply_to: str = Field(
        alias="DAFTAR_MAIL_REPLY_TO",
        default="",
        pattern=r"^([^@\s<>\",;:]+@[A-Za-z0-9.-]+)?$",
        description="Where answers to those mails go; empty for back to the sender.",
    )
    mail_configuration_set: str = Field(
        alias="DAFTAR_MAIL_CONFIGURATION_SET",
        default="",
        description="SES configuration set that collects bounces and complaints; empty for none.",
    )
    report_sms: str = Field(
        alias="DAFTAR_REPORT_SMS",
        default="provisional",
        pattern=r"^(none|provisional|final|provisional,final)$",
        description="Which of a day's reports managers get as a text too.",
    )
    report_days: int = Field(
        alias="DAFTAR_REPORT_DAYS",
        default=31,
        ge=1,
        description="Days for which a campaign day is news; of an older one managers are told nothing.",
    )
    exports_bucket: str = Field(
        alias="DAFTAR_EXPORTS_BUCKET", description="Bucket for analysts: the captures of each final day."
    )

    minimum_age: int = Field(
        alias="DAFTAR_MINIMUM_AGE",
        default=17,
        ge=0,
        le=64,
        description="Youngest age at registration, in years; no official figure was found.",
    )
    unpaid_days: int = Field(
        alias="DAFTAR_UNPAID_DAYS",
        default=30,
        ge=1,
        description="Days after which an application that nobody paid for expires.",
    )
    token_days: int = Field(
        alias="DAFTAR_TOKEN_DAYS",
        default=90,
        ge=1,
        description="Days that a token is good where its enrolment does not say; a usual life, no rule.",
    )
    token_overlap_hours: int = Field(
        alias="DAFTAR_TOKEN_OVERLAP_HOURS",
        default=24,
        ge=0,
        le=720,
        description="Hours that a replaced token stays good where its replacing does not say.",
    )
    # The caps are our own: that there must be some is known (a quota for agents made up people, and numbers
    # are shared by families), but no figure is. An officer takes three minutes for a worker, 200 in a long
    # day; a van's best day is 1,200 captures, and may come through one device that was offline.
    device_daily_flag: int = Field(
        alias="DAFTAR_DEVICE_DAILY_FLAG",
        default=300,
        ge=0,
        description="Captures a day that a device has accepted without a flag.",
    )
    device_daily_cap: int = Field(
        alias="DAFTAR_DEVICE_DAILY_CAP",
        default=1_500,
        ge=1,
        description="Captures a day that a device has accepted at all.",
    )
    # A broadcast may bring 100,000 people to one chat bot in a day.
    bot_daily_flag: int = Field(
        alias="DAFTAR_BOT_DAILY_FLAG",
        default=100_000,
        ge=0,
        description="Captures a day that a bot has accepted without a flag.",
    )
    bot_daily_cap: int = Field(
        alias="DAFTAR_BOT_DAILY_CAP",
        default=250_000,
        ge=1,
        description="Captures a day that a bot has accepted at all.",
    )
    # A family shares a phone; 50 people was an agent's quota for a month.
    phone_daily_flag: int = Field(
        alias="DAFTAR_PHONE_DAILY_FLAG",
        default=5,
        ge=0,
        description="Registrations a day that a phone number may be given for without a flag.",
    )
    phone_daily_cap: int = Field(
        alias="DAFTAR_PHONE_DAILY_CAP",
        default=50,
        ge=1,
        description="Registrations a day that a phone number may be given for at all.",
    )
    keep_ended_days: int = Field(
        alias="DAFTAR_KEEP_ENDED_DAYS",
        default=90,
        ge=1,
        description="Days after which nothing personal is kept of an application that ended unpaid. The law "
        "(UU 27/2022, articles 43 and 44) names no number; 90 is a proposal of ours.",
    )

    # What is worth a look in a day's summary is our own judgement (confidence low): that agents made people
    # up to fill a quota is known, how their days looked is not. An officer registers 60 to 150 workers a day.
    anomaly_peer_ratio: int = Field(
        alias="DAFTAR_ANOMALY_PEER_RATIO",
        default=3,
        ge=2,
        description="How many times what its peers in the middle registered a client stands out with.",
    )
    anomaly_min_workers: int = Field(
        alias="DAFTAR_ANOMALY_MIN_WORKERS",
        default=50,
        ge=1,
        description="Workers a day below which no client stands out from its peers.",
    )
    anomaly_min_peers: int = Field(
        alias="DAFTAR_ANOMALY_MIN_PEERS",
        default=2,
        ge=1,
        description="Peers on its channel without which no client stands out.",
    )
    anomaly_run_length: int = Field(
        alias="DAFTAR_ANOMALY_RUN_LENGTH",
        default=5,
        ge=2,
        description="Neighbouring NIKs one after the other on one client that are worth a look.",
    )
    anomaly_run_gap_minutes: int = Field(
        alias="DAFTAR_ANOMALY_RUN_GAP_MINUTES",
        default=15,
        ge=1,
        description="Minutes between two captures after which they belong to no run.",
    )

    @property
    def weight_by_gateway(self) -> dict[str, int]:
        """How many texts of a hundred each gateway carries."""
        pairs = (each.partition("=") for each in self.gateway_weights.split(","))
        return {name: int(weight) for name, _, weight in pairs}

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment. Raises SettingsIncomplete, naming each variable at fault."""
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            names = ", ".join(str(problem["loc"][0]) for problem in error.errors(include_input=False))
            raise SettingsIncomplete(f"set these environment variables to a usable value: {names}") from None


@cache
def settings() -> Settings:
    """The settings of this process, read on first use so that importing needs no environment."""
    return Settings.from_environment()
