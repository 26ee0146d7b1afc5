"""The captures that a device has not sent yet, or gave up, over HTTP."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from chalicelib.clock import to_timestamp
from chalicelib.http.pagination import Page, to_cursor

if TYPE_CHECKING:
    # Its callers have loaded it; the cold start of the API does without it.
    from chalicelib.registrations.discards import Discard
    from chalicelib.registrations.reading import SequenceGap


class GapView(BaseModel):
    """A range of captures that a device has not sent yet, first and last."""

    first: int
    last: int


class DiscardView(BaseModel):
    """A capture that was discarded on its device before it was accepted."""

    device_sequence: int
    reason: str
    reported_at: str


class GapsView(BaseModel):
    """A page of the captures that a device has not sent yet, up to the highest number that arrived.

    `cursor` asks for the next page.
    """

    client_id: str
    missing: list[GapView]
    cursor: str | None = None
    discarded: list[DiscardView] = Field(
        default=[], description="The latest 200 that the device gave up, on the first page."
    )

    @classmethod
    def build(cls, client_id: str, page: Page["SequenceGap"], discards: Iterable["Discard"]) -> "GapsView":
        return cls(
            client_id=client_id,
            missing=[GapView(first=gap.first, last=gap.last) for gap in page.rows],
            cursor=to_cursor(page.next_position),
            discarded=[
                DiscardView(
                    device_sequence=each.device_sequence,
                    reason=each.reason,
                    reported_at=to_timestamp(each.reported_at),
                )
                for each in discards
            ],
        )
