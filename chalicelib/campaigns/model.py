"""Campaigns, their days and the time zone of these days."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.campaigns.sponsors import Sponsors, check_sponsors, clean_sponsors
from chalicelib.fields import DATE_FORM, INSTANT_FORM, UNIQUE_ITEMS_SCHEMA
from chalicelib.filtered_text import find_name_problem
from chalicelib.models import StrictModel
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.typed import clean_number, clean_text, find_text_problem, is_from_spreadsheet
from chalicelib.values import Value

CampaignId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$")]

# The four names under which the tz database keeps Indonesia's three zones (WIB twice, WITA, WIT).
Zone = Literal["Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"]

# Days that can be converted to every zone, as can the morning after each. JSON Schema knows no limits for
# dates, so that the description uses a pattern.
Day = Annotated[
    date,
    Field(ge=date(2000, 1, 1), lt=date(3000, 1, 1), json_schema_extra={"pattern": "^2[0-9]{3}-"}),
    DATE_FORM,
]

# Instants that can be converted to every zone: a broken clock is an error of the sender, answered as such.
Instant = Annotated[
    AwareDatetime,
    Field(
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        lt=datetime(3000, 1, 1, tzinfo=UTC),
        json_schema_extra={"pattern": "^2[0-9]{3}-"},
    ),
    INSTANT_FORM,
]

ShortText = Annotated[str, Field(min_length=1, max_length=120)]
Hour = Annotated[int, Field(ge=0, le=23)]
Target = Annotated[int, Field(ge=0, le=10_000_000)]
DailyRupiah = Annotated[int, Field(ge=0, le=10_000_000_000, description="Rupiah a day.")]

_TEXT_FIELDS = frozenset({"name", "branch", "place"})

# One query reads the headlines of all days of a campaign.
MAX_DURATION = timedelta(days=366)

CLOCK_SKEW = timedelta(minutes=10)
SUMMARY_FINAL_HOUR = 7  # On the morning after, before the branch opens, a day's summary becomes final.


class Manager(StrictModel):
    """Someone who is told how the campaign goes."""

    name: str = Field(min_length=1, max_length=100)
    email: str | None = Field(default=None, max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\s*$")
    phone: str | None = Field(default=None, max_length=20)


Managers = Annotated[tuple[Manager, ...], Field(max_length=50), UNIQUE_ITEMS_SCHEMA]


class CampaignDay(Value):
    """One local day of one campaign: the unit of counts and summaries."""

    campaign_id: str
    day: date

    def __lt__(self, other: "CampaignDay") -> bool:
        return (self.campaign_id, self.day) < (other.campaign_id, other.day)


class Campaign(StrictModel):
    """A drive to register workers at one place, over whole days of one zone."""

    campaign_id: CampaignId
    name: ShortText
    branch: ShortText
    place: ShortText
    zone: Zone
    first_day: Day
    last_day: Day
    accepts_until: Day
    summary_hour: Hour
    target: Target
    managers: Managers = ()
    sms_budget: DailyRupiah
    sponsors: Sponsors = ()

    @model_validator(mode="after")
    def _validate_day_order(self) -> "Campaign":
        if not self.first_day <= self.last_day <= self.accepts_until:
            raise PydanticCustomError(
                "days_out_of_order", "first_day, last_day and accepts_until are not in order"
            )
        if self.last_day - self.first_day >= MAX_DURATION:
            raise PydanticCustomError("campaign_too_long", "a campaign lasts a year at most")
        return self

    def with_changes(self, changes: Mapping[str, object]) -> "Campaign":
        """Return this campaign with some fields changed.

        Raise RulesBroken if a text is unusable, or if the last day becomes earlier or a sponsor is missing,
        since captures of the removed days or sponsors may exist, and pydantic's ValidationError if the days
        are out of order.
        """
        campaign = Campaign.model_validate({**dict(self), **clean_texts(changes)})
        if campaign.last_day < self.last_day:
            raise RulesBroken(BrokenRule("last_day", "last_day_earlier"))
        if not {each.sponsor_id for each in self.sponsors} <= {each.sponsor_id for each in campaign.sponsors}:
            raise RulesBroken(BrokenRule("sponsors", "sponsor_removed"))
        return campaign

    def clean(self) -> "Campaign":
        """Return this campaign with its texts cleaned. Raise RulesBroken with every unusable one."""
        return self.model_copy(update=clean_texts(dict(self)))

    def local_day(self, instant: datetime) -> date:
        """Return the day of `instant` in the campaign's zone."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def local_hour(self, instant: datetime) -> int:
        """Return the hour of `instant`, 0 to 23, in the campaign's zone."""
        return instant.astimezone(ZoneInfo(self.zone)).hour

    def iter_days(self) -> Iterator[date]:
        """Yield each day of the campaign, first to last."""
        for ordinal in range(self.first_day.toordinal(), self.last_day.toordinal() + 1):
            yield date.fromordinal(ordinal)

    def has_day(self, day: date) -> bool:
        """Return True if a local day is one of the campaign's days."""
        return self.first_day <= day <= self.last_day

    def has_sponsor(self, sponsor_id: str) -> bool:
        """Return True if a sponsor is one of the campaign's."""
        return any(sponsor.sponsor_id == sponsor_id for sponsor in self.sponsors)

    def is_accepting(self, now: datetime) -> bool:
        """Return True if captures may still arrive: up to the end of the local day `accepts_until`."""
        return self.local_day(now) <= self.accepts_until

    def summary_due_at(self, day: date) -> datetime:
        """Return the instant from which a day is summarised: its summary hour, local time."""
        return self._instant(day, self.summary_hour)

    def summary_final_at(self, day: date) -> datetime:
        """Return the instant from which a day's summary is final: SUMMARY_FINAL_HOUR on the next day."""
        return self._instant(day + timedelta(days=1), SUMMARY_FINAL_HOUR)

    def day_ends_at(self, day: date) -> datetime:
        """Return the instant at which a local day ends."""
        return self._instant(day + timedelta(days=1), 0)

    def _instant(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


def clean_texts(values: Mapping[str, object]) -> dict[str, object]:
    """Return fields of a campaign with their texts cleaned. Raise RulesBroken with every unusable text."""
    cleaned = dict(values)
    broken_rules: list[BrokenRule] = []
    for name in _TEXT_FIELDS & values.keys():
        text = values[name]
        if isinstance(text, str):
            cleaned[name] = clean_text(text)
            broken_rules += _check_name(name, clean_text(text))
    managers = values.get("managers")
    if isinstance(managers, tuple):
        cleaned["managers"] = cleaned_managers = tuple(map(_clean_manager, managers))
        for position, manager in enumerate(cleaned_managers):
            broken_rules += _check_manager(f"managers.{position}", manager)
            if manager in cleaned_managers[:position]:
                broken_rules.append(BrokenRule(f"managers.{position}", "value_repeated"))
    sponsors = values.get("sponsors")
    if isinstance(sponsors, tuple):
        cleaned["sponsors"] = clean_sponsors(sponsors)
        broken_rules += check_sponsors(clean_sponsors(sponsors))
    if broken_rules:
        raise RulesBroken(*sorted(broken_rules, key=lambda rule: rule.field))
    return cleaned


def _clean_manager(manager: Manager) -> Manager:
    cleaned = {
        "name": clean_text(manager.name),
        "email": None if manager.email is None else clean_text(manager.email),
        "phone": None if manager.phone is None else clean_number(manager.phone),
    }
    return manager.model_copy(update=cleaned)


def _check_manager(path: str, manager: Manager) -> Iterator[BrokenRule]:
    yield from _check_name(f"{path}.name", manager.name)
    if manager.email is not None:
        yield from _check_text(f"{path}.email", manager.email)
    if manager.phone is not None and is_from_spreadsheet(manager.phone):
        yield BrokenRule(f"{path}.phone", "number_from_spreadsheet")


def _check_text(path: str, cleaned: str) -> Iterator[BrokenRule]:
    code = find_text_problem(cleaned)
    if code is not None:
        yield BrokenRule(path, code)


def _check_name(path: str, cleaned: str) -> Iterator[BrokenRule]:
    code = find_name_problem(cleaned)
    if code is not None:
        yield BrokenRule(path, code)
