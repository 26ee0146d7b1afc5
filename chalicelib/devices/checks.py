"""Checks of single fields before a capture is sent: intake's code judges them, and nothing is stored. Pure.

Intake judges whole captures only. So whatever a request leaves out is filled in with a value that breaks no
rule, and what is then said about such a value is dropped.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from chalicelib.callers import Caller
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.campaigns.sponsors import Sponsor
from chalicelib.clock import Clock
from chalicelib.contributions.service import QuoteService
from chalicelib.devices.schemas import GROUP_BY_FIELD, GROUPS
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import rules
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.worker import Check, Worker

Path = tuple[str, ...]

_CAMPAIGN_ID, _CAPTURED_AT, _BIRTH_DATE = ("campaign_id",), ("captured_at",), ("worker", "birth_date")
_PAYER = ("coverage", "payer")

# The NIK is of no place, so it is nobody's.
_PLACEHOLDERS: Mapping[str, Any] = {
    "capture_id": "00000000-0000-7000-8000-000000000000",
    "campaign_id": "any-campaign",
    "captured_at": "2024-01-01T00:00:00Z",
    "worker": {
        "nik": "3100000101900001",
        "name": "A",
        "birth_date": "1990-01-01",
        "phone": "+6282455500000",
        "address": "-",
        "postal_code": "10000",
    },
    "work": {"occupations": ["other"], "place": "-", "monthly_income": 0, "employs_others": False},
    "coverage": {"programmes": ["JKK", "JKM", "JHT"], "months": 1, "payer": "self"},
    "consent": {"text_version": "-", "given_at": "2024-01-01T00:00:00Z", "method": "tick"},
}

# An age that every stage accepts: its minimum is at most 64.
_PLACEHOLDER_AGE = 64

# The campaign of a check that names none: judged are the fields that need no campaign.
_ANY_CAMPAIGN: Mapping[str, Any] = {
    **dict.fromkeys(("name", "branch", "place"), "-"),
    "campaign_id": "any-campaign",
    "zone": "Asia/Jakarta",
    "accepts_until": date(2999, 12, 31),
    **dict.fromkeys(("summary_hour", "target", "sms_budget"), 0),
}

# The fields that each doubt about a worker is about; it is told beside the first one.
_FIELDS_OF_CHECKS: Mapping[Check, tuple[str, ...]] = {
    Check.BIRTH_DATE_DIFFERS: ("worker.birth_date", "worker.nik"),
    Check.NIK_PLACE_UNKNOWN: ("worker.nik",),
}

# Found by the quote, whose first month follows from the capture.
_MONTH_WITHOUT_RULE = "month_without_rule"


@dataclass(frozen=True)
class CheckResult:
    """The rules that the given fields break, and the doubts about them, which refuse nothing."""

    errors: tuple[BrokenRule, ...]
    warnings: tuple[BrokenRule, ...]


@dataclass(frozen=True)
class _Draft:
    """Some fields of a capture, by path. `names` are the names by which they were given."""

    values: Mapping[Path, Any]
    names: Mapping[Path, str]

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "_Draft":
        """Read fields that stand alone or in their group, as in a capture."""
        values: dict[Path, Any] = {}
        names: dict[Path, str] = {}
        for name, value in fields.items():
            if name in GROUPS and isinstance(value, dict):
                values.update({(name, inner): inner_value for inner, inner_value in value.items()})
            elif name in GROUP_BY_FIELD:
                path = (GROUP_BY_FIELD[name], name)
                values[path], names[path] = value, name
            else:
                values[(name,)] = value
        return cls(values, names)

    def complete(self) -> SubmitRegistration:
        """Return the capture with these fields and placeholders for the others. Raise ValidationError."""
        document = {
            name: dict(value) if isinstance(value, dict) else value for name, value in _PLACEHOLDERS.items()
        }
        # A value in place of a group comes last.
        for path in sorted(self.values, key=len, reverse=True):
            (document if len(path) == 1 else document[path[0]])[path[-1]] = self.values[path]
        return SubmitRegistration.model_validate_json(json.dumps(document), strict=True)

    def select(self, broken_rules: Iterable[BrokenRule]) -> list[BrokenRule]:
        """Return the broken rules of given fields."""
        return [rule for rule in broken_rules if self.has(rule.field)]

    def has(self, field: str) -> bool:
        """Return True for a given field, or a part of one, or a name that no capture has."""
        path = _find_path(field)
        return not _is_known(path) or any(each[: len(path)] == path for each in self.values)

    def without(self, broken_rules: Iterable[BrokenRule]) -> "_Draft":
        """Return the draft without these fields, and without those that no capture has."""
        broken = [_find_path(rule.field) for rule in broken_rules]
        values = {
            path: value
            for path, value in self.values.items()
            if _is_known(path)
            and not any(path == each or (each not in self.values and path[:1] == each) for each in broken)
        }
        return _Draft(values, self.names)

    def rename(self, rule: BrokenRule) -> BrokenRule:
        """Return a broken rule with its field by the name by which it was given."""
        path = _find_path(rule.field)
        if path not in self.names:
            return rule
        rest = rule.field.removeprefix(".".join(path))
        return BrokenRule(self.names[path] + rest, rule.code, digits=rule.digits)


class FieldChecker:
    """Judges some fields of a capture as intake would judge them in a capture that is right otherwise."""

    def __init__(
        self,
        *,
        campaigns: CampaignService,
        quote_service: QuoteService,
        age_limits: AgeLimits,
        clock: Clock,
        list_shape_errors: Callable[[ValidationError], Iterable[BrokenRule]],
    ) -> None:
        self._campaigns = campaigns
        self._quote_service = quote_service
        self._age_limits = age_limits
        self._clock = clock
        self._list_shape_errors = list_shape_errors

    def check(self, fields: Mapping[str, Any], *, caller: Caller) -> CheckResult:
        """Return every error and warning of the given fields.

        Fields of the wrong shape are left out when the rules judge the others. Raise CampaignNotAllowed or
        CampaignUnknown if a campaign is named, or ValidationError for values that JSON cannot hold.
        """
        given = _Draft.read(fields)
        draft, errors = self._check_shapes(given)
        broken, worker = self._judge(draft, caller)
        found = draft.select(broken)
        if worker is None:  # The doubts about the fields that break no rule.
            draft = draft.without(found)
            _, worker = self._judge(draft, caller)
        warnings = [] if worker is None else _iter_warnings(draft, worker)
        return CheckResult(
            errors=tuple(map(given.rename, [*errors, *found])), warnings=tuple(map(given.rename, warnings))
        )

    def _check_shapes(self, draft: _Draft) -> tuple[_Draft, list[BrokenRule]]:
        """Return the draft without fields of the wrong shape, and the errors of these."""
        errors: list[BrokenRule] = []
        while True:
            try:
                draft.complete()
            except ValidationError as error:
                found = draft.select(self._list_shape_errors(error))
                smaller = draft.without(found)
                if smaller == draft:
                    raise
                errors += found
                draft = smaller
            else:
                return draft, errors

    def _judge(self, draft: _Draft, caller: Caller) -> tuple[list[BrokenRule], Worker | None]:
        """Return the rules that a draft breaks, and the worker whom intake would read from it."""
        now = self._clock()
        command = draft.complete()
        campaign = self._find_campaign(draft, command, caller)
        if _CAPTURED_AT not in draft.values:
            captured_at = _find_nearest_instant(campaign, now)
            command = command.model_copy(update={"captured_at": captured_at})
            now = max(now, captured_at)
        if _BIRTH_DATE not in draft.values:
            birth_year = campaign.local_day(command.captured_at).year - _PLACEHOLDER_AGE
            worker = command.worker.model_copy(update={"birth_date": date(birth_year, 1, 1)})
            command = command.model_copy(update={"worker": worker})
        if _PAYER not in draft.values and command.coverage.sponsor_id is not None:
            coverage = command.coverage.model_copy(update={"payer": "sponsor"})
            command = command.model_copy(update={"coverage": coverage})
        broken: list[BrokenRule] = []
        try:
            self._quote_service.quote(
                rules.build_quote_request(command, campaign.local_day(command.captured_at))
            )
        except RulesBroken as refusal:
            # The rules of a capture judge the choices.
            months = [rule for rule in refusal.broken_rules if rule.code == _MONTH_WITHOUT_RULE]
            broken += [BrokenRule("captured_at", rule.code) for rule in months]
        try:
            capture = CleanedCapture.from_command(command)
            return broken, rules.read_worker(capture, campaign, now=now, age_limits=self._age_limits)
        except RulesBroken as refusal:
            return [*broken, *refusal.broken_rules], None

    def _find_campaign(self, draft: _Draft, command: SubmitRegistration, caller: Caller) -> Campaign:
        if _CAMPAIGN_ID in draft.values:
            caller.require_campaign(command.campaign_id)
            return self._campaigns.get(command.campaign_id)
        instant = command.captured_at if _CAPTURED_AT in draft.values else self._clock()
        campaign = Campaign.model_construct(**_ANY_CAMPAIGN)
        day = campaign.local_day(instant)
        sponsor_id = command.coverage.sponsor_id
        sponsors = () if sponsor_id is None else (Sponsor(sponsor_id=sponsor_id, name="-"),)
        return campaign.model_copy(update={"first_day": day, "last_day": day, "sponsors": sponsors})


def _iter_warnings(draft: _Draft, worker: Worker) -> Iterable[BrokenRule]:
    for check in worker.checks:
        fields = _FIELDS_OF_CHECKS[check]
        if all(map(draft.has, fields)):
            yield BrokenRule(fields[0], check)


def _find_nearest_instant(campaign: Campaign, now: datetime) -> datetime:
    """Return the instant of the campaign's days that is nearest to now."""
    begin = datetime.combine(campaign.first_day, datetime.min.time(), tzinfo=UTC)
    if campaign.local_day(now) < campaign.first_day:
        return begin
    return now if campaign.has_day(campaign.local_day(now)) else campaign.summary_due_at(campaign.last_day)


def _find_path(field: str) -> Path:
    """Return the path of the field that a dotted path is of, or in."""
    steps = tuple(field.split("."))
    return steps[: 2 if steps[0] in GROUPS else 1]


def _is_known(path: Path) -> bool:
    if path[0] in GROUPS and len(path) > 1:
        return path[1] in GROUPS[path[0]].model_fields
    return path[0] in SubmitRegistration.model_fields
