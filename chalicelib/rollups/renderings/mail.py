"""The mail that a manager gets once a day: HTML that old mail programs show, a text part, and a workbook.

Everything in it is without small groups. Its bars are cells of tables and its styles stand on the elements:
many mail programs know neither SVG nor style sheets.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.rollups.renderings import telling, xlsx
from chalicelib.rollups.renderings.figures import MERGED, Cell, Figures, Group, figures_of
from chalicelib.rollups.renderings.markup import Inside, Markup, element
from chalicelib.rollups.renderings.small_groups import LEAST, without_small_groups
from chalicelib.rollups.renderings.words import Language, Speech
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
    figures, speech = without_small_groups(figures_of(report)), Speech(language)
    return Mail(
        subject=_subject(figures, speech),
        html=_html(figures, speech),
        text="\n".join(_text(figures, speech)) + "\n",
        workbook=xlsx.workbook_of(figures, language),
    )


def _subject(figures: Figures, speech: Speech) -> str:
    return speech.say(
        "mail_subject",
        state=speech.say(str(figures.state)),
        created=speech.number(figures.created),
        campaign=figures.campaign.name,
        day=speech.day(figures.day),
    ).translate(_NO_LINE_BREAK)


def _html(figures: Figures, speech: Speech) -> str:
    title = speech.say("title", campaign=figures.campaign.name, day=speech.day(figures.day))
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


def _body(figures: Figures, speech: Speech) -> Markup:
    return element(
        "main",
        _head(figures, speech),
        _answer(figures, speech),
        _changed(figures, speech),
        _unusual(figures, speech),
        _at_a_glance(figures, speech),
        [_group(figures, group, speech) for group in figures.groups],
        element("p", speech.say("small_groups", least=LEAST), style=f"{_SOFT_TEXT}margin-top:28px;"),
        element("p", speech.say("attachment_told"), style=_SOFT_TEXT),
    )


def _head(figures: Figures, speech: Speech) -> Inside:
    ink, paper = _BADGES[str(figures.state)]
    badge = f"color:{ink};background:{paper};font-weight:bold;padding:2px 10px;border-radius:12px;"
    standing = f" {_version(figures, speech)}"
    return [
        element(
            "p", element("strong", figures.campaign.name), f" · {figures.campaign.place}", style=_SOFT_TEXT
        ),
        element(
            "h1",
            speech.day(figures.day),
            style=f"{_FONT}color:{_INK};font-size:26px;line-height:32px;margin:4px 0 8px;",
        ),
        element(
            "p", element("span", speech.say(str(figures.state)), style=badge), standing, style=_SOFT_TEXT
        ),
    ]


def _version(figures: Figures, speech: Speech) -> str:
    counted = speech.say("counted", moment=speech.moment(figures.counted_at, figures.campaign.zone))
    return f"{telling.version(figures, speech)}. {counted}."


def _answer(figures: Figures, speech: Speech) -> Iterator[Markup]:
    share, missing = figures.share_of_target, telling.missing(figures, speech)
    huge = f"{_FONT}color:{_GREEN};font-size:64px;line-height:68px;font-weight:bold;margin:20px 0 0;"
    yield element("p", speech.number(figures.created), style=huge)
    yield element("p", element("strong", speech.say("registered")), style=_TEXT)
    yield element("p", telling.progress(figures, speech), style=f"{_TEXT}margin-top:12px;")
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


def _changed(figures: Figures, speech: Speech) -> Iterator[Markup]:
    changes = list(telling.changes(figures, speech))
    earlier = list(telling.revisions(figures, speech))
    yield element("h2", speech.say("what_changed"), style=_HEADING)
    yield _list(changes) if changes else element("p", _unchanged(figures, speech), style=_TEXT)
    if earlier:
        yield element("h3", speech.say("earlier_days"), style=f"{_TEXT}font-weight:bold;margin-top:10px;")
        yield _list(earlier)
    yield element("p", speech.say(f"{figures.state}_means"), style=f"{_SOFT_TEXT}margin-top:6px;")


def _unchanged(figures: Figures, speech: Speech) -> str:
    if figures.version == 1:
        return speech.say("first_version")
    return speech.say("first_report" if figures.is_first else "nothing_changed")


def _unusual(figures: Figures, speech: Speech) -> Iterator[Markup]:
    found = list(telling.oddities(figures, speech))
    if found:
        yield element("h2", speech.say("for_a_look"), style=_HEADING)
        yield element("p", speech.say("accuses_nobody"), style=_SOFT_TEXT)
        yield _list(found)


def _list(sentences: list[str]) -> Markup:
    return element(
        "ul",
        [element("li", sentence, style=f"{_TEXT}padding:2px 0;") for sentence in sentences],
        style="margin:0;padding:0 0 0 20px;",
    )


def _at_a_glance(figures: Figures, speech: Speech) -> Markup | None:
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
    return _table(speech.say("at_a_glance"), rows)


def _headlines(figures: Figures, speech: Speech) -> Iterator[tuple[str, str]]:
    for name, count in figures.counts.items():
        yield speech.count(name), speech.number(count)
    for name, rupiah in figures.money.items():
        yield speech.say(f"money_{name}"), speech.rupiah(rupiah)
    if figures.texts:
        yield speech.say("texts_rupiah"), speech.rupiah(int(figures.texts["rupiah"]))
    if "unknown_share" in figures.texts:
        unknown = f"{speech.say('texts')}: {speech.say('texts_unknown_share')}"
        yield unknown, speech.share(float(figures.texts["unknown_share"]))


def _group(figures: Figures, group: Group, speech: Speech) -> Inside:
    name = speech.group(group.name, figures.campaign.zone)
    if group.withheld:
        return [
            element("h2", name, style=_HEADING),
            element("p", speech.say("withheld"), style=_SOFT_TEXT),
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


def _row(group: Group, cell: Cell, speech: Speech) -> Markup:
    part = cell.count / group.most if group.most else 0.0
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
            speech.number(cell.count),
            align="right",
            width="16%",
            style=f"{_CELL}font-weight:bold;white-space:nowrap;padding-right:12px;",
        ),
        element("td", _bar(part, height=10), width="34%", style=_CELL),
    )


def _name(group: Group, cell: Cell, speech: Speech) -> str:
    return speech.say("merged") if cell.key == MERGED else speech.label(group.name, cell.key)


def _text(figures: Figures, speech: Speech) -> Iterator[str]:
    campaign = figures.campaign
    state = speech.say(str(figures.state))
    missing = telling.missing(figures, speech)
    yield f"{campaign.name}, {campaign.place}".translate(_NO_LINE_BREAK)
    yield speech.day(figures.day)
    yield f"{state}. {_version(figures, speech)}"
    yield ""
    yield f"{speech.number(figures.created)} {speech.say('registered')}"
    yield f"{telling.progress(figures, speech)} ({missing})" if missing else telling.progress(figures, speech)
    yield ""
    yield speech.say("what_changed").upper()
    yield from _items(telling.changes(figures, speech), _unchanged(figures, speech))
    yield from _section(speech.say("earlier_days"), telling.revisions(figures, speech))
    yield speech.say(f"{figures.state}_means")
    yield from _section(speech.say("for_a_look"), telling.oddities(figures, speech))
    headlines = (f"{label}: {value}" for label, value in _headlines(figures, speech))
    yield from _section(speech.say("at_a_glance"), headlines)
    for group in figures.groups:
        yield ""
        yield speech.group(group.name, campaign.zone).upper()
        if group.withheld:
            yield speech.say("withheld")
        for cell in group.cells:
            yield f"{speech.number(cell.count):>8}  {_name(group, cell, speech)}"
    yield ""
    yield _RULE
    yield speech.say("small_groups", least=LEAST)
    yield speech.say("attachment_told")


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
