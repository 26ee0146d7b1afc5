"""The rates of a campaign day: what each device and each officer registered, and what became of it. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.registrations.model import RegistrationFacts

_NEW = frozenset({Outcome.CREATED, Outcome.REACTIVATED})


@dataclass(frozen=True)
class Rate:
    """Registrations of the day: those not cancelled, those with a payment, and those cancelled."""

    registered: int = 0
    paid: int = 0
    cancelled: int = 0


@dataclass
class DayRates:
    """The rates of a day by client and by officer, counted one fact at a time.

    A registration that an earlier release stored names neither until its next change, and a payment is one.
    """

    by_client: defaultdict[str, Rate] = field(default_factory=lambda: defaultdict(Rate))
    by_officer: defaultdict[str, Rate] = field(default_factory=lambda: defaultdict(Rate))

    def add(self, fact: DayFact) -> None:
        match fact.facts:
            case CaptureFacts(outcome=outcome, is_cancelled=is_cancelled) as capture if outcome in _NEW:
                changes = {"cancelled": 1} if is_cancelled else {"registered": 1}
                self._count(capture.client_id, capture.officer, changes)
            case RegistrationFacts(paid=paid) as registration if paid:
                self._count(registration.client_id, registration.officer, {"paid": 1})
            case _:
                pass

    def _count(self, client_id: str | None, officer: str | None, changes: Mapping[str, int]) -> None:
        for rates, key in ((self.by_client, client_id), (self.by_officer, officer)):
            if key is not None:
                rate = rates[key]
                added = {name: getattr(rate, name) + number for name, number in changes.items()}
                rates[key] = replace(rate, **added)
