"""The page of a campaign day: whole in itself, without scripts, for a phone, a desk and a printer.

It leads with the answer, then says what changed and why; the details come after.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chalicelib.languages import Language
from chalicelib.rollups.renderings import charts, narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.markup import Markup, element, together, verbatim
from chalicelib.rollups.renderings.report_data import MERGED_KEY, Cell, Group, ReportData, build_report_data
from chalicelib.rollups.report import Report

_STYLE = Path(__file__).with_name("page.css")
# A campaign may last a year; the chart has all of its days, the table the newest.
_DAYS_IN_TABLE = 31


def render_html(report: Report, language: Language) -> str:
    """The whole document."""
    figures, speech = build_report_data(report), Localizer(language)
    title = speech.translate("title", campaign=figures.campaign.name, day=speech.format_day(figures.day))
    return "<!doctype html>\n" + element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            element("style", verbatim(_style())),
        ),
        element("body", element("div", _header(figures, speech), _main(figures, speech), class_="sheet")),
        lang=language,
    )


@cache
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")


def _header(figures: ReportData, speech: Localizer) -> Markup:
    campaign, state = figures.campaign, str(figures.state)
    return element(
        "header",
        element(
            "p",
            element("strong", campaign.name),
            f" · {campaign.place} · {speech.translate('branch', branch=campaign.branch)}",
            class_="campaign",
        ),
        element(
            "h1",
            element("span", f"{speech.translate('daily_summary')}: ", class_="hidden"),
            speech.format_day(figures.day),
        ),
        element(
            "p",
            element("span", speech.translate(state), class_=f"badge {state}"),
            element("span", narrative.describe_version(figures, speech)),
            element(
                "span",
                speech.translate("counted", moment=speech.format_datetime(figures.counted_at, campaign.zone)),
            ),
            class_="standing",
        ),
    )


def _main(figures: ReportData, speech: Localizer) -> Markup:
    return element(
        "main",
        _lead(figures, speech),
        _glance(figures, speech),
        _changed(figures, speech),
        _unusual(figures, speech),
        _days(figures, speech),
        _parts(figures, speech),
        _footer(figures, speech),
    )


def _lead(figures: ReportData, speech: Localizer) -> Markup:
    share, active = figures.share_of_target, figures.active
    return element(
        "section",
        element(
            "div",
            element(
                "p",
                element("span", speech.format_number(figures.created), class_="huge"),
                element("span", speech.translate("registered"), class_="what"),
            ),
            element("p", speech.translate("active_now", active=speech.format_number(active)), class_="soft")
            if active is not None
            else None,
        ),
        element(
            "div",
            element("h2", speech.translate("so_far"), class_="soft"),
            element("p", narrative.describe_progress(figures, speech), class_="what"),
            charts.bar(share, kind="rail") if share is not None else None,
            element("p", narrative.describe_remaining(figures, speech), class_="soft"),
        ),
        class_="lead",
    )


def _glance(figures: ReportData, speech: Localizer) -> Markup:
    cells = [
        (speech.get_count_label(name), speech.format_number(count)) for name, count in figures.counts.items()
    ]
    cells += [
        (speech.translate(f"money_{name}"), speech.format_rupiah(rupiah))
        for name, rupiah in figures.money.items()
    ]
    return together(
        element("h2", speech.translate("at_a_glance"), class_="hidden"),
        element(
            "dl",
            [element("div", element("dt", label), element("dd", value)) for label, value in cells],
            class_="glance",
        ),
    )


def _changed(figures: ReportData, speech: Localizer) -> Markup:
    changes = list(narrative.describe_changes(figures, speech))
    if figures.version == 1:
        told = element("p", speech.translate("first_version"))
    elif changes:
        told = _list(changes)
    else:
        told = element("p", speech.translate("nothing_changed"))
    earlier = list(narrative.describe_revisions(figures, speech))
    return element(
        "section",
        element("h2", speech.translate("what_changed")),
        told,
        [element("h3", speech.translate("earlier_days")), _list(earlier)] if earlier else None,
        element("p", speech.translate(f"{figures.state}_means"), class_="soft"),
        class_="told",
    )


def _unusual(figures: ReportData, speech: Localizer) -> Markup | None:
    found = list(narrative.describe_anomalies(figures, speech))
    if not found:
        return None
    return element(
        "section",
        element("h2", speech.translate("for_a_look")),
        element("p", speech.translate("accuses_nobody"), class_="soft"),
        _list(found),
        class_="told look",
    )


def _list(sentences: list[str]) -> Markup:
    return element("ul", [element("li", sentence) for sentence in sentences])


def _days(figures: ReportData, speech: Localizer) -> Markup | None:
    if not figures.curve:
        return None
    return element(
        "section",
        element("h2", speech.translate("the_days")),
        element(
            "div",
            charts.curve(figures, speech),
            element(
                "table",
                element("caption", speech.translate("the_days"), class_="hidden"),
                _heads(speech, "day", "created_column", "cumulative_column"),
                element("tbody", _rows_of_days(figures, speech)),
            ),
            class_="beside",
        ),
        class_="days",
    )


def _rows_of_days(figures: ReportData, speech: Localizer) -> Iterator[Markup]:
    most = max(day.created for day in figures.curve)
    for day in figures.curve[-_DAYS_IN_TABLE:]:
        yield element(
            "tr",
            element("th", speech.format_day_without_year(day.day), scope="row"),
            element("td", speech.format_number(day.created), class_="number"),
            element("td", speech.format_number(day.cumulative), class_="number"),
            element("td", charts.bar(_part(day.created, most)), class_="length"),
        )


def _parts(figures: ReportData, speech: Localizer) -> Markup:
    return element("div", [_part_of(figures, group, speech) for group in figures.groups], class_="parts")


def _part_of(figures: ReportData, group: Group, speech: Localizer) -> Markup:
    note = speech.get_group_note(group.name)
    return element(
        "section",
        element(
            "table",
            element(
                "caption",
                speech.get_group_label(group.name, figures.campaign.zone),
                element("small", note) if note else None,
            ),
            _heads(speech, "kind", "count"),
            element("tbody", [_row(group, cell, speech) for cell in group.cells]),
        ),
        _cost(figures, speech) if group.name == "texts" else None,
        class_="part",
    )


def _heads(speech: Localizer, name: str, *numbers: str) -> Markup:
    return element(
        "thead",
        element(
            "tr",
            element("th", speech.translate(name), scope="col"),
            [element("th", speech.translate(number), scope="col", class_="number") for number in numbers],
            element("td", class_="length"),
        ),
    )


def _row(group: Group, cell: Cell, speech: Localizer) -> Markup:
    label = (
        speech.translate("merged") if cell.key == MERGED_KEY else speech.get_cell_label(group.name, cell.key)
    )
    return element(
        "tr",
        element("th", label, scope="row"),
        element("td", speech.format_number(cell.count), class_="number"),
        element("td", charts.bar(_part(cell.count, group.max_count)), class_="length"),
    )


def _cost(figures: ReportData, speech: Localizer) -> Markup:
    texts = figures.sms
    told = [
        (speech.translate("texts_rupiah"), speech.format_rupiah(int(texts["rupiah"]))),
        (speech.translate("texts_parts"), speech.format_number(int(texts["parts"]))),
        (speech.translate("texts_unknown_share"), speech.format_share(float(texts["unknown_share"]))),
    ]
    return element("p", " · ".join(f"{label}: {value}" for label, value in told), class_="soft")


def _part(count: int, most: int) -> float:
    return count / most if most else 0.0


def _footer(figures: ReportData, speech: Localizer) -> Markup:
    return element(
        "footer",
        element("p", speech.translate("made_by")),
        element("p", speech.translate("page_hash", hash=figures.content_hash[:16])),
    )
