"""The mail that a manager gets once a day: HTML that old mail programs show, a text part, and a workbook.

Everything in it is without small groups. Its bars are cells of tables and its styles stand on the elements:
many mail programs know neither SVG nor style sheets.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.languages import Language
from chalicelib.rollups.renderings import narrative, xlsx
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.markup import Inside, Markup, element
from chalicelib.rollups.renderings.report_data import MERGED_KEY, Cell, Group, ReportData, build_report_data
from chalicelib.rollups.renderings.small_groups import MIN_GROUP_SIZE, suppress_small_groups
from chalicelib.rollups.report import Report

_FONT = "font-family:Arial,Helvetica,sans-serif;"
_INK, _SOFT, _GREEN, _RAIL, _LINE = "#13261d", "#4b5d54", "#0b7a4b", "#e1ebe5", "#d5dfd9"
_BADGES = {"provisional": ("#7a4b00", "#fff2d1"), "final": ("#0a5230", "#d9f2e3")}
_TEXT = f"{_FONT}color:{_INK};font-size:16px;line-height:24px;margin:0;"
_SOFT_TEXT = f"{_FONT}color:{_SOFT};font-size:14px;line-height:21px;margin:0;"
_HEADING = f"{_FONT}color:{_INK};font-size:18px;line-height:24px;margin:24px 0 6px;"
_CELL = f"{_FONT}color:{_INK};font-size:15px;line-height:20px;padding:5px 0;border-top:1px solid {_LINE};"

_NO_LINE_BREAK = str.maketrans("\r\n", "  ")
_RULE = "-" * 40


@dataclass(frozen=True)
class Mail:
    """One mail, and what is attached to it."""

    subject: str
    html: str
    text: str
    workbook: bytes


def compose(report: Report, language: Language) -> Mail:
    """The mail about a campaign day."""
    figures, speech = suppress_small_groups(build_report_data(report)), Localizer(language)
    return Mail(
        subject=_subject(figures, speech),
        html=_html(figures, speech),
        text="\n".join(_text(figures, speech)) + "\n",
        workbook=xlsx.render_report_data(figures, language),
    )


def _subject(figures: ReportData, speech: Localizer) -> str:
    return speech.translate(
        "mail_subject",
        state=speech.translate(str(figures.state)),
        created=speech.format_number(figures.created),
        campaign=figures.campaign.name,
        day=speech.format_day(figures.day),
    ).translate(_NO_LINE_BREAK)


def _html(figures: ReportData, speech: Localizer) -> str:
    title = speech.translate("title", campaign=figures.campaign.name, day=speech.format_day(figures.day))
    return "<!doctype html>\n" + element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
        ),
        element(
            "body",
            _layout(
                element(
                    "td",
                    _layout(
                        element(
                            "td",
                            _body(figures, speech),
                            style="padding:20px 16px 32px;overflow-wrap:anywhere;word-break:break-word;",
                        ),
                        width="100%",
                        style="max-width:640px;background:#ffffff;table-layout:fixed;",
                    ),
                    align="center",
                ),
                width="100%",
            ),
            style="margin:0;padding:0;background:#ffffff;",
        ),
        lang=speech.language,
    )


def _layout(*cells: Markup, **attributes: str) -> Markup:
    return element(
        "table",
        element("tr", *cells),
        role="presentation",
        cellpadding="0",
        cellspacing="0",
        border="0",
        **attributes,
    )


def _body(figures: ReportData, speech: Localizer) -> Markup:
    return element(
        "main",
        _head(figures, speech),
        _answer(figures, speech),
        _changed(figures, speech),
        _unusual(figures, speech),
        _at_a_glance(figures, speech),
        [_group(figures, group, speech) for group in figures.groups],
        element(
            "p", speech.translate("small_groups", least=MIN_GROUP_SIZE), style=f"{_SOFT_TEXT}margin-top:28px;"
        ),
        element("p", speech.translate("attachment_told"), style=_SOFT_TEXT),
    )


def _head(figures: ReportData, speech: Localizer) -> Inside:
    ink, paper = _BADGES[str(figures.state)]
    badge = f"color:{ink};background:{paper};font-weight:bold;padding:2px 10px;border-radius:12px;"
    standing = f" {_version(figures, speech)}"
    return [
        element(
            "p", element("strong", figures.campaign.name), f" · {figures.campaign.place}", style=_SOFT_TEXT
        ),
        element(
            "h1",
            speech.format_day(figures.day),
            style=f"{_FONT}color:{_INK};font-size:26px;line-height:32px;margin:4px 0 8px;",
        ),
        element(
            "p",
            element("span", speech.translate(str(figures.state)), style=badge),
            standing,
            style=_SOFT_TEXT,
        ),
    ]


def _version(figures: ReportData, speech: Localizer) -> str:
    counted = speech.translate(
        "counted", moment=speech.format_datetime(figures.counted_at, figures.campaign.zone)
    )
    return f"{narrative.describe_version(figures, speech)}. {counted}."


def _answer(figures: ReportData, speech: Localizer) -> Iterator[Markup]:
    share, missing = figures.share_of_target, narrative.describe_remaining(figures, speech)
    huge = f"{_FONT}color:{_GREEN};font-size:64px;line-height:68px;font-weight:bold;margin:20px 0 0;"
    yield element("p", speech.format_number(figures.created), style=huge)
    yield element("p", element("strong", speech.translate("registered")), style=_TEXT)
    yield element("p", narrative.describe_progress(figures, speech), style=f"{_TEXT}margin-top:12px;")
    if share is not None:
        yield _bar(share, height=14)
    if missing is not None:
        yield element("p", missing, style=_SOFT_TEXT)


def _bar(part: float, *, height: int) -> Markup:
    """A bar of two cells: the filled part, and the rest."""
    filled = round(100 * min(max(part, 0.0), 1.0))
    widths = [(filled, _GREEN), (100 - filled, _RAIL)]
    cells = [
        element(
            "td",
            width=f"{width}%",
            height=height,
            bgcolor=colour,
            style=f"font-size:1px;line-height:{height}px;",
        )
        for width, colour in widths
        if width
    ]
    return _layout(*cells, width="100%", aria_hidden="true", style="margin:6px 0;")


def _changed(figures: ReportData, speech: Localizer) -> Iterator[Markup]:
    changes = list(narrative.describe_changes(figures, speech))
    earlier = list(narrative.describe_revisions(figures, speech))
    yield element("h2", speech.translate("what_changed"), style=_HEADING)
    yield _list(changes) if changes else element("p", _unchanged(figures, speech), style=_TEXT)
    if earlier:
        yield element(
            "h3", speech.translate("earlier_days"), style=f"{_TEXT}font-weight:bold;margin-top:10px;"
        )
        yield _list(earlier)
    yield element("p", speech.translate(f"{figures.state}_means"), style=f"{_SOFT_TEXT}margin-top:6px;")


def _unchanged(figures: ReportData, speech: Localizer) -> str:
    if figures.version == 1:
        return speech.translate("first_version")
    return speech.translate("first_report" if figures.is_first else "nothing_changed")


def _unusual(figures: ReportData, speech: Localizer) -> Iterator[Markup]:
    found = list(narrative.describe_anomalies(figures, speech))
    if found:
        yield element("h2", speech.translate("for_a_look"), style=_HEADING)
        yield element("p", speech.translate("accuses_nobody"), style=_SOFT_TEXT)
        yield _list(found)


def _list(sentences: list[str]) -> Markup:
    return element(
        "ul",
        [element("li", sentence, style=f"{_TEXT}padding:2px 0;") for sentence in sentences],
        style="margin:0;padding:0 0 0 20px;",
    )


def _at_a_glance(figures: ReportData, speech: Localizer) -> Markup | None:
    told = list(_headlines(figures, speech))
    if not told:
        return None
    rows = [
        element(
            "tr",
            element("th", label, scope="row", align="left", width="60%", style=f"{_CELL}font-weight:normal;"),
            element("td", value, align="right", style=f"{_CELL}font-weight:bold;white-space:nowrap;"),
        )
        for label, value in told
    ]
    return _table(speech.translate("at_a_glance"), rows)


def _headlines(figures: ReportData, speech: Localizer) -> Iterator[tuple[str, str]]:
    for name, count in figures.counts.items():
        yield speech.get_count_label(name), speech.format_number(count)
    for name, rupiah in figures.money.items():
        yield speech.translate(f"money_{name}"), speech.format_rupiah(rupiah)
    if figures.sms:
        yield speech.translate("texts_rupiah"), speech.format_rupiah(int(figures.sms["rupiah"]))
    if "unknown_share" in figures.sms:
        unknown = f"{speech.translate('texts')}: {speech.translate('texts_unknown_share')}"
        yield unknown, speech.format_share(float(figures.sms["unknown_share"]))


def _group(figures: ReportData, group: Group, speech: Localizer) -> Inside:
    name = speech.get_group_label(group.name, figures.campaign.zone)
    if group.is_withheld:
        return [
            element("h2", name, style=_HEADING),
            element("p", speech.translate("withheld"), style=_SOFT_TEXT),
        ]
    return _table(name, [_row(group, cell, speech) for cell in group.cells])


def _table(name: str, rows: list[Markup]) -> Markup:
    return element(
        "table",
        element(
            "caption",
            name,
            align="left",
            style=f"{_HEADING}font-weight:bold;text-align:left;padding-top:24px;margin:0;",
        ),
        rows,
        width="100%",
        cellpadding="0",
        cellspacing="0",
        border="0",
        style="border-collapse:collapse;table-layout:fixed;",
    )


def _row(group: Group, cell: Cell, speech: Localizer) -> Markup:
    part = cell.count / group.max_count if group.max_count else 0.0
    return element(
        "tr",
        element(
            "th",
            _name(group, cell, speech),
            scope="row",
            align="left",
            width="50%",
            style=f"{_CELL}font-weight:normal;padding-right:10px;",
        ),
        element(
            "td",
            speech.format_number(cell.count),
            align="right",
            width="16%",
            style=f"{_CELL}font-weight:bold;white-space:nowrap;padding-right:12px;",
        ),
        element("td", _bar(part, height=10), width="34%", style=_CELL),
    )


def _name(group: Group, cell: Cell, speech: Localizer) -> str:
    return (
        speech.translate("merged") if cell.key == MERGED_KEY else speech.get_cell_label(group.name, cell.key)
    )


def _text(figures: ReportData, speech: Localizer) -> Iterator[str]:
    campaign = figures.campaign
    state = speech.translate(str(figures.state))
    missing = narrative.describe_remaining(figures, speech)
    yield f"{campaign.name}, {campaign.place}".translate(_NO_LINE_BREAK)
    yield speech.format_day(figures.day)
    yield f"{state}. {_version(figures, speech)}"
    yield ""
    yield f"{speech.format_number(figures.created)} {speech.translate('registered')}"
    yield (
        f"{narrative.describe_progress(figures, speech)} ({missing})"
        if missing
        else narrative.describe_progress(figures, speech)
    )
    yield ""
    yield speech.translate("what_changed").upper()
    yield from _items(narrative.describe_changes(figures, speech), _unchanged(figures, speech))
    yield from _section(speech.translate("earlier_days"), narrative.describe_revisions(figures, speech))
    yield speech.translate(f"{figures.state}_means")
    yield from _section(speech.translate("for_a_look"), narrative.describe_anomalies(figures, speech))
    headlines = (f"{label}: {value}" for label, value in _headlines(figures, speech))
    yield from _section(speech.translate("at_a_glance"), headlines)
    for group in figures.groups:
        yield ""
        yield speech.get_group_label(group.name, campaign.zone).upper()
        if group.is_withheld:
            yield speech.translate("withheld")
        for cell in group.cells:
            yield f"{speech.format_number(cell.count):>8}  {_name(group, cell, speech)}"
    yield ""
    yield _RULE
    yield speech.translate("small_groups", least=MIN_GROUP_SIZE)
    yield speech.translate("attachment_told")


def _items(sentences: Iterator[str], otherwise: str) -> Iterator[str]:
    found = list(sentences)
    yield from (f"- {sentence}" for sentence in found)
    if not found:
        yield otherwise


def _section(name: str, sentences: Iterator[str]) -> Iterator[str]:
    found = list(sentences)
    if found:
        yield ""
        yield name.upper()
        yield from (f"- {sentence}" for sentence in found)
