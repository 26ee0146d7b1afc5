"""The settings of a deployed stage: names and limits, never secrets. The only reader of the environment."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from chalicelib.callers import DailyCap, Role
from chalicelib.setting_values import (
    ReportState,
    parse_days,
    parse_decimal,
    parse_digits,
    parse_flag,
    parse_hours,
    parse_minutes,
    parse_report_states,
    parse_weights,
)
from chalicelib.settings_base import SettingsIncomplete, setting
from chalicelib.settings_chats import ChatSettings
from chalicelib.settings_resources import ResourceSettings

__all__ = ["Settings", "SettingsIncomplete"]

_ONE_MINUTE, _ONE_DAY = timedelta(minutes=1), timedelta(days=1)


class Settings(ResourceSettings, ChatSettings):
    """The settings of one deployed stage."""

    stage: str = setting("DAFTAR_STAGE", description="Name of the stage: local, dev or prod.")

    sms_originator: str = setting(
        "DAFTAR_SMS_ORIGINATION_IDENTITY",
        pattern=r".+",
        description="Registered sender id, number or pool that SMS are sent from.",
    )
    sms_configuration_set: str = setting(
        "DAFTAR_SMS_CONFIGURATION_SET",
        default="",
        description="AWS configuration set that collects delivery events; empty for none.",
    )
    sms_protect_configuration: str = setting(
        "DAFTAR_SMS_PROTECT_CONFIGURATION",
        default="",
        description="AWS protect configuration that allows SMS to Indonesia only; empty for the account's.",
    )
    sms_max_price: str = setting(
        "DAFTAR_SMS_MAX_PRICE",
        default="0.50000",
        pattern=r"[0-9]{1,2}\.[0-9]{1,5}",
        description=(
            "US dollars, above which AWS does not send an SMS. AWS's own price for Indonesia was not found;"
            " some 0.20 to 0.45 a part is said (confidence low)."
        ),
    )
    sms_price: int = setting(
        "DAFTAR_SMS_PRICE",
        parse=parse_digits,
        default=350,
        ge=0,
        description=(
            "Rupiah that one part is expected to cost until its receipt names the price. Local gateways ask"
            " 300 to 500 (confidence medium); AWS some ten times that (confidence low)."
        ),
    )
    rupiah_per_dollar: int = setting(
        "DAFTAR_RUPIAH_A_DOLLAR",
        parse=parse_digits,
        default=16_500,
        ge=1,
        description="Exchange rate for receipts in US dollars (confidence low: no daily rate is read).",
    )
    sms_parts_per_second: float = setting(
        "DAFTAR_SMS_PARTS_A_SECOND",
        parse=parse_decimal,
        default=10,
        gt=0,
        description="SMS parts sent per second, over all functions: the gateway's own limit.",
    )
    sms_per_day: int = setting(
        "DAFTAR_SMS_A_DAY", parse=parse_digits, default=3, ge=1, description="SMS per phone and day, at most."
    )
    quiet_from: int = setting(
        "DAFTAR_QUIET_FROM",
        parse=parse_digits,
        default=20,
        ge=0,
        le=23,
        description="Local hour from which no reminder is sent; convention, no rule was found (low).",
    )
    quiet_until: int = setting(
        "DAFTAR_QUIET_UNTIL",
        parse=parse_digits,
        default=8,
        ge=0,
        le=23,
        description="Local hour until which no reminder is sent; convention, no rule was found (low).",
    )
    may_notify_known_workers: bool = setting(
        "DAFTAR_TELLS_KNOWN_WORKERS",
        parse=parse_flag,
        default=False,
        description="Send an SMS to a worker whom an officer's device registers again.",
    )

    weight_by_gateway: Mapping[str, int] = setting(
        "DAFTAR_GATEWAY_WEIGHTS",
        parse=parse_weights,
        default={"aws": 100},
        description="SMS of a hundred that each gateway carries, as in aws=70,twilio=30.",
    )
    twilio_url: str = setting(
        "DAFTAR_TWILIO_URL",
        default="https://api.twilio.com",
        pattern=r"https?://.*",
        description="URL of the Twilio-compatible gateway.",
    )
    twilio_secret: str = setting(
        "DAFTAR_TWILIO_SECRET",
        default="",
        description="Secret with the account_sid and the auth_token of that gateway; empty for none.",
    )
    public_url: str = setting(
        "DAFTAR_PUBLIC_URL",
        default="",
        pattern=r"(https?://.+)?",
        description="This API's own URL, stage included: for callbacks of gateways, and links in mails.",
    )

    app_url: str = setting(
        "DAFTAR_APP_URL",
        default="https://{domain}{base_path}/app",
        pattern=r"https?://([^{}]|\{(domain|base_path|api_id|stage)\})+",
        description="URL of the web app. {domain}, {base_path}, {api_id}, {stage} are those of the request.",
    )

    odk_photos: bool = setting(
        "DAFTAR_ODK_PHOTOS",
        parse=parse_flag,
        default=False,
        description="Ask for a photo of the identity card in forms of ODK Collect.",
    )

    mail_from: str = setting(
        "DAFTAR_MAIL_FROM",
        default="",
        pattern=r"([^@\s<>\",;:]+@[A-Za-z0-9.-]+)?",
        description="Sender of the mails to managers, verified at SES; empty to send no mail.",
    )
    mail_reply_to: str = setting(
        "DAFTAR_MAIL_REPLY_TO",
        default="",
        pattern=r"([^@\s<>\",;:]+@[A-Za-z0-9.-]+)?",
        description="Address for replies to those mails; empty for the sender's.",
    )
    mail_configuration_set: str = setting(
        "DAFTAR_MAIL_CONFIGURATION_SET",
        default="",
        description="SES configuration set that collects bounces and complaints; empty for none.",
    )
    report_sms_states: tuple[ReportState, ...] = setting(
        "DAFTAR_REPORT_SMS",
        parse=parse_report_states,
        default=("provisional",),
        description="Reports of a day that managers also get by SMS: none, provisional, final or both.",
    )
    report_max_age: timedelta = setting(
        "DAFTAR_REPORT_DAYS",
        parse=parse_days,
        default=timedelta(days=31),
        ge=_ONE_DAY,
        description="Days after which a campaign day is no longer reported to managers.",
    )

    minimum_age: int = setting(
        "DAFTAR_MINIMUM_AGE",
        parse=parse_digits,
        default=17,
        ge=0,
        le=64,
        description="Youngest age at registration, in years; no official figure was found.",
    )
    payment_period: timedelta = setting(
        "DAFTAR_UNPAID_DAYS",
        parse=parse_days,
        default=timedelta(days=30),
        ge=_ONE_DAY,
        description="Days after which an unpaid application expires.",
    )
    token_lifetime: timedelta = setting(
        "DAFTAR_TOKEN_DAYS",
        parse=parse_days,
        default=timedelta(days=90),
        ge=_ONE_DAY,
        description="Days that a token is valid unless its enrolment says otherwise; a usual value, no rule.",
    )
    token_overlap: timedelta = setting(
        "DAFTAR_TOKEN_OVERLAP_HOURS",
        parse=parse_hours,
        default=timedelta(hours=24),
        ge=timedelta(0),
        le=timedelta(hours=720),
        description="Hours that a replaced token stays valid unless its rotation says otherwise.",
    )
    # The caps are our own: it is known that there must be some (agents made people up to meet quotas, and
    # families share numbers), but no figure is. An officer takes three minutes for a worker, 200 in a long
    # day; a van's best day is 1,200 captures, and may come through one device that was offline.
    device_daily_flag: int = setting(
        "DAFTAR_DEVICE_DAILY_FLAG",
        parse=parse_digits,
        default=300,
        ge=0,
        description="Captures per device and day that are accepted without a flag.",
    )
    device_daily_cap: int = setting(
        "DAFTAR_DEVICE_DAILY_CAP",
        parse=parse_digits,
        default=1_500,
        ge=1,
        description="Attempts to register per device and day, after which all others are refused.",
    )
    # A person takes about three minutes at a kiosk. One that was offline sends what it holds at this pace.
    kiosk_minute_cap: int = setting(
        "DAFTAR_KIOSK_MINUTE_CAP",
        parse=parse_digits,
        default=30,
        ge=1,
        description="Captures per unattended kiosk and minute, after which it has to wait for the next one.",
    )
    # A broadcast may bring 100,000 people to one chat bot in a day.
    bot_daily_flag: int = setting(
        "DAFTAR_BOT_DAILY_FLAG",
        parse=parse_digits,
        default=100_000,
        ge=0,
        description="Captures per bot and day that are accepted without a flag.",
    )
    bot_daily_cap: int = setting(
        "DAFTAR_BOT_DAILY_CAP",
        parse=parse_digits,
        default=250_000,
        ge=1,
        description="Attempts to register per bot and day, after which all others are refused.",
    )
    # A family shares a phone; 50 people was an agent's quota for a month.
    phone_daily_flag: int = setting(
        "DAFTAR_PHONE_DAILY_FLAG",
        parse=parse_digits,
        default=5,
        ge=0,
        description="Captures per phone number and day that are accepted without a flag.",
    )
    phone_daily_cap: int = setting(
        "DAFTAR_PHONE_DAILY_CAP",
        parse=parse_digits,
        default=50,
        ge=1,
        description="Captures per phone number and day that are accepted at all.",
    )
    # A device meets a known worker now and then; whoever asks who is registered meets many. Our own figures
    # too, confidence low. A bot is told of no known worker: its refused and capped captures alone count.
    device_unusual_attempts: int = setting(
        "DAFTAR_DEVICE_UNUSUAL_ATTEMPTS",
        parse=parse_digits,
        default=50,
        ge=1,
        description="Known, refused and capped workers per device and day that are unusual.",
    )
    bot_unusual_attempts: int = setting(
        "DAFTAR_BOT_UNUSUAL_ATTEMPTS",
        parse=parse_digits,
        default=2_000,
        ge=1,
        description="Refused and capped captures per bot and day that are unusual.",
    )
    retention_period: timedelta = setting(
        "DAFTAR_KEEP_ENDED_DAYS",
        parse=parse_days,
        default=timedelta(days=90),
        ge=_ONE_DAY,
        description="Days after which the personal fields of an application that ended unpaid are destroyed,"
        " and refused captures are deleted."
        " The law (UU 27/2022, articles 43 and 44) names no number; 90 is a proposal of ours.",
    )

    identity_retention: timedelta = setting(
        "DAFTAR_KEEP_PAID_IDENTITY_DAYS",
        parse=parse_days,
        default=timedelta(days=90),
        ge=_ONE_DAY,
        description="Days after the first payment was reported, which shows that the core system has the"
        " worker, until NIK, birth date, addresses and income are deleted (a proposal; confidence low).",
    )
    lapsed_retention: timedelta = setting(
        "DAFTAR_KEEP_LAPSED_DAYS",
        parse=parse_days,
        default=timedelta(days=90),
        ge=_ONE_DAY,
        description="Days after which the rest of a membership that lapsed is deleted (a proposal;"
        " confidence low).",
    )
    audit_retention: timedelta = setting(
        "DAFTAR_KEEP_AUDIT_DAYS",
        parse=parse_days,
        default=timedelta(days=1826),
        ge=_ONE_DAY,
        description="Days for which a record of the audit trail is kept. The law (UU 27/2022, article 31)"
        " asks for records and names no number; five years are a proposal of ours (confidence low).",
    )
    review_retention: timedelta = setting(
        "DAFTAR_KEEP_REVIEWS_DAYS",
        parse=parse_days,
        default=timedelta(days=400),
        ge=_ONE_DAY,
        description="Days for which a review item is kept, with its note: a campaign lasts a year at most (a"
        " proposal; confidence low). Items about a person are erased with the registration before that.",
    )

    # The thresholds are our own judgement (confidence low): it is known that agents made people up to meet
    # quotas, not what their days looked like. An officer registers 60 to 150 workers a day.
    anomaly_peer_ratio: int = setting(
        "DAFTAR_ANOMALY_PEER_RATIO",
        parse=parse_digits,
        default=3,
        ge=2,
        description="Multiple of its peers' median from which a client's registrations are an anomaly.",
    )
    anomaly_min_workers: int = setting(
        "DAFTAR_ANOMALY_MIN_WORKERS",
        parse=parse_digits,
        default=50,
        ge=1,
        description="Workers per day below which a client is not compared with its peers.",
    )
    anomaly_min_peers: int = setting(
        "DAFTAR_ANOMALY_MIN_PEERS",
        parse=parse_digits,
        default=2,
        ge=1,
        description="Peers on its channel below which a client is not compared with them.",
    )
    anomaly_run_length: int = setting(
        "DAFTAR_ANOMALY_RUN_LENGTH",
        parse=parse_digits,
        default=5,
        ge=2,
        description="Consecutive captures of a client with neighbouring NIKs that are an anomaly.",
    )
    anomaly_max_run_gap: timedelta = setting(
        "DAFTAR_ANOMALY_RUN_GAP_MINUTES",
        parse=parse_minutes,
        default=timedelta(minutes=15),
        ge=_ONE_MINUTE,
        description="Minutes between two captures above which they do not belong to one run.",
    )

    # No source says what difference is usual: the core system may know another income, or that a discount
    # has ended. A confidence as low as that of the thresholds above.
    payment_max_difference: int = setting(
        "DAFTAR_PAYMENT_MAX_DIFFERENCE_PERCENT",
        parse=parse_digits,
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
    def unusual_attempts(self) -> Mapping[Role, int]:
        return {Role.KIOSK: self.device_unusual_attempts, Role.BOT: self.bot_unusual_attempts}

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
        return cls(os.environ)
