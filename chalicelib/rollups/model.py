"""The summary of a campaign day: what was counted, what changed since the last count, and how sure it is."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from chalicelib.campaigns.model import CampaignDay


class State(StrEnum):
    """Whether the day may still change in the ordinary course of things."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class Countable(Protocol):
    """What counting reads of a capture."""

    @property
    def outcome(self) -> str:
        """What the capture came to: created, already_registered or refused."""

    @property
    def channel(self) -> str:
        """Where the worker was met."""

    @property
    def client_id(self) -> str:
        """The device or bot that took it."""

    @property
    def occupations(self) -> tuple[str, ...]:
        """One or two."""


class Counts(BaseModel):
    """Captures taken on the day.

    A refused capture that was mended counts as what it became; one never mended as refused.
    """

    model_config = ConfigDict(frozen=True)

    captures: int
    created: int
    already_registered: int
    reactivated: int
    refused: int


class Tally(BaseModel):
    """One count of a day.

    The breakdowns are of created registrations; one with two occupations stands under both.
    """

    model_config = ConfigDict(frozen=True)

    counts: Counts
    by_channel: dict[str, int]
    by_client: dict[str, int]
    by_occupation: dict[str, int]


class Texts(BaseModel):
    """What became of the texts of the day's registrations, as known when the day was counted.

    Receipts come late or never, so the share of those that nobody knows about is part of the figures. Parts
    and rupiah are the day's cost so far, later texts of its registrations included.
    """

    model_config = ConfigDict(frozen=True)

    total: int
    by_state: dict[str, int]
    unknown_share: float
    parts: int
    rupiah: int


class Funnel(BaseModel):
    """Where the registrations that were captured on the day stood when it was counted."""

    model_config = ConfigDict(frozen=True)

    received: int = 0
    awaiting_payment: int = 0
    mismatch: int = 0
    active: int = 0
    lapsed: int = 0
    cancelled: int = 0
    expired: int = 0


class Money(BaseModel):
    """Contributions of the registrations that were captured on the day, in rupiah."""

    model_config = ConfigDict(frozen=True)

    quoted: int = 0
    paid: int = 0


class Oddity(BaseModel):
    """Something unusual about the day, for a person to look at: it accuses nobody.

    `workers` is how many it concerns; `usual` is what the day's other clients, in the middle, come to.
    """

    model_config = ConfigDict(frozen=True)

    pattern: Literal["one_phone_many_workers", "client_above_peers", "neighbouring_serials"]
    client_id: str | None = None
    workers: int
    usual: int | None = None


class Note(BaseModel):
    """What came to a day after its last version: so many registrations more, or less, and through whom.

    `received_on` is the local day they arrived on; None where nothing arrived, as with a payment or an
    erasure.
    """

    model_config = ConfigDict(frozen=True)

    difference: int
    client_id: str
    received_on: date | None = None


class Change(BaseModel):
    """One figure that differs from the version before."""

    model_config = ConfigDict(frozen=True)

    figure: str
    was: int
    now: int


class Summary(BaseModel):
    """One version of a day's summary.

    Its content hash covers the figures and the state, not when they were counted, nor the texts: a receipt is
    no reason for a new version. `revision` is how many versions were written after the first final one.
    """

    model_config = ConfigDict(frozen=True)

    campaign_id: str
    day: date
    version: int
    state: State
    revision: int = 0
    counted_at: str
    content_hash: str
    counts: Counts
    by_channel: dict[str, int]
    by_client: dict[str, int]
    by_occupation: dict[str, int]
    by_officer: dict[str, int] = {}
    by_programme: dict[str, int] = {}
    by_sex: dict[str, int] = {}
    by_age: dict[str, int] = {}
    by_hour: dict[str, int] = {}
    by_received_day: dict[str, int] = {}
    refused_by_reason: dict[str, int] = {}
    funnel: Funnel = Funnel()
    money: Money = Money()
    oddities: list[Oddity] = []
    changes: list[Change]
    notes: list[Note] = []
    texts: Texts | None = None

    @property
    def of(self) -> CampaignDay:
        """The day it is of."""
        return CampaignDay(self.campaign_id, self.day)

    @property
    def headline(self) -> "Headline":
        """What a list of days says of it."""
        told = {name: getattr(self, name) for name in Headline.model_fields if name != "created"}
        return Headline(created=self.counts.created, **told)


class Headline(BaseModel):
    """What a list of days says of each: which version is the newest, and what it comes to."""

    model_config = ConfigDict(frozen=True)

    day: date
    version: int
    state: State
    revision: int = 0
    counted_at: str
    content_hash: str
    created: int


def tally(captures: Iterable[Countable]) -> Tally:
    """Count captures one at a time: memory does not grow with their number."""
    outcomes: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    clients: Counter[str] = Counter()
    occupations: Counter[str] = Counter()
    for capture in captures:
        outcomes[str(capture.outcome)] += 1
        if capture.outcome == "created":
            channels[capture.channel] += 1
            clients[capture.client_id] += 1
            occupations.update(capture.occupations)
    refused = outcomes["refused"]
    return Tally(
        counts=Counts(
            captures=outcomes.total() - refused,
            created=outcomes["created"],
            already_registered=outcomes["already_registered"],
            reactivated=outcomes["reactivated"],
            refused=refused,
        ),
        by_channel=_sorted(channels),
        by_client=_sorted(clients),
        by_occupation=_sorted(occupations),
    )


def summarise(
    counted: Tally,
    *,
    of: CampaignDay,
    state: State,
    counted_at: str,
    before: Summary | None,
    texts: Texts | None = None,
) -> Summary:
    """The next version of a day's summary; the one before itself if there is nothing new to say."""
    content_hash = _content_hash(counted, state)
    if before is not None and before.content_hash == content_hash:
        return before
    return Summary(
        campaign_id=of.campaign_id,
        day=of.day,
        version=1 if before is None else before.version + 1,
        state=state,
        revision=_revision(before),
        counted_at=counted_at,
        content_hash=content_hash,
        changes=[] if before is None else _changes(before, counted),
        texts=texts,
        **{name: getattr(counted, name) for name in Tally.model_fields},
    )


def _revision(before: Summary | None) -> int:
    return before.revision + 1 if before is not None and before.state is State.FINAL else 0


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _content_hash(counted: Tally, state: State) -> str:
    return hashlib.sha256(f"{state}\n{counted.model_dump_json()}".encode()).hexdigest()


def _changes(before: Summary, counted: Tally) -> list[Change]:
    was = _figures(Tally.model_validate(before.model_dump(include=set(Tally.model_fields))))
    now = _figures(counted)
    return [
        Change(figure=figure, was=was.get(figure, 0), now=now.get(figure, 0))
        for figure in sorted(was.keys() | now.keys())
        if was.get(figure, 0) != now.get(figure, 0)
    ]


def _figures(counted: Tally) -> Mapping[str, int]:
    groups = {"counts": counted.counts.model_dump(), **counted.model_dump(exclude={"counts"})}
    return {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
