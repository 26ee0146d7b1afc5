"""Summary of a campaign day: its figures, its state, and the changes since an earlier version."""

import hashlib
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from chalicelib.campaigns.model import CampaignDay
from chalicelib.models import FrozenModel


class SummaryState(StrEnum):
    """`provisional` while captures of the day may still arrive, then `final`."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class Counts(FrozenModel):
    """Captures taken on the day.

    A refused capture that was mended counts as what it became; one never mended as refused. `registered`:
    created and reactivated ones whose registration was not cancelled.
    """

    captures: int
    created: int
    already_registered: int
    reactivated: int
    refused: int
    registered: int


class SmsCounts(FrozenModel):
    """The SMS of the day's registrations, by their state when the day was counted.

    Receipts come late or never, so the share of those that nobody knows about is part of the figures. Parts
    and rupiah are the day's cost so far, later texts of its registrations included. `without_phone` is how
    many of its registrations have a worker without a phone, who gets none. `not_told` is how many
    confirmations have not been sent: some wait, are held or have expired, the others are unknown or were
    not accepted. `telegram` and `whatsapp` are how many went to those chats instead of a phone,
    `telegram_dialogue` and `whatsapp_dialogue` how many messages the dialogues of that day took, with those
    that led to no registration; `rupiah` includes what all of them cost.
    """

    total: int
    by_state: dict[str, int]
    unknown_share: float
    parts: int
    rupiah: int
    without_phone: int = 0
    not_told: int = 0
    not_told_waiting: int = 0
    not_told_held: int = 0
    not_told_expired: int = 0
    telegram: int = 0
    telegram_rupiah: int = 0
    whatsapp: int = 0
    whatsapp_rupiah: int = 0
    telegram_dialogue: int = 0
    telegram_dialogue_rupiah: int = 0
    whatsapp_dialogue: int = 0
    whatsapp_dialogue_rupiah: int = 0


class Funnel(FrozenModel):
    """The registrations that were captured on the day, by their status when it was counted."""

    received: int = 0
    awaiting_payment: int = 0
    mismatch: int = 0
    active: int = 0
    lapsed: int = 0
    cancelled: int = 0
    expired: int = 0
    deceased: int = 0


class Corrections(FrozenModel):
    """Corrections of what was recorded of the day's registrations."""

    total: int = 0


class Money(FrozenModel):
    """Contributions of the registrations that were captured on the day, in rupiah.

    Cancelled registrations are not quoted.
    """

    quoted: int = 0
    paid: int = 0


class Anomaly(FrozenModel):
    """Something unusual about the day, for a person to look at: it accuses nobody.

    `workers` is how many it concerns; `usual` is what the day's other clients, in the middle, come to.
    Unreadable records are captures and registrations that the figures leave out.
    """

    pattern: Literal[
        "one_phone_many_workers",
        "repeats_differ",
        "client_above_peers",
        "neighbouring_serials",
        "payment_differs",
        "payment_shared",
        "sponsor_over_quota",
        "history_full",
        "worker_captures_reached",
        "client_unusual",
        "device_silent",
        "records_unreadable",
        "taken_over",
        "took_over",
    ]
    client_id: str | None = None
    sponsor_id: str | None = None
    workers: int
    usual: int | None = None


class Arrivals(FrozenModel):
    """The number of registrations of the day that arrived through one client on one local day.

    `registered` is without those that were cancelled, and with the reactivated ones.
    """

    client_id: str
    received_on: date
    created: int
    registered: int


class Tally(FrozenModel):
    """All figures of a day. Their JSON is hashed: adding or renaming a field changes every content hash.

    Breakdowns are of `counts.registered`; a worker with two occupations or programmes is counted under each.
    `by_hour` and `by_age` are as of the time of capture, in the campaign's time zone.
    """

    counts: Counts
    by_channel: dict[str, int]
    by_client: dict[str, int]
    by_occupation: dict[str, int]
    by_officer: dict[str, int] = {}
    by_programme: dict[str, int] = {}
    by_sponsor: dict[str, int] = {}
    by_sex: dict[str, int] = {}
    by_age: dict[str, int] = {}
    by_hour: dict[str, int] = {}
    by_received_day: dict[str, int] = {}
    refused_by_reason: dict[str, int] = {}
    funnel: Funnel = Funnel()
    money: Money = Money()
    corrections: Corrections = Corrections()
    oddities: list[Anomaly] = []
    arrivals: list[Arrivals] = []
    texts: SmsCounts | None = None


class Note(FrozenModel):
    """A change of a day since an earlier version: the number of registrations more or less, and their client.

    `received_on` is the local day they arrived on; None where that is not known.
    """

    difference: int
    client_id: str
    received_on: date | None = None


class Change(FrozenModel):
    """One figure that differs from an earlier version."""

    figure: str
    was: int
    now: int


class SummaryVersion(FrozenModel):
    """Identity and state of a version of a day's summary.

    The content hash covers every figure and the state, but neither the time of the count nor the changes.
    `revision` is the number of versions after the first final one.
    """

    campaign_id: str
    day: date
    version: int
    state: SummaryState
    revision: int = 0
    counted_at: str
    content_hash: str


# Pydantic puts the fields of the last base class first: a summary begins with its campaign and day.
class Summary(Tally, SummaryVersion):
    """One version of a day's summary, with its changes since the version before."""

    changes: list[Change]
    notes: list[Note] = []

    @property
    def campaign_day(self) -> CampaignDay:
        return CampaignDay(self.campaign_id, self.day)

    @property
    def headline(self) -> "Headline":
        """The summary's line in the list of days."""
        fields = {name: getattr(self, name) for name in SummaryVersion.model_fields if name != "campaign_id"}
        return Headline(created=self.counts.created, registered=self.counts.registered, **fields)


class Headline(FrozenModel):
    """One day in a list of days: its newest version and its main counts."""

    day: date
    version: int
    state: SummaryState
    revision: int = 0
    counted_at: str
    content_hash: str
    created: int
    registered: int


def summarise(
    tally: Tally, *, campaign_day: CampaignDay, state: SummaryState, counted_at: str, previous: Summary | None
) -> Summary:
    """Return the next version of a day's summary, or `previous` itself if no figure and no state differs."""
    content_hash = _hash_content(tally, state)
    if previous is not None and previous.content_hash == content_hash:
        return previous
    summary = Summary(
        **dict(tally),
        campaign_id=campaign_day.campaign_id,
        day=campaign_day.day,
        version=1 if previous is None else previous.version + 1,
        state=state,
        revision=_next_revision(previous),
        counted_at=counted_at,
        content_hash=content_hash,
        changes=[],
    )
    return with_changes_since(previous, summary)


def with_changes_since(baseline: Tally | None, summary: Summary) -> Summary:
    """Return `summary` with its changes and notes since `baseline`; without a baseline there are none."""
    changes = [] if baseline is None else _list_changes(baseline, summary)
    notes = [] if baseline is None else list(_iter_notes(baseline, summary))
    return summary.model_copy(update={"changes": changes, "notes": notes})


def _next_revision(previous: Summary | None) -> int:
    return previous.revision + 1 if previous is not None and previous.state is SummaryState.FINAL else 0


def _hash_content(tally: Tally, state: SummaryState) -> str:
    return hashlib.sha256(f"{state}\n{tally.model_dump_json()}".encode()).hexdigest()


def _list_changes(baseline: Tally, tally: Tally) -> list[Change]:
    was, now = dict(_iter_figures(baseline)), dict(_iter_figures(tally))
    return [
        Change(figure=figure, was=was.get(figure, 0), now=now.get(figure, 0))
        for figure in sorted(was.keys() | now.keys())
        if was.get(figure, 0) != now.get(figure, 0)
    ]


def _iter_figures(tally: Tally) -> Iterator[tuple[str, int]]:
    """Yield the name and value of every figure that is a number."""
    for group in Tally.model_fields:
        figures = getattr(tally, group)
        for name, value in _iter_numbers(dict(figures) if isinstance(figures, BaseModel) else figures):
            yield f"{group}.{name}", value


def _iter_numbers(values: object) -> Iterator[tuple[str, int]]:
    if isinstance(values, dict):
        for name, value in values.items():
            if isinstance(value, int):
                yield name, value
            else:
                yield from _iter_numbers(value)


def _iter_notes(baseline: Tally, tally: Tally) -> Iterator[Note]:
    was, now = (
        {(each.client_id, each.received_on): each.registered for each in figures.arrivals}
        for figures in (baseline, tally)
    )
    for client_id, received_on in sorted(was.keys() | now.keys()):
        key = client_id, received_on
        difference = now.get(key, 0) - was.get(key, 0)
        if difference:
            yield Note(difference=difference, client_id=client_id, received_on=received_on)
