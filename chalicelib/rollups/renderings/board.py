"""The board of a running campaign: few figures, large, for a screen at the branch.

The page with figures is complete without its script. The script fetches it anew with the token that was typed
once, and replaces the figures; the page that asks for the token has no figures.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256

from chalicelib.languages import Language
from chalicelib.rollups.renderings import charts
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import build_report_data
from chalicelib.rollups.renderings.templating import read_asset, render, render_report
from chalicelib.rollups.report import Report

_REFRESH_SECONDS = 30
# More than a count within a request may take; an answer that takes longer counts as a lost connection.
_TIMEOUT_SECONDS = 25
# More could not be read from across a room.
_MAX_DEVICES = 6

# The board's address, relative to the sign-in page and to itself: the script fetches it from both.
_ADDRESS_FROM_SIGN_IN, _ADDRESS_FROM_BOARD = "v1/campaigns/{campaign_id}/board", "../{campaign_id}/board"


def render_board(report: Report, language: Language) -> str:
    data, localizer = build_report_data(report), Localizer(language)
    counted_on = data.campaign.local_day(data.counted_at)
    is_today = counted_on == data.day
    counted_time = localizer.format_time(data.counted_at, data.campaign.zone)
    dated_label = localizer.translate("board_other_day", day=localizer.format_day_without_year(data.day))
    hours = data.get_group("by_hour")
    hours_label = localizer.get_group_label(hours.name, data.campaign.zone)
    counts = ", ".join(
        f"{localizer.get_cell_label(hours.name, cell.key)}: {cell.count}" for cell in hours.cells
    )
    return render_report(
        "board.html.j2",
        data,
        localizer,
        address=_ADDRESS_FROM_BOARD,
        refresh_seconds=_REFRESH_SECONDS,
        timeout_seconds=_TIMEOUT_SECONDS,
        registered_label=localizer.translate("board_today") if is_today else dated_label,
        dated_label=dated_label,
        counted_time=counted_time if is_today else f"{counted_time}, {localizer.format_day(counted_on)}",
        devices=data.get_group("by_client"),
        max_devices=_MAX_DEVICES,
        hours=charts.build_columns(hours) if hours.cells else None,
        hours_label=hours_label,
        hours_description=f"{hours_label}. {counts}",
    )


def render_sign_in(language: Language) -> str:
    """Return the page that asks for a campaign and a token, and then shows its board."""
    return render(
        "sign_in.html.j2",
        Localizer(language),
        address=_ADDRESS_FROM_SIGN_IN,
        refresh_seconds=_REFRESH_SECONDS,
        timeout_seconds=_TIMEOUT_SECONDS,
    )


@cache
def get_script_hash() -> str:
    """Return the script's hash as a content security policy names it."""
    return f"sha256-{b64encode(sha256(read_asset('board.js').encode()).digest()).decode()}"
