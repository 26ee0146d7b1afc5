"""Summaries over HTTP."""

import re
from datetime import date
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Role
from chalicelib.endpoints import (
    AnonymousRequest,
    BytesResponse,
    Request,
    endpoint,
    json_response,
    page_headers,
    public_endpoint,
)
from chalicelib.negotiation import acceptable
from chalicelib.refusals import CampaignNotYours
from chalicelib.rollups.errors import DayNotInCampaign, FormatUnavailable, SummaryUnknown
from chalicelib.rollups.messages import ShowBoard, ShowSummary
from chalicelib.rollups.renderings.formats import MEDIA_TYPES, Format
from chalicelib.rollups.renderings.words import Language

if TYPE_CHECKING:
    from chalicelib.rollups.report import Report
    from chalicelib.rollups.views import SummariesView, SummaryView

routes = Blueprint(__name__)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_FORMATS: dict[str, Format] = {media_type: name for name, media_type in MEDIA_TYPES.items()}
# A summary may change at any time, and is for whoever asked alone.
_GIVEN_WITH = {
    **page_headers(),
    "Vary": "Accept, Accept-Language, Authorization",
    "Cache-Control": "private, no-cache",
}
_TYPED: dict[Format, dict[str, str]] = {
    "html": {"Content-Type": f"{MEDIA_TYPES['html']}; charset=utf-8"},
    "csv": {"Content-Type": f"{MEDIA_TYPES['csv']}; charset=utf-8; header=present"},
    "xlsx": {"Content-Type": MEDIA_TYPES["xlsx"]},
}


def _summaries_view() -> type["SummariesView"]:
    # Only managers need a summary's models, and what makes pages of it: importing them with this module would
    # cost every cold start.
    from chalicelib.rollups.views import SummariesView

    return SummariesView


def _summary_view() -> type["SummaryView"]:
    from chalicelib.rollups.views import SummaryView

    return SummaryView


@routes.route("/v1/campaigns/{campaign_id}/summaries", methods=["GET"], content_types=[])
@endpoint(routes, Role.MANAGER, gives={200: _summaries_view}, refuses=(CampaignNotYours, CampaignUnknown))
def list_summaries(request: Request, campaign_id: str) -> Response:
    """The days of a campaign that were summarised."""
    request.caller.require_campaign(campaign_id)
    days = wiring.rollup().headlines(campaign_id)
    return json_response(_summaries_view()(campaign_id=campaign_id, days=days))


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    asks=ShowSummary,
    gives={200: _summary_view},
    also=tuple(MEDIA_TYPES.values())[1:],
    headers=(*_GIVEN_WITH, "Content-Disposition"),
    refuses=(CampaignNotYours, CampaignUnknown, DayNotInCampaign, FormatUnavailable, SummaryUnknown),
)
def show_summary(request: Request, campaign_id: str, day: str) -> Response:
    """The newest summary of a campaign day, or an older version of it: as JSON, a page, CSV or XLSX."""
    request.caller.require_campaign(campaign_id)
    asked = request.queried(ShowSummary)
    wanted = asked.format or _accepted(request)
    report = wiring.rollup().report(_campaign_day(campaign_id, day), version=asked.version)
    return _rendered(report, wanted, asked.language or request.language)


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    gives={200: _summary_view},
    refuses=(CampaignNotYours, CampaignUnknown, DayNotInCampaign),
)
def recount_day(request: Request, campaign_id: str, day: str) -> Response:
    """Count a campaign day now."""
    request.caller.require_campaign(campaign_id)
    of = _campaign_day(campaign_id, day)
    wiring.rollup().recount(of)
    return json_response(_summary_view().of_report(wiring.rollup().report(of)))


@routes.route("/v1/campaigns/{campaign_id}/board", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    asks=ShowBoard,
    gives={200: "text/html"},
    headers=tuple(_GIVEN_WITH),
    refuses=(CampaignNotYours, CampaignUnknown),
)
def show_board(request: Request, campaign_id: str) -> Response:
    """How a running campaign goes, as a page for a screen: today, or its nearest day, counted now."""
    from chalicelib.rollups.renderings import board

    request.caller.require_campaign(campaign_id)
    asked = request.queried(ShowBoard)
    report = wiring.board().show(campaign_id)
    page = board.page(report, asked.language or request.language)
    return Response(page, {**_GIVEN_WITH, **page_headers(board.script_hash()), **_TYPED["html"]}, 200)


@routes.route("/board", methods=["GET"], content_types=[])
@public_endpoint(routes, gives={200: "text/html"}, headers=tuple(_GIVEN_WITH))
def open_board(request: AnonymousRequest) -> Response:
    """A page that asks for a campaign and a manager's token, then shows its board and keeps it fresh.

    It holds no figures. The token stays in the browser's tab and travels in `Authorization` alone.
    """
    from chalicelib.rollups.renderings import board

    page = board.door(request.language)
    return Response(page, {**_GIVEN_WITH, **page_headers(board.script_hash()), **_TYPED["html"]}, 200)


def _accepted(request: Request) -> Format:
    """The form that the caller would rather have. Raises FormatUnavailable."""
    media_type = acceptable(request.headers.get("accept", ""), list(_FORMATS))
    if media_type is None:
        raise FormatUnavailable("none of the forms is accepted")
    return _FORMATS[media_type]


def _rendered(report: "Report", wanted: Format, language: Language) -> Response:
    if wanted == "json":
        return json_response(_summary_view().of_report(report), headers=_GIVEN_WITH)
    from chalicelib.rollups.renderings import csv, html, xlsx

    headers: dict[str, str | list[str]] = {**_GIVEN_WITH, **_TYPED[wanted]}
    if wanted == "html":
        return Response(html.page(report, language), {**headers, "Content-Language": language}, 200)
    name = f"{report.campaign.campaign_id}-{report.summary.day}.{wanted}"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if wanted == "csv":
        return Response(csv.table(report), headers, 200)
    return BytesResponse(xlsx.workbook(report, language), headers, 200)


def _campaign_day(campaign_id: str, day: str) -> CampaignDay:
    # The same day could be written in other ways (20241009, 2024-W41-3), and be another address each time.
    if not _DAY.fullmatch(day):
        raise DayNotInCampaign("not a day")
    try:
        return CampaignDay(campaign_id, date.fromisoformat(day))
    except ValueError:
        raise DayNotInCampaign("not a day") from None
