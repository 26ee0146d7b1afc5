"""Summaries over HTTP."""

import re
from datetime import date
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.audit.model import Action, Subject
from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.http.endpoints import (
    AnonymousRequest,
    BytesResponse,
    Request,
    endpoint,
    json_response,
    public_endpoint,
)
from chalicelib.http.headers import build_page_headers
from chalicelib.http.negotiation import select_media_type
from chalicelib.languages import Language
from chalicelib.refusals import CampaignNotAllowed
from chalicelib.rollups.errors import DayNotInCampaign, FormatUnavailable, SummaryUnknown
from chalicelib.rollups.renderings.formats import MEDIA_TYPES, CsvDialect, Format
from chalicelib.rollups.requests import ShowBoard, ShowRates, ShowSummary
from chalicelib.rollups.schemas import SummariesView, SummaryView
from chalicelib.rollups.schemas_rates import RatesView, VersionsView

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.rollups.report import Report

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_FORMATS_BY_MEDIA_TYPE: dict[str, Format] = {media_type: name for name, media_type in MEDIA_TYPES.items()}
_RESPONSE_HEADERS = {**build_page_headers(), "Vary": "Accept, Accept-Language, Authorization"}
_CONTENT_TYPE_HEADERS: dict[Format, dict[str, str]] = {
    "html": {"Content-Type": f"{MEDIA_TYPES['html']}; charset=utf-8"},
    "csv": {"Content-Type": f"{MEDIA_TYPES['csv']}; charset=utf-8; header=present"},
    "xlsx": {"Content-Type": MEDIA_TYPES["xlsx"]},
}


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_comparisons(routes, container)

    @routes.route("/v1/campaigns/{campaign_id}/summaries", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.VIEWER,
        responses={200: SummariesView},
        refusals=(CampaignNotAllowed, CampaignUnknown),
    )
    def list_summaries(request: Request, campaign_id: str) -> Response:
        """List the days of a campaign that were summarised."""
        request.caller.require_campaign(campaign_id)
        days = container.reports.list_headlines(campaign_id)
        return json_response(SummariesView(campaign_id=campaign_id, days=days))

    @routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.VIEWER,
        query_model=ShowSummary,
        responses={200: SummaryView},
        other_media_types=tuple(MEDIA_TYPES.values())[1:],
        headers=(*_RESPONSE_HEADERS, "Content-Disposition"),
        refusals=(CampaignNotAllowed, CampaignUnknown, DayNotInCampaign, FormatUnavailable, SummaryUnknown),
    )
    def show_summary(request: Request, campaign_id: str, day: str) -> Response:
        """Show the newest summary of a campaign day, or an older version, as JSON, HTML, CSV or XLSX."""
        request.caller.require_campaign(campaign_id)
        query = request.parse_query(ShowSummary)
        response_format = query.format or ("csv" if query.dialect else _negotiate_format(request))
        if response_format == "xlsx":
            _require_accept_header(request)
        report = container.reports.build_report(_parse_campaign_day(campaign_id, day), version=query.version)
        return _render(report, response_format, query.language or request.language, query.dialect)

    @routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        responses={200: SummaryView},
        refusals=(CampaignNotAllowed, CampaignUnknown, DayNotInCampaign),
    )
    def recount_day(request: Request, campaign_id: str, day: str) -> Response:
        """Count a campaign day now."""
        request.caller.require_campaign(campaign_id)
        campaign_day = _parse_campaign_day(campaign_id, day)
        container.rollups.recount(campaign_day)
        subject = Subject.campaign_day(campaign_id, campaign_day.day)
        container.audit.record_request(subject, Action.RECOUNTED, caller=request.caller)
        return json_response(SummaryView.from_report(container.reports.build_report(campaign_day)))

    @routes.route("/v1/campaigns/{campaign_id}/board", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.VIEWER,
        query_model=ShowBoard,
        responses={200: "text/html"},
        headers=tuple(_RESPONSE_HEADERS),
        refusals=(CampaignNotAllowed, CampaignUnknown),
    )
    def show_board(request: Request, campaign_id: str) -> Response:
        """Show a running campaign's board as a page, counted now: today, or the nearest campaign day."""
        from chalicelib.rollups.renderings import board

        request.caller.require_campaign(campaign_id)
        query = request.parse_query(ShowBoard)
        report = container.board.get_report(campaign_id)
        page = board.render_board(report, query.language or request.language)
        return _respond_with_board(page, board.get_script_hash())

    @routes.route("/board", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/html"}, headers=tuple(_RESPONSE_HEADERS))
    def open_board(request: AnonymousRequest) -> Response:
        """Open the page that asks for a campaign and a viewer's token, then shows its board.

        It holds no figures. The token stays in the browser's tab and travels in `Authorization` alone.
        """
        from chalicelib.rollups.renderings import board

        return _respond_with_board(board.render_sign_in(request.language), board.get_script_hash())

    return routes


def _add_comparisons(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/campaigns/{campaign_id}/summaries/{day}/versions", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.VIEWER,
        responses={200: VersionsView},
        refusals=(CampaignNotAllowed, CampaignUnknown, DayNotInCampaign, SummaryUnknown),
    )
    def list_versions(request: Request, campaign_id: str, day: str) -> Response:
        """List the versions of a day's summary, the newest first."""
        request.caller.require_campaign(campaign_id)
        versions = container.reports.list_versions(_parse_campaign_day(campaign_id, day))
        return json_response(VersionsView(versions=versions))

    @routes.route("/v1/campaigns/{campaign_id}/rates", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        query_model=ShowRates,
        responses={200: RatesView},
        refusals=(CampaignNotAllowed, CampaignUnknown, DayNotInCampaign),
    )
    def show_rates(request: Request, campaign_id: str) -> Response:
        """Show what each device and officer registered on a day, and how much of it was paid or cancelled."""
        request.caller.require_campaign(campaign_id)
        campaign_day = CampaignDay(campaign_id, request.parse_query(ShowRates).day)
        rates = container.rollups.count_rates(campaign_day)
        return json_response(RatesView.build(campaign_day, rates), exclude_defaults=True)


def _respond_with_board(page: str, script_hash: str) -> Response:
    script_headers = build_page_headers(script_hash)
    return Response(page, {**_RESPONSE_HEADERS, **script_headers, **_CONTENT_TYPE_HEADERS["html"]}, 200)


def _negotiate_format(request: Request) -> Format:
    """Return the format that the caller prefers. Raise FormatUnavailable."""
    media_type = select_media_type(request.headers.get("accept", ""), list(_FORMATS_BY_MEDIA_TYPE))
    if media_type is None:
        raise FormatUnavailable("none of the formats is accepted")
    return _FORMATS_BY_MEDIA_TYPE[media_type]


def _require_accept_header(request: Request) -> None:
    """Raise FormatUnavailable if API Gateway would send a workbook as base64 text.

    It sends bytes only if the first type of `Accept` matches `BinaryMediaTypes`, which are all types; without
    one, nothing matches.
    """
    if not request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip():
        raise FormatUnavailable("bytes are sent only if Accept names a type")


def _render(
    report: "Report", response_format: Format, language: Language, dialect: CsvDialect | None
) -> Response:
    if response_format == "json":
        return json_response(SummaryView.from_report(report), headers=_RESPONSE_HEADERS)
    from chalicelib.rollups.renderings import csv, html, xlsx

    headers: dict[str, str | list[str]] = {**_RESPONSE_HEADERS, **_CONTENT_TYPE_HEADERS[response_format]}
    if response_format == "html":
        return Response(html.render_html(report, language), {**headers, "Content-Language": language}, 200)
    name = f"{report.campaign.campaign_id}-{report.summary.day}.{response_format}"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if response_format == "csv" and dialect == "excel":
        headers["Content-Language"] = language
        return Response(csv.render_excel_csv(report, language), headers, 200)
    if response_format == "csv":
        return Response(csv.render_csv(report), headers, 200)
    return BytesResponse(xlsx.render_workbook(report, language), headers, 200)


def _parse_campaign_day(campaign_id: str, day: str) -> CampaignDay:
    # `fromisoformat` also reads 20241009 and 2024-W41-3, and each day must have one URL.
    if not _ISO_DAY.fullmatch(day):
        raise DayNotInCampaign("not a day")
    try:
        return CampaignDay(campaign_id, date.fromisoformat(day))
    except ValueError:
        raise DayNotInCampaign("not a day") from None
