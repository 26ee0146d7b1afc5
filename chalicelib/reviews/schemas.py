"""Requests about review items over HTTP, and their answers."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from chalicelib.clock import to_optional_timestamp, to_timestamp
from chalicelib.fields import PageSize, StrictUUID
from chalicelib.http.pagination import Page, to_cursor
from chalicelib.models import StrictModel
from chalicelib.reviews.model import ReviewKind, ReviewState

if TYPE_CHECKING:
    from chalicelib.reviews.model import ReviewItem


class ListReviewItems(StrictModel):
    """Ask for a page of the review items of a campaign."""

    state: ReviewState = ReviewState.OPEN
    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 50


class ChangeReviewItem(StrictModel):
    """Set the state of a review item, and its note."""

    state: ReviewState
    note: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="One line, for other managers; the note that is there stays when left out.",
    )


class AnswerReviewItem(StrictModel):
    """Answer the person in a chat whom an item is about. The same request may be sent again."""

    answer_id: StrictUUID = Field(description="Made by the sender; the idempotency key.")
    text: str = Field(
        min_length=1,
        max_length=1000,
        description="One line in the manager's own words, to which a greeting of the officer is added.",
    )


class ChatAnswerView(BaseModel):
    """An answer, and how far it has come."""

    answer_id: str
    state: Literal["pending", "sending", "sent", "failed", "unknown"] = Field(
        description="`unknown`: the provider may have accepted it; it is not sent again."
    )


class ReviewItemView(BaseModel):
    """Something that a manager should look at. It accuses nobody. Fields without a value are left out."""

    item_id: str
    campaign_id: str
    kind: ReviewKind = Field(description="Kinds may be added.")
    state: ReviewState
    opened_at: str
    day: date | None = None
    references: tuple[str, ...] = Field(default=(), description="The registrations it is about, at most 50.")
    client_id: str | None = None
    sponsor_id: str | None = None
    figures: Mapping[str, int] = Field(
        default={}, description="`workers`, `usual`, `attempts` or `owed`, as far as the kind has them."
    )
    note: str | None = None
    is_answerable: bool = Field(
        default=False, description="True if the item is about a chat, in which the person may be answered."
    )
    changed_by: str | None = Field(default=None, description="The client that set the state or the note.")
    changed_at: str | None = None

    @classmethod
    def from_item(cls, item: "ReviewItem") -> "ReviewItemView":
        return cls(
            item_id=item.item_id,
            campaign_id=item.campaign_id,
            kind=item.kind,
            state=item.state,
            opened_at=to_timestamp(item.opened_at),
            day=item.day,
            references=tuple(each.reference for each in item.registrations),
            client_id=item.client_id,
            sponsor_id=item.sponsor_id,
            figures=item.figures,
            note=item.note,
            is_answerable=item.chat_key is not None,
            changed_by=item.changed_by,
            changed_at=to_optional_timestamp(item.changed_at),
        )


class ReviewItemsView(BaseModel):
    """A page of review items, the newest first; `cursor` asks for the next one."""

    items: list[ReviewItemView]
    cursor: str | None = None

    @classmethod
    def from_page(cls, page: Page["ReviewItem"]) -> "ReviewItemsView":
        items = [ReviewItemView.from_item(each) for each in page.rows]
        return cls(items=items, cursor=to_cursor(page.next_position))
