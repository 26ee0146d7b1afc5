"""Review items over HTTP, for the managers of a campaign."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor
from chalicelib.refusals import CampaignNotAllowed, RulesBroken
from chalicelib.reviews.errors import AnswerReused, ChatGone, ChatWindowClosed, ReviewItemUnknown
from chalicelib.reviews.schemas import (
    AnswerReviewItem,
    ChangeReviewItem,
    ChatAnswerView,
    ListReviewItems,
    ReviewItemsView,
    ReviewItemView,
)

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.reviews.model import ReviewItem


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/campaigns/{campaign_id}/review-items", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        query_model=ListReviewItems,
        responses={200: ReviewItemsView},
        refusals=(CampaignNotAllowed, CampaignUnknown, CursorInvalid),
    )
    def list_review_items(request: Request, campaign_id: str) -> Response:
        """List what the managers of a campaign should look at, the newest first."""
        request.caller.require_campaign(campaign_id)
        container.campaigns.get(campaign_id)
        query = request.parse_query(ListReviewItems)
        start_after, _ = from_cursor(query.cursor)
        page = container.reviews.list_page(
            campaign_id, query.state, start_after=start_after, page_size=query.size
        )
        container.audit.record_list(_iter_shown(page.rows), caller=request.caller)
        return json_response(ReviewItemsView.from_page(page), exclude_defaults=True)

    @routes.route("/v1/campaigns/{campaign_id}/review-items/{item_id}", methods=["PATCH"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        body_model=ChangeReviewItem,
        responses={200: ReviewItemView},
        refusals=(CampaignNotAllowed, ReviewItemUnknown, RulesBroken),
    )
    def change_review_item(request: Request, campaign_id: str, item_id: str) -> Response:
        """Set the state of a review item and its note; the same again changes nothing."""
        request.caller.require_campaign(campaign_id)
        command = request.parse_body(ChangeReviewItem)
        item = container.reviews.change(
            campaign_id, item_id, command.state, command.note, caller=request.caller
        )
        container.audit.record_list(_iter_shown([item]), caller=request.caller)
        return json_response(ReviewItemView.from_item(item), exclude_defaults=True)

    @routes.route(
        "/v1/campaigns/{campaign_id}/review-items/{item_id}/answer", methods=["POST"], content_types=[]
    )
    @endpoint(
        routes,
        Role.MANAGER,
        body_model=AnswerReviewItem,
        responses={202: ChatAnswerView},
        refusals=(
            *(AnswerReused, CampaignNotAllowed, ChatGone, ChatWindowClosed),
            *(ReviewItemUnknown, RulesBroken),
        ),
        headers=("Idempotent-Replayed",),
    )
    def answer_review_item(request: Request, campaign_id: str, item_id: str) -> Response:
        """Answer the person in a chat whom an item is about, once for each `answer_id`.

        The item is acted on with it. The person's dialogue goes on after it. Sent again, the request tells
        how far the answer has come.
        """
        from chalicelib.reviews.builder_chats import build_answer_service

        request.caller.require_campaign(campaign_id)
        command = request.parse_body(AnswerReviewItem)
        answer = build_answer_service(container).answer(campaign_id, item_id, command, caller=request.caller)
        observability.count("ChatAnswers", state=answer.state)
        replayed = {"Idempotent-Replayed": "true"} if answer.is_replay else {}
        view = ChatAnswerView(answer_id=answer.answer_id, state=answer.state.value)
        return json_response(view, status=202, headers=replayed)

    return routes


def _iter_shown(items: Iterable["ReviewItem"]) -> Iterator[tuple[str, date, str]]:
    """Yield campaign, day and reference of each registration that items name."""
    for item in items:
        for each in item.registrations:
            if each.day is not None:
                yield item.campaign_id, each.day, each.reference
