"""Counting a day, one fact at a time: memory does not grow with their number, and a count can be laid aside.

Whoever goes on with it comes to the same figures as somebody who never stopped.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from chalicelib.registrations.model import CaptureFacts, DayFact, Flag, Outcome, RegistrationFacts
from chalicelib.rollups.model import Arrivals, Counts, Funnel, Money, Oddity, Tally, Texts

# Of figures that have one value each. No id or code that is counted has this character.
_AND = "|"

# Where a capture names no officer. No officer's id begins like this.
_NOBODY = "-"


@dataclass(frozen=True)
class Unusual:
    """From where on something is worth a look; `settings` says where the figures come from.

    A client stands out that registered so many times what its peers in the middle did, and so many at least,
    where there are so many peers. A run is so many neighbouring NIKs one after the other, each so soon after
    the one before.
    """

    times_peers: int = 3
    workers_at_least: int = 50
    peers_at_least: int = 2
    run_of: int = 5
    run_pause: timedelta = timedelta(minutes=15)


@dataclass
class _Run:
    """The captures of one client that end a run, and may go on with it."""

    last_at: str
    neighbours: tuple[str, ...]
    length: int


class Count:
    """A count under way."""

    def __init__(self, unusual: Unusual) -> None:
        self._unusual = unusual
        self._figures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._runs: dict[str, _Run] = {}

    @classmethod
    def taken_up(cls, laid_aside: str, unusual: Unusual) -> Self:
        """The count that was laid aside."""
        kept = json.loads(laid_aside)
        count = cls(unusual)
        count._figures.update({group: Counter(figures) for group, figures in kept["figures"].items()})
        count._runs = {
            client_id: _Run(last_at, tuple(neighbours), length)
            for client_id, (last_at, neighbours, length) in kept["runs"].items()
        }
        return count

    def laid_aside(self) -> str:
        """All that it takes to go on."""
        runs = {client_id: list(vars(run).values()) for client_id, run in self._runs.items()}
        return json.dumps({"figures": self._figures, "runs": runs})

    def add(self, fact: DayFact) -> None:
        """Count one fact more."""
        match fact.facts:
            case RegistrationFacts() as registration:
                self._of("funnel")[registration.status] += 1
                self._of("money")["quoted"] += registration.quoted
                self._of("money")["paid"] += registration.paid
            case CaptureFacts() as capture:
                self._of("outcomes")[capture.outcome] += 1
                if capture.outcome is Outcome.CREATED:
                    self._add_created(capture, fact.captured_at)
                self._of("refused_by_reason").update(capture.reasons)

    def tally(self, texts: Texts | None = None) -> Tally:
        """The figures. The same facts give the same bytes."""
        outcomes = self._of("outcomes")
        breakdowns = {
            name: dict(sorted(self._of(name).items()))
            for name in Tally.model_fields
            if name.startswith("by_") or name == "refused_by_reason"
        }
        return Tally(
            counts=Counts(
                captures=outcomes.total() - outcomes["refused"],
                **{name: outcomes[name] for name in Counts.model_fields if name != "captures"},
            ),
            **breakdowns,
            funnel=Funnel(**self._of("funnel")),
            money=Money(**self._of("money")),
            oddities=list(self._oddities()),
            arrivals=list(self._arrivals()),
            texts=texts,
        )

    def _of(self, group: str) -> Counter[str]:
        return self._figures[group]

    def _add_created(self, capture: CaptureFacts, captured_at: datetime | None) -> None:
        client_id, received_on = capture.client_id, capture.received_on
        for name, value in (
            ("by_channel", capture.channel),
            ("by_client", client_id),
            ("by_officer", capture.officer or _NOBODY),
            ("by_sex", capture.sex),
            ("by_age", capture.age),
            ("by_hour", capture.hour),
            ("by_received_day", received_on and received_on.isoformat()),
            ("arrivals", received_on and f"{client_id}{_AND}{received_on.isoformat()}"),
            ("peers", f"{capture.channel}{_AND}{client_id}"),
        ):
            if value:
                self._of(name)[value] += 1
        self._of("by_occupation").update(capture.occupations)
        self._of("by_programme").update(capture.programmes)
        if not {Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP}.isdisjoint(capture.flags):
            self._of("shared_phones")[client_id] += 1
        if captured_at is not None and capture.neighbours:
            self._follow(client_id, captured_at, capture.neighbours)

    def _follow(self, client_id: str, at: datetime, neighbours: tuple[str, ...]) -> None:
        """Look whether a capture goes on with the run of its client, or ends it."""
        run, length = self._runs.get(client_id), 1
        if (
            run is not None
            and at - datetime.fromisoformat(run.last_at) <= self._unusual.run_pause
            and not set(run.neighbours).isdisjoint(neighbours)
        ):
            length = run.length + 1
        self._runs[client_id] = _Run(at.isoformat(), neighbours, length)
        if length == self._unusual.run_of:
            self._of("in_runs")[client_id] += length
        elif length > self._unusual.run_of:
            self._of("in_runs")[client_id] += 1

    def _arrivals(self) -> Iterator[Arrivals]:
        for key, created in sorted(self._of("arrivals").items()):
            client_id, _, received_on = key.partition(_AND)
            yield Arrivals(client_id=client_id, received_on=date.fromisoformat(received_on), created=created)

    def _oddities(self) -> Iterator[Oddity]:
        for client_id, workers in sorted(self._of("shared_phones").items()):
            yield Oddity(pattern="one_phone_many_workers", client_id=client_id, workers=workers)
        yield from self._above_peers()
        for client_id, workers in sorted(self._of("in_runs").items()):
            yield Oddity(pattern="neighbouring_serials", client_id=client_id, workers=workers)

    def _above_peers(self) -> Iterator[Oddity]:
        """The clients far above the middle of those that meet workers in the same way.

        The middle does not move for one or two that are out of all measure, as a mean would.
        """
        of_channel: dict[str, dict[str, int]] = {}
        for key, workers in sorted(self._of("peers").items()):
            channel, _, client_id = key.partition(_AND)
            of_channel.setdefault(channel, {})[client_id] = workers
        for clients in of_channel.values():
            in_order = sorted(clients.values())
            for client_id, workers in clients.items():
                usual = self._usual(workers, in_order)
                if usual is not None and workers >= self._unusual.times_peers * usual:
                    yield Oddity(
                        pattern="client_above_peers", client_id=client_id, workers=workers, usual=usual
                    )

    def _usual(self, workers: int, in_order: list[int]) -> int | None:
        """What the others come to in the middle; None where there is too little to go by."""
        peers = len(in_order) - 1
        if workers < self._unusual.workers_at_least or peers < self._unusual.peers_at_least:
            return None
        middle = (peers - 1) // 2
        return in_order[middle if in_order[middle] < workers else middle + 1]


def tally(facts: Iterable[DayFact], unusual: Unusual, texts: Texts | None = None) -> Tally:
    """Count all facts of a day."""
    count = Count(unusual)
    for fact in facts:
        count.add(fact)
    return count.tally(texts)
