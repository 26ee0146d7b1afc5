"""The due list: an index over items of the summaries table that have to be looked at.

DIRTY           <day>#<campaign id>     a dirty day (see `store_counting`)
CAMPAIGN#<id>   DUE                     a campaign; without `due_at` once its last day is final
DUE             PROGRESS                how far items of an earlier release were given an entry
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.rollups.due import DueEntry, ListProgress
from chalicelib.rollups.store_counting import DIRTY_DAYS_PK, DUE_LISTING, build_dirty_day_key

_BY_DUE = "by_due"
_CAMPAIGN_PREFIX = "CAMPAIGN#"
_PROGRESS_KEY = {"pk": "DUE", "sk": "PROGRESS"}


class DynamoDueList:
    """Satisfies `due.DueList`."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)

    def iter_due(self, now: datetime) -> Iterator[DueEntry]:
        for values in self._table.query(
            "listing = :due AND due_at <= :now",
            {":due": DUE_LISTING, ":now": to_timestamp(now)},
            index=_BY_DUE,
        ):
            due_at = datetime.fromisoformat(values["due_at"])
            if values["pk"] == DIRTY_DAYS_PK:
                day, _, campaign_id = values["sk"].partition("#")
                yield DueEntry(campaign_id, date.fromisoformat(day), due_at)
            else:
                yield DueEntry(values["pk"].removeprefix(_CAMPAIGN_PREFIX), None, due_at)

    def reschedule(self, entry: DueEntry, due_at: datetime | None) -> None:
        previous = {":previous": to_timestamp(entry.due_at)}
        if due_at is None:
            change, compared = "REMOVE listing, due_at", previous
        else:
            change, compared = "SET due_at = :at", {**previous, ":at": to_timestamp(due_at)}
        self._table.try_run(
            self._table.update(_build_key(entry), change, "due_at = :previous", compared=compared)
        )

    def add_campaign(self, campaign_id: str, due_at: datetime, *, unless_due: bool = False) -> None:
        """Satisfies `campaigns.service.DueList`."""
        self._table.try_run(
            self._table.update(
                _build_key(DueEntry(campaign_id, None, due_at)),
                "SET listing = :due, due_at = :at",
                "attribute_not_exists(due_at) OR due_at > :at" if unless_due else None,
                compared=_build_values(due_at),
            )
        )

    def add_missing(self, entry: DueEntry) -> None:
        self._table.try_run(
            self._table.update(
                _build_key(entry),
                "SET listing = :due, due_at = if_not_exists(due_at, :at)",
                None if entry.day is None else "attribute_exists(pk)",
                compared=_build_values(entry.due_at),
            )
        )

    def find_progress(self) -> ListProgress | None:
        values = self._table.get(_PROGRESS_KEY)
        if values is None:
            return None
        position = values.get("position")
        return ListProgress(
            begun_at=datetime.fromisoformat(values["begun_at"]),
            position=None if position is None else date.fromisoformat(position),
            is_complete=values["is_complete"],
        )

    def save_progress(self, progress: ListProgress) -> None:
        values = {
            "begun_at": to_timestamp(progress.begun_at),
            "position": None if progress.position is None else progress.position.isoformat(),
            "is_complete": progress.is_complete,
        }
        self._table.run(self._table.put({**_PROGRESS_KEY, **values}))


def _build_key(entry: DueEntry) -> Values:
    if entry.day is None:
        return {"pk": f"{_CAMPAIGN_PREFIX}{entry.campaign_id}", "sk": "DUE"}
    return build_dirty_day_key(CampaignDay(entry.campaign_id, entry.day))


def _build_values(due_at: datetime) -> Values:
    return {":due": DUE_LISTING, ":at": to_timestamp(due_at)}
