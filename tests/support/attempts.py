"""Intake with low caps, and a way to see what each attempt cost its client."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chalicelib.callers import Caller, DailyCap
from chalicelib.clients.caps import AttemptCounts
from chalicelib.clients.errors import ClientCapReached
from chalicelib.refusals import Refusal
from chalicelib.registrations.intake import IntakeService
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import make_allowance, make_caller, make_limits, make_submission
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.payloads import make_capture_id, make_nik

VAN, OTHER_VAN = make_caller(client_id="van-1"), make_caller(client_id="van-2")
TODAY = date(2024, 10, 9)
PHONE_AT_CAP = "0824-5550-7001"
MANY = DailyCap(flag=1_000, cap=1_000)
SPONSOR = {"sponsor_id": "yayasan-contoh", "name": "Yayasan Contoh", "quota": 1}
ONE_OR_TWO = DailyCap(flag=1, cap=2)


@dataclass
class Attempts:
    """Sends captures of a van. The caps are those of every client, of a phone number, and of a worker."""

    harness: RegistrationHarness
    client_cap: DailyCap = MANY
    phone_cap: DailyCap = ONE_OR_TWO
    worker_captures: int = 1_000

    def __post_init__(self) -> None:
        self._counts, clock = InMemoryDayCounts(), self.harness.clock
        allowance = make_allowance(self._counts, clock, kiosk=self.client_cap, bot=self.client_cap)
        self.limits = make_limits(
            self._counts,
            clock,
            client_allowance=allowance,
            phone_cap=self.phone_cap,
            worker_captures=self.worker_captures,
            on_unusual_client=self.harness.limits.on_unusual_client,
        )
        self.intake = self.make_intake(self.harness.stores.intake)

    def make_intake(self, store: Any) -> IntakeService:
        """Return the intake for a campaign with a sponsor of one place."""
        return self.harness.make_intake_service(store, limits=self.limits, sponsors=[SPONSOR])

    def send(self, number: int, *, nik: int | None = None, caller: Caller = VAN, **changes: Any) -> str:
        """Send a capture. Return the outcome, `replay`, or the code of the refusal."""
        worker = {
            "nik": make_nik(7000 + (number if nik is None else nik)),
            "phone": f"0824-5551-{1000 + number}",
            **changes.pop("worker", {}),
        }
        command = make_submission(capture_id=make_capture_id(number), worker=worker, **changes)
        try:
            result = self.intake.submit(command, caller=caller, correlation_id="c-1")
        except Refusal as refusal:
            return refusal.code
        return "replay" if result.is_replay else str(result.answer.outcome)

    def count(self, caller: Caller = VAN) -> AttemptCounts:
        """Return what a client was charged today. A minute passes: then a limiter shares its counts."""
        self.harness.clock.advance(timedelta(minutes=1))
        with suppress(ClientCapReached):
            self.limits.client_allowance.reserve(caller, TODAY)
            self.limits.client_allowance.release(caller, TODAY)
        return self._counts.counts[caller.client_id, TODAY]

    def fill_phone(self) -> None:
        """Register two workers with one phone number, from another van."""
        for number in (901, 902):
            self.send(number, caller=OTHER_VAN, worker={"phone": PHONE_AT_CAP})
