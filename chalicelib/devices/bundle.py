"""The bundle of a campaign, made from the very data and limits that the server judges by."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from chalicelib.campaigns.model import CLOCK_SKEW, Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.clock import Clock, to_timestamp
from chalicelib.contributions.programmes import load_programme_names
from chalicelib.contributions.rules import Rules
from chalicelib.contributions.service import OFFERED_PROGRAMMES, REQUIRED_OF_EMPLOYERS
from chalicelib.crypto.rescue import RescueKey
from chalicelib.devices.bundle_schemas import (
    AgeLimitsView,
    BundleCampaignView,
    BundleContent,
    BundleView,
    FieldLimitsView,
    FieldMessageView,
    LimitsView,
    NIKLimitsView,
    PhoneLimitsView,
    ProgrammesView,
    RescueKeyView,
)
from chalicelib.devices.consent_texts import load_consent_texts
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.occupations.model import load_occupations
from chalicelib.registrations import batch, names, nik, numbering, rules
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.reported_times import FIRST_CONSENT_DAY
from chalicelib.registrations.rules import AgeLimits

_VERSION_DIGITS = 32

# The limits of a field, by the keywords of its JSON Schema.
_LIMITS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "minimum",
    "maximum": "maximum",
    "minItems": "min_items",
    "maxItems": "max_items",
    "pattern": "pattern",
    "enum": "choices",
    "uniqueItems": "unique_items",
}


class BundleService:
    """Makes the bundles of campaigns."""

    def __init__(
        self,
        *,
        campaigns: CampaignService,
        contribution_rules: Rules,
        age_limits: AgeLimits,
        kiosk_minute_cap: int,
        get_rescue_key: Callable[[], RescueKey | None],
        clock: Clock,
    ) -> None:
        self._campaigns = campaigns
        self._contribution_rules = contribution_rules
        self._age_limits = age_limits
        self._kiosk_minute_cap = kiosk_minute_cap
        self._get_rescue_key = get_rescue_key
        self._clock = clock

    def build(self, campaign_id: str) -> BundleView:
        """Return the bundle of a campaign as it is now. Raise CampaignUnknown."""
        content = self._build_content(self._campaigns.get_current(campaign_id))
        version = sha256(content.model_dump_json().encode()).hexdigest()[:_VERSION_DIGITS]
        return BundleView(**vars(content), version=version, server_time=to_timestamp(self._clock()))

    def _build_content(self, campaign: Campaign) -> BundleContent:
        return BundleContent(
            campaign=BundleCampaignView.model_validate(campaign.model_dump()),
            sponsors=campaign.sponsors,
            occupations=tuple(load_occupations().values()),
            programmes=ProgrammesView(
                names=load_programme_names(),
                offered=OFFERED_PROGRAMMES,
                required_of_employers=REQUIRED_OF_EMPLOYERS,
            ),
            contribution_tables=tuple(self._contribution_rules.tables),
            discount_policies=tuple(self._contribution_rules.policies),
            quote_zone=campaign.zone,
            consent_texts=load_consent_texts(),
            limits=self._build_limits(),
            field_messages={
                code: FieldMessageView(id=message.indonesian, en=message.english)
                for code, message in FIELD_MESSAGES.items()
            },
            rescue_key=self._build_rescue_key(),
        )

    def _build_rescue_key(self) -> RescueKeyView | None:
        key = self._get_rescue_key()
        if key is None:
            return None
        public_key = urlsafe_b64encode(key.public_key).decode().rstrip("=")
        return RescueKeyView(key_id=key.key_id, public_key=public_key)

    def _build_limits(self) -> LimitsView:
        return LimitsView(
            age=AgeLimitsView(minimum=self._age_limits.minimum_age, below=self._age_limits.below_age),
            clock_skew_seconds=int(CLOCK_SKEW.total_seconds()),
            consent_first_day=FIRST_CONSENT_DAY,
            nik=NIKLimitsView(
                length=nik.LENGTH,
                provinces=tuple(sorted(nik.PROVINCES)),
                female_day_offset=nik.FEMALE_DAY_OFFSET,
                refused_serial=nik.NO_SERIAL,
                last_regency=nik.LAST_REGENCY_CODE,
            ),
            phone=PhoneLimitsView(**vars(numbering.read_numbering_plan())),
            postal_code_pattern=f"^{rules.POSTAL_CODE.pattern}$",
            name_punctuation="".join(sorted(names.PUNCTUATION)),
            batch_items=batch.MAX_ITEMS,
            batch_bytes=batch.MAX_BODY_BYTES,
            kiosk_captures_a_minute=self._kiosk_minute_cap,
            fields=_list_field_limits(),
        )


@cache
def _list_field_limits() -> dict[str, FieldLimitsView]:
    """Return the limits of the fields of a registration, as its model has them."""
    schema = SubmitRegistration.model_json_schema()
    return dict(_iter_field_limits(schema, schema.get("$defs", {})))


def _iter_field_limits(
    group: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, FieldLimitsView]]:
    for name, declared in group["properties"].items():
        choices = [_resolve(each, definitions) for each in declared.get("anyOf", [declared])]
        field = next(each for each in choices if each.get("type") != "null")
        if "properties" in field:
            yield from _iter_field_limits(field, definitions, f"{prefix}{name}.")
            continue
        items = _resolve(field.get("items", {}), definitions)
        yield (
            f"{prefix}{name}",
            FieldLimitsView(
                required=name in group.get("required", ()),
                nullable=len(choices) > 1,
                type=field["type"],
                **{
                    ours: each[theirs]
                    for theirs, ours in _LIMITS.items()
                    for each in (field, items)
                    if theirs in each
                },
            ),
        )


def _resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema, or the one that it refers to."""
    reference = schema.get("$ref")
    return schema if reference is None else {**definitions[reference.rpartition("/")[2]], **schema}
