"""Dirty days and checkpoints of unfinished counts, in the summaries table.

DIRTY           <day>#<campaign id>     a day that changed since it was last counted
CAMPAIGN#<id>   CHECKPOINT#<day>        an unfinished count of a day
"""

import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.http.pagination import Position
from chalicelib.records import iter_readable
from chalicelib.rollups.running_count import Checkpoint
from chalicelib.rollups.service import DirtyDay

DIRTY_DAYS_PK = "DIRTY"

# The partition of the index of what is due (see `store_due`).
DUE_LISTING = "due"

# A checkpoint in another format is ignored: its day is counted from the beginning.
_CHECKPOINT_FORMAT = 3


class DynamoCountingState:
    """Satisfies `service.CountingState`."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        self._table.run(
            self._table.update(
                build_dirty_day_key(campaign_day),
                # A day that was looked at too early keeps its next time, or every capture would cost a look.
                "SET campaign_id = :campaign_id, #day = :day, marked_at = :at, listing = :due, "
                "due_at = if_not_exists(due_at, :at) ADD generation :one",
                names={"#day": "day"},
                compared={
                    ":campaign_id": campaign_day.campaign_id,
                    ":day": campaign_day.day.isoformat(),
                    ":at": to_timestamp(occurred_at),
                    ":one": 1,
                    ":due": DUE_LISTING,
                },
            )
        )

    def iter_dirty_days(self) -> Iterator[DirtyDay]:
        yield from iter_readable(
            _parse_dirty_day, self._table.query("pk = :dirty", {":dirty": DIRTY_DAYS_PK})
        )

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        values = self._table.get(build_dirty_day_key(campaign_day))
        return None if values is None else _parse_dirty_day(values)

    def clear_dirty(self, dirty_day: DirtyDay) -> None:
        self._table.try_run(
            self._table.delete(
                build_dirty_day_key(dirty_day.campaign_day),
                "attribute_not_exists(pk) OR generation = :generation",
                compared={":generation": dirty_day.generation},
            )
        )

    def save_checkpoint(self, campaign_day: CampaignDay, checkpoint: Checkpoint | None) -> None:
        """Store an empty item for None: the counting function has no right to delete items of a campaign."""
        values: Values = {}
        if checkpoint is not None:
            values = {
                "format": _CHECKPOINT_FORMAT,
                "started_at": to_timestamp(checkpoint.started_at),
                "etag": checkpoint.etag,
                "position": checkpoint.position,
                "counter_state": zlib.compress(checkpoint.counter_state.encode()),
            }
        self._table.run(self._table.put({**_checkpoint_key(campaign_day), **values}))

    def find_checkpoint(self, campaign_day: CampaignDay) -> Checkpoint | None:
        values = self._table.get(_checkpoint_key(campaign_day))
        if values is None or values.get("format") != _CHECKPOINT_FORMAT:
            return None
        return Checkpoint(
            started_at=datetime.fromisoformat(values["started_at"]),
            etag=values["etag"],
            position=Position(values["position"]),
            counter_state=zlib.decompress(values["counter_state"]).decode(),
        )


def build_dirty_day_key(campaign_day: CampaignDay) -> Values:
    return {"pk": DIRTY_DAYS_PK, "sk": f"{campaign_day.day.isoformat()}#{campaign_day.campaign_id}"}


def _checkpoint_key(campaign_day: CampaignDay) -> Values:
    return {
        "pk": f"CAMPAIGN#{campaign_day.campaign_id}",
        "sk": f"CHECKPOINT#{campaign_day.day.isoformat()}",
    }


def _parse_dirty_day(values: Mapping[str, Any]) -> DirtyDay:
    return DirtyDay(
        campaign_day=CampaignDay(values["campaign_id"], date.fromisoformat(values["day"])),
        generation=int(values["generation"]),
        marked_at=datetime.fromisoformat(values["marked_at"]),
    )
