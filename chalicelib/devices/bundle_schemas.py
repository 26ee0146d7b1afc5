"""The bundle of a campaign: the document with all that a device needs while it is offline."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from chalicelib.campaigns.model import Zone
from chalicelib.campaigns.sponsors import Sponsor
from chalicelib.contributions.model import ContributionTable, DiscountPolicy, Programme
from chalicelib.contributions.programmes import ProgrammeName
from chalicelib.devices.consent_texts import ConsentText
from chalicelib.occupations.model import Occupation


class BundleCampaignView(BaseModel):
    """A campaign as its devices need it, without its managers and its budget."""

    campaign_id: str
    name: str
    branch: str
    place: str
    zone: Zone
    first_day: date
    last_day: date
    accepts_until: date
    target: int


class ProgrammesView(BaseModel):
    """The programmes, and the combinations that are offered."""

    names: tuple[ProgrammeName, ...]
    offered: tuple[tuple[Programme, ...], ...]
    required_of_employers: tuple[Programme, ...] = Field(
        description="Of workers who employ others, besides what everybody takes."
    )


class AgeLimitsView(BaseModel):
    """Ages on the local day of capture, in years: from `minimum` to under `below`."""

    minimum: int
    below: int


class NIKLimitsView(BaseModel):
    """The rules of a NIK without blanks, dots and dashes: `PPKKCC DDMMYY SSSS`."""

    length: int
    provinces: tuple[str, ...]
    female_day_offset: int = Field(description="Is added to the day of birth of women.")
    refused_serial: str
    last_regency: str = Field(
        description="Regencies are numbered from 01 up to this. Others, and the district 00, are a doubt."
    )


class PhoneLimitsView(BaseModel):
    """The rules of a mobile number without blanks and punctuation."""

    country_code: str
    trunk_prefix: str
    national_pattern: str = Field(description="Of the whole number without country code and trunk prefix.")
    other_pattern: str = Field(description="Of numbers that exist and are no mobile numbers.")


class FieldLimitsView(BaseModel):
    """The limits of one field of a registration. A pattern is found anywhere, unless it has ^ and $."""

    required: bool
    type: str
    nullable: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    pattern: str | None = None
    choices: tuple[Any, ...] | None = None


class LimitsView(BaseModel):
    """The limits of intake's rules. What they leave open is answered by `POST /v1/checks`."""

    age: AgeLimitsView
    clock_skew_seconds: int = Field(
        description="How far `captured_at` and `consent.given_at` may be after the server's time."
    )
    consent_first_day: date = Field(description="The first day of `consent.given_at`.")
    nik: NIKLimitsView
    phone: PhoneLimitsView
    postal_code_pattern: str
    name_punctuation: str = Field(description="The signs allowed in a name, beside letters of any script.")
    batch_items: int
    batch_bytes: int
    kiosk_captures_a_minute: int = Field(description="Of an unattended kiosk: it waits before it takes more.")
    fields: dict[str, FieldLimitsView] = Field(description="By path, such as `worker.name`.")


class FieldMessageView(BaseModel):
    """The message about a broken rule, for the person who entered the value."""

    id: str
    en: str


class RescueKeyView(BaseModel):
    """The key that a device seals a rescue file for: what it could not send."""

    key_id: str
    public_key: str = Field(description="P-256, raw uncompressed point, base64url without padding.")


class BundleContent(BaseModel):
    """The content of a bundle, which decides its version."""

    campaign: BundleCampaignView
    sponsors: tuple[Sponsor, ...]
    occupations: tuple[Occupation, ...]
    programmes: ProgrammesView
    contribution_tables: tuple[ContributionTable, ...]
    discount_policies: tuple[DiscountPolicy, ...]
    quote_zone: str = Field(description="The first month of a quote is that of `captured_at` in this zone.")
    consent_texts: tuple[ConsentText, ...] = Field(description="The newest first: the one to show.")
    limits: LimitsView
    field_messages: dict[str, FieldMessageView] = Field(
        description="By the code of the rule, as in the `errors` of answers."
    )
    rescue_key: RescueKeyView | None = None


class BundleView(BundleContent):
    """All that a device needs to register workers of a campaign while it is offline.

    `version` changes if and only if anything but `server_time` does.
    """

    version: str
    server_time: str
