"""Counting a day, one fact at a time: memory does not grow with their number, and a count can be laid aside.

Whoever goes on with it comes to the same figures as somebody who never stopped.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.registrations.model import Flag, RegistrationFacts
from chalicelib.rollups.model import Anomaly, Arrivals, Counts, Funnel, Money, SmsCounts, Tally

# Of figures that have one value each. No id or code that is counted has this character.
_KEY_SEPARATOR = "|"

# Where a capture names no officer. No officer's id begins like this.
_NO_OFFICER = "-"


@dataclass(frozen=True)
class AnomalyThresholds:
    """From where on something is worth a look; `settings` says where the figures come from.

    A client stands out that registered so many times what its peers in the middle did, and so many at least,
    where there are so many peers. A run is so many neighbouring NIKs one after the other, each so soon after
    the one before.
    """

    peer_ratio: int = 3
    min_workers: int = 50
    min_peers: int = 2
    run_length: int = 5
    max_run_gap: timedelta = timedelta(minutes=15)


@dataclass
class _Run:
    """The captures of one client that end a run, and may go on with it."""

    last_captured_at: str
    neighbours: tuple[str, ...]
    length: int


class DayCounter:
    """A count under way."""

    def __init__(self, thresholds: AnomalyThresholds) -> None:
        self._thresholds = thresholds
        self._figures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._runs: dict[str, _Run] = {}

    @classmethod
    def resume(cls, state: str, thresholds: AnomalyThresholds) -> Self:
        """The count that was laid aside."""
        kept = json.loads(state)
        count = cls(thresholds)
        count._figures.update({group: Counter(figures) for group, figures in kept["figures"].items()})
        count._runs = {
            client_id: _Run(last_at, tuple(neighbours), length)
            for client_id, (last_at, neighbours, length) in kept["runs"].items()
        }
        return count

    def dump_state(self) -> str:
        """All that it takes to go on."""
        runs = {client_id: list(vars(run).values()) for client_id, run in self._runs.items()}
        return json.dumps({"figures": self._figures, "runs": runs})

    def add(self, fact: DayFact) -> None:
        """Count one fact more."""
        match fact.facts:
            case RegistrationFacts() as registration:
                self._get_counter("funnel")[registration.status] += 1
                self._get_counter("money")["quoted"] += registration.quoted
                self._get_counter("money")["paid"] += registration.paid
            case CaptureFacts() as capture:
                self._get_counter("outcomes")[capture.outcome] += 1
                if capture.outcome is Outcome.CREATED:
                    self._add_created(capture, fact.captured_at)
                self._get_counter("refused_by_reason").update(capture.reasons)

    def to_tally(self, sms_totals: SmsCounts | None = None) -> Tally:
        """The figures. The same facts give the same bytes."""
        outcomes = self._get_counter("outcomes")
        breakdowns = {
            name: dict(sorted(self._get_counter(name).items()))
            for name in Tally.model_fields
            if name.startswith("by_") or name == "refused_by_reason"
        }
        return Tally(
            counts=Counts(
                captures=outcomes.total() - outcomes["refused"],
                **{name: outcomes[name] for name in Counts.model_fields if name != "captures"},
            ),
            **breakdowns,
            funnel=Funnel(**self._get_counter("funnel")),
            money=Money(**self._get_counter("money")),
            oddities=list(self._iter_anomalies()),
            arrivals=list(self._iter_arrivals()),
            texts=sms_totals,
        )

    def _get_counter(self, group: str) -> Counter[str]:
        return self._figures[group]

    def _add_created(self, capture: CaptureFacts, captured_at: datetime | None) -> None:
        client_id, received_on = capture.client_id, capture.received_on
        for name, value in (
            ("by_channel", capture.channel),
            ("by_client", client_id),
            ("by_officer", capture.officer or _NO_OFFICER),
            ("by_sex", capture.sex),
            ("by_age", capture.age),
            ("by_hour", capture.hour),
            ("by_received_day", received_on and received_on.isoformat()),
            ("arrivals", received_on and f"{client_id}{_KEY_SEPARATOR}{received_on.isoformat()}"),
            ("peers", f"{capture.channel}{_KEY_SEPARATOR}{client_id}"),
        ):
            if value:
                self._get_counter(name)[value] += 1
        self._get_counter("by_occupation").update(capture.occupations)
        self._get_counter("by_programme").update(capture.programmes)
        if not {Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP}.isdisjoint(capture.flags):
            self._get_counter("shared_phones")[client_id] += 1
        if captured_at is not None and capture.neighbours:
            self._track_run(client_id, captured_at, capture.neighbours)

    def _track_run(self, client_id: str, captured_at: datetime, neighbours: tuple[str, ...]) -> None:
        """Look whether a capture goes on with the run of its client, or ends it."""
        run, length = self._runs.get(client_id), 1
        if (
            run is not None
            and captured_at - datetime.fromisoformat(run.last_captured_at) <= self._thresholds.max_run_gap
            and not set(run.neighbours).isdisjoint(neighbours)
        ):
            length = run.length + 1
        self._runs[client_id] = _Run(captured_at.isoformat(), neighbours, length)
        if length == self._thresholds.run_length:
            self._get_counter("in_runs")[client_id] += length
        elif length > self._thresholds.run_length:
            self._get_counter("in_runs")[client_id] += 1

    def _iter_arrivals(self) -> Iterator[Arrivals]:
        for key, created in sorted(self._get_counter("arrivals").items()):
            client_id, _, received_on = key.partition(_KEY_SEPARATOR)
            yield Arrivals(client_id=client_id, received_on=date.fromisoformat(received_on), created=created)

    def _iter_anomalies(self) -> Iterator[Anomaly]:
        for client_id, workers in sorted(self._get_counter("shared_phones").items()):
            yield Anomaly(pattern="one_phone_many_workers", client_id=client_id, workers=workers)
        yield from self._iter_above_peers()
        for client_id, workers in sorted(self._get_counter("in_runs").items()):
            yield Anomaly(pattern="neighbouring_serials", client_id=client_id, workers=workers)

    def _iter_above_peers(self) -> Iterator[Anomaly]:
        """The clients far above the middle of those that meet workers in the same way.

        The middle does not move for one or two that are out of all measure, as a mean would.
        """
        of_channel: dict[str, dict[str, int]] = {}
        for key, workers in sorted(self._get_counter("peers").items()):
            channel, _, client_id = key.partition(_KEY_SEPARATOR)
            of_channel.setdefault(channel, {})[client_id] = workers
        for clients in of_channel.values():
            in_order = sorted(clients.values())
            for client_id, workers in clients.items():
                usual = self._get_peer_median(workers, in_order)
                if usual is not None and workers >= self._thresholds.peer_ratio * usual:
                    yield Anomaly(
                        pattern="client_above_peers", client_id=client_id, workers=workers, usual=usual
                    )

    def _get_peer_median(self, workers: int, sorted_counts: list[int]) -> int | None:
        """What the others come to in the middle; None where there is too little to go by."""
        peers = len(sorted_counts) - 1
        if workers < self._thresholds.min_workers or peers < self._thresholds.min_peers:
            return None
        middle = (peers - 1) // 2
        return sorted_counts[middle if sorted_counts[middle] < workers else middle + 1]


def count_facts(
    facts: Iterable[DayFact], thresholds: AnomalyThresholds, sms_totals: SmsCounts | None = None
) -> Tally:
    """Count all facts of a day."""
    count = DayCounter(thresholds)
    for fact in facts:
        count.add(fact)
    return count.to_tally(sms_totals)
