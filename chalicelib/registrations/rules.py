"""The rules a capture must keep to become a registration. Each broken one is named; none hides another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.campaigns.model import CLOCK_SKEW, Campaign
from chalicelib.contributions.messages import AskForQuote
from chalicelib.contributions.service import broken_choices, contribution_month
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import names, nik, phone
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Check, Worker, WorkerAsTyped

_POSTAL_CODE = re.compile(r"[1-9][0-9]{4}")

# Where a broken choice of cover stands in a capture; a quote has it at the top.
_CHOSEN_IN = {"programmes": "coverage.programmes", "occupations": "work.occupations"}


@dataclass(frozen=True)
class AgeLimits:
    """Who may register: at least so old, and younger than so old, on the local day of capture."""

    minimum: int = 17
    below: int = 65


@dataclass
class _Findings:
    broken: list[BrokenRule] = field(default_factory=list)

    def refuse(self, path: str, code: str) -> None:
        self.broken.append(BrokenRule(field=path, code=code))


def read_worker(command: SubmitRegistration, campaign: Campaign, *, now: datetime, ages: AgeLimits) -> Worker:
    """The worker that a capture registers.

    Raises RulesBroken, naming every rule that the capture breaks.
    """
    findings = _Findings(broken=list(_broken_choices(command)))
    day = campaign.local_day(command.captured_at)
    _check_times(command, campaign, day, now, findings)
    _check_age(command.worker.birth_date, day, ages, findings)
    if not _POSTAL_CODE.fullmatch(command.worker.postal_code):
        findings.refuse("worker.postal_code", "postal_code_malformed")
    worker = _worker(command.worker, day, findings)
    if worker is None or findings.broken:
        raise RulesBroken(*findings.broken)
    return worker


def quote_asked(command: SubmitRegistration) -> AskForQuote:
    """What a capture asks the price of: the cover it names, from the month it was taken in."""
    return AskForQuote(
        monthly_income=command.work.monthly_income,
        occupations=command.work.occupations,
        employs_others=command.work.employs_others,
        programmes=command.coverage.programmes,
        months=command.coverage.months,
        payer=command.coverage.payer,
        start_month=contribution_month(command.captured_at),
    )


def age_on(day: date, birth_date: date) -> int:
    """Whole years of age; someone born on 29 February is a year older on 1 March."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (0 if had_birthday else 1)


def age_band(day: date, birth_date: date) -> str:
    """The ten years of age that somebody is in, as in `30-39`."""
    decade = age_on(day, birth_date) // 10 * 10
    return f"{decade}-{decade + 9}"


def _broken_choices(command: SubmitRegistration) -> Iterator[BrokenRule]:
    for broken in broken_choices(quote_asked(command)):
        name, dot, position = broken.field.partition(".")
        yield BrokenRule(f"{_CHOSEN_IN[name]}{dot}{position}", broken.code)


def _check_times(
    command: SubmitRegistration, campaign: Campaign, day: date, now: datetime, findings: _Findings
) -> None:
    if command.captured_at > now + CLOCK_SKEW:
        findings.refuse("captured_at", "captured_in_future")
    if not campaign.has_day(day):
        findings.refuse("captured_at", "captured_outside_campaign")
    if not campaign.accepts_at(now):
        findings.refuse("campaign_id", "campaign_closed")


def _check_age(birth_date: date, day: date, ages: AgeLimits, findings: _Findings) -> None:
    age = age_on(day, birth_date)
    if age < ages.minimum:
        findings.refuse("worker.birth_date", "age_too_young")
    elif age >= ages.below:
        findings.refuse("worker.birth_date", "age_too_old")


def _worker(typed: WorkerAsTyped, day: date, findings: _Findings) -> Worker | None:
    number = reading = mobile = name = None
    try:
        number, reading = nik.parse(typed.nik, on=day)
    except nik.NIKMalformed as malformed:
        findings.refuse("worker.nik", malformed.code)
    try:
        mobile = phone.parse(typed.phone)
    except phone.PhoneUnusable as unusable:
        findings.refuse("worker.phone", unusable.code)
    try:
        name = names.parse(typed.name)
    except names.NameUnusable as unusable_name:
        findings.refuse("worker.name", unusable_name.code)
    if number is None or reading is None or mobile is None or name is None:
        return None
    return Worker(
        nik=number,
        name=name,
        sex=reading.sex,
        birth_date=typed.birth_date,
        phone=mobile,
        email=typed.email,
        address=typed.address,
        postal_code=typed.postal_code,
        language=typed.language,
        checks=tuple(_checks(typed, reading)),
    )


def _checks(typed: WorkerAsTyped, reading: nik.Reading) -> Iterator[Check]:
    if typed.birth_date != reading.birth_date:
        yield Check.BIRTH_DATE_DIFFERS
    if not reading.place_is_numbered:
        yield Check.NIK_PLACE_UNKNOWN
