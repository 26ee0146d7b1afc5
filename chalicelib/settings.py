"""The settings of a deployed stage: names and limits, never secrets. The only reader of the environment."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from chalicelib.callers import DailyCap
from chalicelib.fields import DIGITS_FORM, parse_digits

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
_FLAGS = {"true": True, "false": False}
_WEIGHTS = re.compile(r"(aws|twilio)=[0-9]{1,3}(,(aws|twilio)=[0-9]{1,3})*")

ReportState = Literal["provisional", "final"]
_REPORT_STATES: Mapping[str, tuple[ReportState, ...]] = {
    "none": (),
    "provisional": ("provisional",),
    "final": ("final",),
    "provisional,final": ("provisional", "final"),
}


def _parse_duration(unit: str) -> BeforeValidator:
    """Return a validator that reads a whole number of a unit of `timedelta`."""

    def parse(value: str) -> timedelta:
        try:
            return timedelta(**{unit: parse_digits(value)})
        except OverflowError:
            raise ValueError("too long") from None

    return BeforeValidator(parse)


def _parse_decimal(value: str) -> float:
    if not _DECIMAL.fullmatch(value):
        raise ValueError("not a decimal number")
    return float(value)


def _parse_flag(value: str) -> bool:
    if value not in _FLAGS:
        raise ValueError("neither true nor false")
    return _FLAGS[value]


def _parse_weights(value: str) -> dict[str, int]:
    if not _WEIGHTS.fullmatch(value):
        raise ValueError("not a list of weights")
    pairs = [each.partition("=") for each in value.split(",")]
    weights = {name: parse_digits(weight) for name, _, weight in pairs}
    if len(weights) < len(pairs):
        raise ValueError("a gateway is in the list twice")
    return weights


def _parse_report_states(value: str) -> tuple[ReportState, ...]:
    if value not in _REPORT_STATES:
        raise ValueError("not a list of report states")
    return _REPORT_STATES[value]


_Whole = Annotated[int, DIGITS_FORM]
_Minutes = Annotated[timedelta, _parse_duration("minutes")]
_Hours = Annotated[timedelta, _parse_duration("hours")]
_Days = Annotated[timedelta, _parse_duration("days")]
_ONE_MINUTE, _ONE_DAY = timedelta(minutes=1), timedelta(days=1)


class SettingsIncomplete(Exception):
    """Environment variables are missing or unusable; the message names them."""


class Settings(BaseModel):
    """The settings of one deployed stage. The alias of a field is its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str = Field(alias="DAFTAR_STAGE", description="Name of the stage: local, dev or prod.")
    registrations_table: str = Field(
        alias="DAFTAR_REGISTRATIONS_TABLE",
        description="Table of captures, workers and registrations; has the stream.",
    )
    campaigns_table: str = Field(alias="DAFTAR_CAMPAIGNS_TABLE", description="Table of campaigns.")
    clients_table: str = Field(
        alias="DAFTAR_CLIENTS_TABLE", description="Table of clients and hashes of their tokens."
    )
    sms_ledger_table: str = Field(
        alias="DAFTAR_SMS_LEDGER_TABLE", description="Table of the SMS ledger: one row per SMS."
    )
    sending_table: str = Field(
        alias="DAFTAR_SENDING_TABLE",
        description="Table of budgets, daily counts, opt-outs, deliveries and the rate limiter of sending.",
    )
    summaries_table: str = Field(
        alias="DAFTAR_SUMMARIES_TABLE",
        description="Table of the versions of each campaign day's summary, and of dirty days.",
    )
    requests_table: str = Field(
        alias="DAFTAR_REQUESTS_TABLE", description="Table of requests about one person's data."
    )
    keys_table: str = Field(
        alias="DAFTAR_KEYS_TABLE", description="Table of data keys, wrapped by the KMS key."
    )
    field_key_arn: str = Field(alias="DAFTAR_FIELD_KEY_ARN", description="KMS key that wraps the data keys.")
    notifications_queue_url: str = Field(
        alias="DAFTAR_NOTIFICATIONS_QUEUE_URL",
        description="Queue of events that workers get an SMS for, and of confirmations that are due.",
    )
    reminders_queue_url: str = Field(
        alias="DAFTAR_REMINDERS_QUEUE_URL", description="Queue of reminders that are due."
    )
    receipts_queue_url: str = Field(
        alias="DAFTAR_RECEIPTS_QUEUE_URL", description="Queue of delivery receipts from the SMS gateways."
    )
    exports_bucket: str = Field(
        alias="DAFTAR_EXPORTS_BUCKET", description="Bucket for analysts: the captures of each final day."
    )

    sms_originator: str = Field(
        alias="DAFTAR_SMS_ORIGINATION_IDENTITY",
        min_length=1,
        description="Registered sender id, number or pool that SMS are sent from.",
    )
    sms_configuration_set: str = Field(
        alias="DAFTAR_SMS_CONFIGURATION_SET",
        default="",
        description="AWS configuration set that collects delivery events; empty for none.",
    )
    sms_protect_configuration: str = Field(
        alias="DAFTAR_SMS_PROTECT_CONFIGURATION",
        default="",
        description="AWS protect configuration that allows SMS to Indonesia only; empty for the account's.",
    )
    sms_max_price: str = Field(
        alias="DAFTAR_SMS_MAX_PRICE",
        default="0.50000",
        pattern=r"^[0-9]{1,2}\.[0-9]{1,5}$",
        description=(
            "US dollars, above which AWS does not send an SMS. AWS's own price for Indonesia was not found;"
            " some 0.20 to 0.45 a part is said (confidence low)."
        ),
    )
    sms_price: _Whole = Field(
        alias="DAFTAR_SMS_PRICE",
        default=350,
        ge=0,
        description=(
            "Rupiah that one part is expected to cost until its receipt names the price. Local gateways ask"
            " 300 to 500 (confidence medium); AWS some ten times that (confidence low)."
        ),
    )
    rupiah_per_dollar: _Whole = Field(
        alias="DAFTAR_RUPIAH_A_DOLLAR",
        default=16_500,
        ge=1,
        description="Exchange rate for receipts in US dollars (confidence low: no daily rate is read).",
    )
    sms_parts_per_second: Annotated[float, BeforeValidator(_parse_decimal)] = Field(
        alias="DAFTAR_SMS_PARTS_A_SECOND",
        default=10,
        gt=0,
        description="SMS parts sent per second, over all functions: the gateway's own limit.",
    )
    sms_per_day: _Whole = Field(
        alias="DAFTAR_SMS_A_DAY", default=3, ge=1, description="SMS per phone and day, at most."
    )
    quiet_from: _Whole = Field(
        alias="DAFTAR_QUIET_FROM",
        default=20,
        ge=0,
        le=23,
        description="Local hour from which no reminder is sent; convention, no rule was found (low).",
    )
    quiet_until: _Whole = Field(
        alias="DAFTAR_QUIET_UNTIL",
        default=8,
        ge=0,
        le=23,
        description="Local hour until which no reminder is sent; convention, no rule was found (low).",
    )
    may_notify_known_workers: Annotated[bool, BeforeValidator(_parse_flag)] = Field(
        alias="DAFTAR_TELLS_KNOWN_WORKERS",
        default=False,
        description="Send an SMS to a worker whom an officer's device registers again.",
    )

    weight_by_gateway: Annotated[Mapping[str, int], BeforeValidator(_parse_weights)] = Field(
        alias="DAFTAR_GATEWAY_WEIGHTS",
        default={"aws": 100},
        description="SMS of a hundred that each gateway carries, as in aws=70,twilio=30.",
    )
    twilio_url: str = Field(
        alias="DAFTAR_TWILIO_URL",
        default="https://api.twilio.com",
        pattern=r"^https?://",
        description="URL of the Twilio-compatible gateway.",
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
        description="This API's own URL, stage included, for the callbacks of gateways.",
    )

    app_url: str = Field(
        alias="DAFTAR_APP_URL",
        default="https://{domain}{base_path}/app",
        pattern=r"^https?://([^{}]|\{(domain|base_path|api_id|stage)\})+$",
        description="URL of the web app. {domain}, {base_path}, {api_id}, {stage} are those of the request.",
    )

    mail_from: str = Field(
        alias="DAFTAR_MAIL_FROM",
        default="",
        pattern=r"^([^@\s<>\",;:]+@[A-Za-z0-9.-]+)?$",
        description="Sender of the mails to managers, verified at SES; empty to send no mail.",
    )
    mail_reply_to: str = Field(
        alias="DAFTAR_MAIL_REPLY_TO",
        default="",
        pattern=r"^([^@\s<>\",;:]+@[A-Za-z0-9.-]+)?$",
        description="Address for replies to those mails; empty for the sender's.",
    )
    mail_configuration_set: str = Field(
        alias="DAFTAR_MAIL_CONFIGURATION_SET",
        default="",
        description="SES configuration set that collects bounces and complaints; empty for none.",
    )
    report_sms_states: Annotated[tuple[ReportState, ...], BeforeValidator(_parse_report_states)] = Field(
        alias="DAFTAR_REPORT_SMS",
        default=("provisional",),
        description="Reports of a day that managers also get by SMS: none, provisional, final or both.",
    )
    report_max_age: _Days = Field(
        alias="DAFTAR_REPORT_DAYS",
        default=timedelta(days=31),
        ge=_ONE_DAY,
        description="Days after which a campaign day is no longer reported to managers.",
    )

    minimum_age: _Whole = Field(
        alias="DAFTAR_MINIMUM_AGE",
        default=17,
        ge=0,
        le=64,
        description="Youngest age at registration, in years; no official figure was found.",
    )
    payment_period: _Days = Field(
        alias="DAFTAR_UNPAID_DAYS",
        default=timedelta(days=30),
        ge=_ONE_DAY,
        description="Days after which an unpaid application expires.",
    )
    token_lifetime: _Days = Field(
        alias="DAFTAR_TOKEN_DAYS",
        default=timedelta(days=90),
        ge=_ONE_DAY,
        description="Days that a token is valid unless its enrolment says otherwise; a usual value, no rule.",
    )
    token_overlap: _Hours = Field(
        alias="DAFTAR_TOKEN_OVERLAP_HOURS",
        default=timedelta(hours=24),
        ge=timedelta(0),
        le=timedelta(hours=720),
        description="Hours that a replaced token stays valid unless its rotation says otherwise.",
    )
    # The caps are our own: it is known that there must be some (agents made people up to meet quotas, and
    # families share numbers), but no figure is. An officer takes three minutes for a worker, 200 in a long
    # day; a van's best day is 1,200 captures, and may come through one device that was offline.
    device_daily_flag: _Whole = Field(
        alias="DAFTAR_DEVICE_DAILY_FLAG",
        default=300,
        ge=0,
        description="Captures per device and day that are accepted without a flag.",
    )
    device_daily_cap: _Whole = Field(
        alias="DAFTAR_DEVICE_DAILY_CAP",
        default=1_500,
        ge=1,
        description="Captures per device and day that are accepted at all.",
    )
    # A broadcast may bring 100,000 people to one chat bot in a day.
    bot_daily_flag: _Whole = Field(
        alias="DAFTAR_BOT_DAILY_FLAG",
        default=100_000,
        ge=0,
        description="Captures per bot and day that are accepted without a flag.",
    )
    bot_daily_cap: _Whole = Field(
        alias="DAFTAR_BOT_DAILY_CAP",
        default=250_000,
        ge=1,
        description="Captures per bot and day that are accepted at all.",
    )
    # A family shares a phone; 50 people was an agent's quota for a month.
    phone_daily_flag: _Whole = Field(
        alias="DAFTAR_PHONE_DAILY_FLAG",
        default=5,
        ge=0,
        description="Registrations per phone number and day that are accepted without a flag.",
    )
    phone_daily_cap: _Whole = Field(
        alias="DAFTAR_PHONE_DAILY_CAP",
        default=50,
        ge=1,
        description="Registrations per phone number and day that are accepted at all.",
    )
    retention_period: _Days = Field(
        alias="DAFTAR_KEEP_ENDED_DAYS",
        default=timedelta(days=90),
        ge=_ONE_DAY,
        description="Days after which the personal fields of an application that ended unpaid are destroyed."
        " The law (UU 27/2022, articles 43 and 44) names no number; 90 is a proposal of ours.",
    )

    # The thresholds are our own judgement (confidence low): it is known that agents made people up to meet
    # quotas, not what their days looked like. An officer registers 60 to 150 workers a day.
    anomaly_peer_ratio: _Whole = Field(
        alias="DAFTAR_ANOMALY_PEER_RATIO",
        default=3,
        ge=2,
        description="Multiple of its peers' median from which a client's registrations are an anomaly.",
    )
    anomaly_min_workers: _Whole = Field(
        alias="DAFTAR_ANOMALY_MIN_WORKERS",
        default=50,
        ge=1,
        description="Workers per day below which a client is not compared with its peers.",
    )
    anomaly_min_peers: _Whole = Field(
        alias="DAFTAR_ANOMALY_MIN_PEERS",
        default=2,
        ge=1,
        description="Peers on its channel below which a client is not compared with them.",
    )
    anomaly_run_length: _Whole = Field(
        alias="DAFTAR_ANOMALY_RUN_LENGTH",
        default=5,
        ge=2,
        description="Consecutive captures of a client with neighbouring NIKs that are an anomaly.",
    )
    anomaly_max_run_gap: _Minutes = Field(
        alias="DAFTAR_ANOMALY_RUN_GAP_MINUTES",
        default=timedelta(minutes=15),
        ge=_ONE_MINUTE,
        description="Minutes between two captures above which they do not belong to one run.",
    )

    # No source says what difference is usual: the core system may know another income, or that a discount
    # has ended. A confidence as low as that of the thresholds above.
    payment_max_difference: _Whole = Field(
        alias="DAFTAR_PAYMENT_MAX_DIFFERENCE_PERCENT",
        default=25,
        ge=0,
        description="Difference between a payment and its quote, in per cent of the quote, above which it is"
        " an anomaly.",
    )

    @property
    def device_caps(self) -> DailyCap:
        return DailyCap(flag=self.device_daily_flag, cap=self.device_daily_cap)

    @property
    def bot_caps(self) -> DailyCap:
        return DailyCap(flag=self.bot_daily_flag, cap=self.bot_daily_cap)

    @property
    def phone_caps(self) -> DailyCap:
        return DailyCap(flag=self.phone_daily_flag, cap=self.phone_daily_cap)

    @property
    def twilio_public_url(self) -> str | None:
        """The URL that Twilio's callbacks begin with; None on a stage without an account there."""
        return self.public_url if self.twilio_secret else None

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment. Raise SettingsIncomplete, naming each variable at fault."""
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            names = ", ".join(str(problem["loc"][0]) for problem in error.errors(include_input=False))
            raise SettingsIncomplete(f"set these environment variables to a usable value: {names}") from None
