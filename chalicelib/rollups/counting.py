"""Counting a day, one fact at a time, in memory that does not grow with the number of facts.

The state of a count can be stored and resumed; the figures are those of an uninterrupted count.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from chalicelib.registrations.captures import (
    CaptureFacts,
    DayFact,
    Outcome,
    UnreadableFacts,
    UnusualClientFacts,
)
from chalicelib.registrations.model import Flag, RegistrationFacts, Status
from chalicelib.rollups.bounded_counter import MAX_KEYS, OTHERS, BoundedCounter
from chalicelib.rollups.model import Anomaly, Arrivals, Corrections, Counts, Funnel, Money, SmsCounts, Tally

# Between the parts of a key of a counter. No counted id or code has this character.
_KEY_SEPARATOR = "|"

# The key for captures without an officer. No officer's id begins with it.
_NO_OFFICER = "-"


@dataclass(frozen=True)
class AnomalyThresholds:
    """Limits from which on a pattern is an anomaly. `settings` gives the source of the defaults.

    A client is above its peers if it registered at least `min_workers`, and `peer_ratio` times the median of
    at least `min_peers` other clients. A run is `run_length` consecutive captures of one client with
    neighbouring NIKs, each at most `max_run_gap` after the one before.
    """

    peer_ratio: int = 3
    min_workers: int = 50
    min_peers: int = 2
    run_length: int = 5
    max_run_gap: timedelta = timedelta(minutes=15)


@dataclass
class _Run:
    """The current run of one client and its last capture. The order of fields is a stored format."""

    last_captured_at: str
    neighbours: tuple[str, ...]
    length: int


class DayCounter:
    """The figures of a day while it is counted."""

    def __init__(self, thresholds: AnomalyThresholds) -> None:
        self._thresholds = thresholds
        self._figures: defaultdict[str, BoundedCounter] = defaultdict(BoundedCounter)
        self._runs: dict[str, _Run] = {}

    @classmethod
    def resume(cls, state: str, thresholds: AnomalyThresholds) -> Self:
        """Return the counter with a state that `dump_state` returned."""
        stored = json.loads(state)
        counter = cls(thresholds)
        counter._figures.update(
            {group: BoundedCounter(figures) for group, figures in stored["figures"].items()}
        )
        counter._runs = {
            client_id: _Run(last_at, tuple(neighbours), length)
            for client_id, (last_at, neighbours, length) in stored["runs"].items()
        }
        return counter

    def dump_state(self) -> str:
        runs = {client_id: list(vars(run).values()) for client_id, run in self._runs.items()}
        return json.dumps({"figures": self._figures, "runs": runs})

    def add(self, fact: DayFact) -> None:
        match fact.facts:
            case RegistrationFacts() as registration:
                self._get_counter("funnel")[registration.status] += 1
                if registration.status is not Status.CANCELLED:
                    self._get_counter("money")["quoted"] += registration.quoted
                self._get_counter("money")["paid"] += registration.paid
                self._get_counter("flagged").update(registration.flags)
                if registration.corrections:
                    self._get_counter("corrections")["total"] += registration.corrections
            case UnreadableFacts():
                self._get_counter("unreadable")["records"] += 1
            case CaptureFacts() as capture:
                self._add_capture(capture, fact.captured_at)
            case UnusualClientFacts() as unusual:
                self._get_counter("unusual_clients")[unusual.client_id] += unusual.attempts

    def to_tally(self, sms_totals: SmsCounts | None = None) -> Tally:
        """Return the figures. The same facts give the same JSON bytes."""
        outcomes, funnel = self._get_counter("outcomes"), self._get_counter("funnel")
        created, reactivated = outcomes[Outcome.CREATED], outcomes[Outcome.REACTIVATED]
        # A registration that an earlier release cancelled is known from the funnel alone.
        registered = min(
            self._get_counter("registered").total(), created + reactivated - funnel[Status.CANCELLED]
        )
        breakdowns = {
            name: dict(sorted(self._get_counter(name).items()))
            for name in Tally.model_fields
            if name.startswith("by_") or name == "refused_by_reason"
        }
        return Tally(
            counts=Counts(
                captures=outcomes.total() - outcomes[Outcome.REFUSED],
                created=created,
                already_registered=outcomes[Outcome.ALREADY_REGISTERED],
                reactivated=reactivated,
                refused=outcomes[Outcome.REFUSED],
                registered=registered,
            ),
            **breakdowns,
            funnel=Funnel(**funnel),
            money=Money(**self._get_counter("money")),
            corrections=Corrections(**self._get_counter("corrections")),
            oddities=list(self._iter_anomalies()),
            arrivals=list(self._iter_arrivals()),
            texts=sms_totals and sms_totals.model_copy(update=self._get_counter("sms")),
        )

    def _get_counter(self, group: str) -> BoundedCounter:
        return self._figures[group]

    def _add_capture(self, capture: CaptureFacts, captured_at: datetime | None) -> None:
        self._get_counter("outcomes")[capture.outcome] += 1
        if capture.outcome in {Outcome.CREATED, Outcome.REACTIVATED} and not capture.is_cancelled:
            self._add_registered(capture)
        if capture.outcome is Outcome.CREATED:
            self._add_created(capture, captured_at)
        if capture.differs:
            self._get_counter("differing_repeats")[capture.client_id] += 1
        self._get_counter("refused_by_reason").update(capture.reasons)

    def _add_registered(self, capture: CaptureFacts) -> None:
        """Count a registration that was not cancelled."""
        if capture.is_without_phone:
            self._get_counter("sms")["without_phone"] += 1
        if capture.sponsor and Flag.SPONSOR_OVER_QUOTA in capture.flags:
            self._get_counter("over_quota")[capture.sponsor] += 1
        client_id, received_on = capture.client_id, capture.received_on
        for name, value in (
            ("by_channel", capture.channel),
            ("by_client", client_id),
            ("by_officer", capture.officer or _NO_OFFICER),
            ("by_sponsor", capture.sponsor),
            ("by_sex", capture.sex),
            ("by_age", capture.age),
            ("by_hour", capture.hour),
            ("by_received_day", received_on and received_on.isoformat()),
            ("arrivals", received_on and _make_arrival_key(client_id, received_on)),
            ("registered", capture.outcome),
        ):
            if value:
                self._get_counter(name)[value] += 1
        self._get_counter("by_occupation").update(capture.occupations)
        self._get_counter("by_programme").update(capture.programmes)

    def _add_created(self, capture: CaptureFacts, captured_at: datetime | None) -> None:
        """Count a new registration, which is an anomaly or not whatever became of it."""
        client_id = capture.client_id
        if capture.received_on:
            self._get_counter("created_arrivals")[_make_arrival_key(client_id, capture.received_on)] += 1
        self._get_counter("peers")[f"{capture.channel}{_KEY_SEPARATOR}{client_id}"] += 1
        if not {Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP}.isdisjoint(capture.flags):
            self._get_counter("shared_phones")[client_id] += 1
        if captured_at is not None and capture.neighbours:
            self._track_run(client_id, captured_at, capture.neighbours)

    def _track_run(self, client_id: str, captured_at: datetime, neighbours: tuple[str, ...]) -> None:
        """Extend the run of a client by a capture, or start a new one, for the first clients of the day."""
        run, length = self._runs.get(client_id), 1
        if run is None and len(self._runs) >= MAX_KEYS:
            return
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
        created, registered = self._get_counter("created_arrivals"), self._get_counter("arrivals")
        for key in sorted(created.keys() | registered.keys()):
            client_id, _, received_on = key.partition(_KEY_SEPARATOR)
            if key == OTHERS:
                continue
            yield Arrivals(
                client_id=client_id,
                received_on=date.fromisoformat(received_on),
                created=created[key],
                registered=registered[key],
            )

    def _iter_anomalies(self) -> Iterator[Anomaly]:
        for client_id, workers in self._list_by_client("shared_phones"):
            yield Anomaly(pattern="one_phone_many_workers", client_id=client_id, workers=workers)
        for client_id, workers in self._list_by_client("differing_repeats"):
            yield Anomaly(pattern="repeats_differ", client_id=client_id, workers=workers)
        yield from self._iter_above_peers()
        for client_id, workers in self._list_by_client("in_runs"):
            yield Anomaly(pattern="neighbouring_serials", client_id=client_id, workers=workers)
        for client_id, attempts in self._list_by_client("unusual_clients"):
            yield Anomaly(pattern="client_unusual", client_id=client_id, workers=attempts)
        for sponsor_id, workers in sorted(self._get_counter("over_quota").items()):
            yield Anomaly(pattern="sponsor_over_quota", sponsor_id=sponsor_id, workers=workers)
        yield from self._iter_of_registrations()

    def _iter_of_registrations(self) -> Iterator[Anomaly]:
        flagged, refused = self._get_counter("flagged"), self._get_counter("refused_by_reason")
        if flagged[Flag.PAYMENT_DIFFERS]:
            yield Anomaly(pattern="payment_differs", workers=flagged[Flag.PAYMENT_DIFFERS])
        if flagged[Flag.PAYMENT_SHARED]:
            yield Anomaly(pattern="payment_shared", workers=flagged[Flag.PAYMENT_SHARED])
        if flagged[Flag.HISTORY_FULL]:
            yield Anomaly(pattern="history_full", workers=flagged[Flag.HISTORY_FULL])
        if flagged[Flag.TAKEN_OVER]:
            yield Anomaly(pattern="taken_over", workers=flagged[Flag.TAKEN_OVER])
        if flagged[Flag.TOOK_OVER]:
            yield Anomaly(pattern="took_over", workers=flagged[Flag.TOOK_OVER])
        if refused["worker_captures_reached"]:
            yield Anomaly(pattern="worker_captures_reached", workers=refused["worker_captures_reached"])
        if unreadable := self._get_counter("unreadable")["records"]:
            yield Anomaly(pattern="records_unreadable", workers=unreadable)

    def _list_by_client(self, group: str) -> list[tuple[str | None, int]]:
        """Return the counts of a group by client, those of clients without a key of their own under None."""
        return [
            (None if client_id == OTHERS else client_id, count)
            for client_id, count in sorted(self._get_counter(group).items())
        ]

    def _iter_above_peers(self) -> Iterator[Anomaly]:
        """Yield the clients far above the median of the clients of their channel.

        One or two extreme clients do not move a median as they would a mean.
        """
        by_channel: dict[str, dict[str, int]] = {}
        for key, workers in sorted(self._get_counter("peers").items()):
            channel, _, client_id = key.partition(_KEY_SEPARATOR)
            if key == OTHERS:
                continue
            by_channel.setdefault(channel, {})[client_id] = workers
        for clients in by_channel.values():
            sorted_counts = sorted(clients.values())
            for client_id, workers in clients.items():
                usual = self._get_peer_median(workers, sorted_counts)
                if usual is not None and workers >= self._thresholds.peer_ratio * usual:
                    yield Anomaly(
                        pattern="client_above_peers", client_id=client_id, workers=workers, usual=usual
                    )

    def _get_peer_median(self, workers: int, sorted_counts: list[int]) -> int | None:
        """Return the lower median of the other clients, or None below `min_workers` or `min_peers`."""
        peers = len(sorted_counts) - 1
        if workers < self._thresholds.min_workers or peers < self._thresholds.min_peers:
            return None
        middle = (peers - 1) // 2
        return sorted_counts[middle if sorted_counts[middle] < workers else middle + 1]


def _make_arrival_key(client_id: str, received_on: date) -> str:
    return f"{client_id}{_KEY_SEPARATOR}{received_on.isoformat()}"
