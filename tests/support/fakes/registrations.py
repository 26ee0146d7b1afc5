"""Fakes of the readers of registrations and of day facts."""

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import CaptureFacts, DayFact
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import Registration, RegistrationFacts
from chalicelib.registrations.references import Reference


class InMemoryRegistrations:
    """Satisfies `notifications.service.RegistrationReader`."""

    def __init__(self, *registrations: Registration) -> None:
        self._registrations = {each.reference: each for each in registrations}

    def get(self, reference: str) -> Registration:
        """Return a registration. Raise RegistrationUnknown."""
        if Reference(reference) not in self._registrations:
            raise RegistrationUnknown("no registration has this reference")
        return self._registrations[Reference(reference)]

    def is_latest(self, registration: Registration) -> bool:
        """Return True unless another one follows this one."""
        return all(each.follows != registration.reference for each in self._registrations.values())

    def put(self, registration: Registration) -> None:
        """Store a new or changed registration."""
        self._registrations[registration.reference] = registration

    def remove(self, reference: str) -> None:
        """Remove a registration, as the erasure of its worker does."""
        del self._registrations[Reference(reference)]


class InMemoryDayFacts:
    """Satisfies `rollups.service.FactSource`. Reading one of `unreadable_days` fails.

    `on_read` is called with 0 when a read begins, and with the number of each fact when it is read.
    """

    def __init__(self, *, on_read: Callable[[int], object] = lambda _: None) -> None:
        self.facts_by_day: dict[CampaignDay, list[DayFact]] = {}
        self.unreadable_days: set[CampaignDay] = set()
        self.on_read = on_read

    def add(self, campaign_day: CampaignDay, facts: CaptureFacts | RegistrationFacts, **fields: Any) -> None:
        """Add a fact to a day, after all others unless a position is given."""
        facts_of_day = self.facts_by_day.setdefault(campaign_day, [])
        position = fields.pop("position", f"{len(facts_of_day):09}")
        facts_of_day.append(DayFact(Position(position), facts, **fields))

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """Yield the facts of a day by position. Raise ConnectionError for an unreadable day."""
        if campaign_day in self.unreadable_days:
            raise ConnectionError
        ordered = sorted(self.facts_by_day.get(campaign_day, ()), key=lambda fact: fact.position)
        self.on_read(0)
        for number, fact in enumerate(
            (each for each in ordered if each.position > (start_after or "")), start=1
        ):
            self.on_read(number)
            yield fact

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """Return the facts of captures. Satisfies `exports.service.Captures`."""
        return (fact for fact in self.iter_day_facts(campaign_day) if isinstance(fact.facts, CaptureFacts))
