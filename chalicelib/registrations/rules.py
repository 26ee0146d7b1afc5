"""The rules a capture must keep to become a registration. Each broken one is named; none hides another."""

from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.campaigns.model import CLOCK_SKEW, Campaign
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import nik, phone
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Worker, WorkerAsTyped


@dataclass
class _Findings:
    broken: list[BrokenRule] = field(default_factory=list)

    def refuse(self, path: str, code: str) -> None:
        self.broken.append(BrokenRule(field=path, code=code))


def read_worker(command: SubmitRegistration, campaign: Campaign, *, now: datetime) -> Worker:
    """The worker that a capture registers.

    Raises RulesBroken, naming every rule that the capture breaks.
    """
    findings = _Findings()
    day = campaign.local_day(command.captured_at)
    _check_times(command, campaign, day, now, findings)
    worker = _worker(command.worker, day, findings)
    if worker is None or findings.broken:
        raise RulesBroken(*findings.broken)
    return worker


def _check_times(
    command: SubmitRegistration, campaign: Campaign, day: date, now: datetime, findings: _Findings
) -> None:
    if command.captured_at > now + CLOCK_SKEW:
        findings.refuse("captured_at", "captured_in_future")
    elif not campaign.has_day(day):
        findings.refuse("captured_at", "captured_outside_campaign")
    if not campaign.accepts_at(now):
        findings.refuse("campaign_id", "campaign_closed")


def _worker(typed: WorkerAsTyped, day: date, findings: _Findings) -> Worker | None:
    number = reading = mobile = None
    try:
        number, reading = nik.parse(typed.nik, on=day)
    except nik.NIKMalformed as malformed:
        findings.refuse("worker.nik", malformed.code)
    try:
        mobile = phone.parse(typed.phone)
    except phone.PhoneUnusable as unusable:
        findings.refuse("worker.phone", unusable.code)
    if number is None or reading is None or mobile is None:
        return None
    return Worker(
        nik=number,
        name=typed.name,
        sex=reading.sex,
        birth_date=typed.birth_date,
        phone=mobile,
        email=typed.email,
        address=typed.address,
        postal_code=typed.postal_code,
        language=typed.language,
    )
