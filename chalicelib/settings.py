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
    texts_table: str = Field(alias="DAFTAR_TEXTS_TABLE", description="The ledger: one row per text.")
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

    @classmethod
    def read(cls) -> Self:
        """Read the environment. Raises SettingsIncomplete, naming each variable at fault."""
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            names = ", ".join(str(problem["loc"][0]) for problem in error.errors(include_input=False))
            raise SettingsIncomplete(f"set these environment variables to a usable value: {names}") from None


@cache
def settings() -> Settings:
    """The settings of this process, read on first use so that importing needs no environment."""
    return Settings.read()
