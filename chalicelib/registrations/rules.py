"""The rules for accepting a capture. All broken rules are reported at once."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from chalicelib.campaigns.model import CLOCK_SKEW, Campaign
from chalicelib.contributions.model import QuoteRequest, format_month
from chalicelib.contributions.service import check_choices
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.errors import InvalidValue
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.nik import NIKDetails
from chalicelib.registrations.reported_times import check_consent_time
from chalicelib.registrations.worker import Check, Worker, WorkerAsTyped
from chalicelib.typed import count_digits, find_text_problem, is_from_spreadsheet
from chalicelib.values import Value

POSTAL_CODE = re.compile(r"[1-9][0-9]{4}")
_POSTAL_CODE_LENGTH = 5
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# The fields of a worker that are not registered as they were typed.
_PARSED_FIELDS = {"nik", "name", "phone"}

# The paths in a capture of the fields of a quote.
_CAPTURE_PATHS = {"programmes": "coverage.programmes", "occupations": "work.occupations"}


class AgeLimits(Value):
    """The ages of workers on the local day of capture: `minimum_age` to below `below_age`."""

    minimum_age: int = 17
    below_age: int = 65


def read_worker(
    capture: CleanedCapture,
    campaign: Campaign,
    *,
    now: datetime,
    age_limits: AgeLimits,
    clock_lead: timedelta = timedelta(0),
) -> Worker:
    """Return the worker whom a capture registers. Raise RulesBroken with every broken rule."""
    worker, broken_rules = judge_capture(
        capture, campaign, now=now, age_limits=age_limits, clock_lead=clock_lead
    )
    if worker is None or broken_rules:
        raise RulesBroken(*broken_rules)
    return worker


def judge_capture(
    capture: CleanedCapture,
    campaign: Campaign,
    *,
    now: datetime,
    age_limits: AgeLimits,
    clock_lead: timedelta = timedelta(0),
) -> tuple[Worker | None, list[BrokenRule]]:
    """Return the worker of a capture, if NIK, phone and name can be read, and every broken rule.

    `clock_lead` is by how much the device's clock is fast: its times may be so much later than `now`.
    """
    command = capture.command
    day = campaign.local_day(command.captured_at)
    broken_rules = [
        *_check_choices(command, day),
        *_check_sponsor(command, campaign),
        *_check_times(command, campaign, day, now, clock_lead),
        *check_consent_time(command.consent, now=now + clock_lead),
        *_check_age(command.worker.birth_date, day, age_limits),
        *_check_postal_code(command.worker.postal_code),
        *_check_texts(command),
    ]
    return _build_worker(capture, broken_rules), broken_rules


def build_quote_request(command: SubmitRegistration, capture_day: date) -> QuoteRequest:
    """Return the request for a quote of a capture's coverage, from the month of its local day."""
    return QuoteRequest(
        monthly_income=command.work.monthly_income,
        occupations=command.work.occupations,
        employs_others=command.work.employs_others,
        programmes=command.coverage.programmes,
        months=command.coverage.months,
        payer=command.coverage.payer,
        start_month=format_month(capture_day),
    )


def compute_age(day: date, birth_date: date) -> int:
    """Return the age in years; a person born on 29 February is a year older on 1 March."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (0 if had_birthday else 1)


def compute_age_band(day: date, birth_date: date) -> str:
    """Return the band of ten years that the age is in, such as `30-39`."""
    decade = compute_age(day, birth_date) // 10 * 10
    return f"{decade}-{decade + 9}"


def _check_choices(command: SubmitRegistration, capture_day: date) -> Iterator[BrokenRule]:
    for broken in check_choices(build_quote_request(command, capture_day)):
        name, dot, position = broken.field.partition(".")
        yield BrokenRule(f"{_CAPTURE_PATHS[name]}{dot}{position}", broken.code)


def _check_sponsor(command: SubmitRegistration, campaign: Campaign) -> Iterator[BrokenRule]:
    sponsor_id = command.coverage.sponsor_id
    if sponsor_id is None:
        return
    if command.coverage.payer != "sponsor":
        yield BrokenRule("coverage.sponsor_id", "sponsor_not_payer")
    elif not campaign.has_sponsor(sponsor_id):
        yield BrokenRule("coverage.sponsor_id", "sponsor_unknown")


def _check_times(
    command: SubmitRegistration, campaign: Campaign, day: date, now: datetime, clock_lead: timedelta
) -> Iterator[BrokenRule]:
    if command.captured_at > now + clock_lead + CLOCK_SKEW:
        yield BrokenRule("captured_at", "captured_in_future")
    if not campaign.has_day(day):
        yield BrokenRule("captured_at", "captured_outside_campaign")
    if not campaign.is_accepting(now):
        yield BrokenRule("campaign_id", "campaign_closed")


def _check_age(birth_date: date, day: date, age_limits: AgeLimits) -> Iterator[BrokenRule]:
    age = compute_age(day, birth_date)
    if age < age_limits.minimum_age:
        yield BrokenRule("worker.birth_date", "age_too_young")
    elif age >= age_limits.below_age:
        yield BrokenRule("worker.birth_date", "age_too_old")


def _check_postal_code(postal_code: str | None) -> Iterator[BrokenRule]:
    if postal_code is None:
        return
    if is_from_spreadsheet(postal_code):
        yield BrokenRule("worker.postal_code", "number_from_spreadsheet")
    elif not POSTAL_CODE.fullmatch(postal_code):
        digits = count_digits(postal_code)
        yield BrokenRule(
            "worker.postal_code",
            "postal_code_malformed",
            digits=None if digits == _POSTAL_CODE_LENGTH else digits,
        )


def _check_texts(command: SubmitRegistration) -> Iterator[BrokenRule]:
    texts = {
        "worker.email": command.worker.email,
        "worker.address": command.worker.address,
        "work.place": command.work.place,
        "consent.text_version": command.consent.text_version,
    }
    for path, text in texts.items():
        code = None if text is None else find_text_problem(text)
        if code is not None:
            yield BrokenRule(path, code)
        elif text is not None and path == "worker.email" and not _EMAIL.fullmatch(text):
            yield BrokenRule(path, "value_malformed")


def _build_worker(capture: CleanedCapture, broken_rules: list[BrokenRule]) -> Worker | None:
    """Return the worker, or None after adding the broken rules to `broken_rules`."""
    for field, value in (("nik", capture.nik), ("phone", capture.phone), ("name", capture.name)):
        if isinstance(value, InvalidValue):
            broken_rules.append(BrokenRule(f"worker.{field}", value.code, digits=value.digits))
    if (
        isinstance(capture.nik, InvalidValue)
        or isinstance(capture.phone, InvalidValue)
        or isinstance(capture.name, InvalidValue)
    ):
        return None
    number, details = capture.nik
    typed_worker = capture.command.worker
    return Worker(
        nik=number,
        name=capture.name,
        sex=details.sex,
        phone=capture.phone,
        checks=tuple(_iter_checks(typed_worker, details)),
        **typed_worker.model_dump(exclude=_PARSED_FIELDS),
    )


def _iter_checks(typed_worker: WorkerAsTyped, nik_details: NIKDetails) -> Iterator[Check]:
    if typed_worker.birth_date != nik_details.birth_date:
        yield Check.BIRTH_DATE_DIFFERS
    if not nik_details.has_valid_place_code:
        yield Check.NIK_PLACE_UNKNOWN
