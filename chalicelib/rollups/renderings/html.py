"""The page of a campaign day: whole in itself, without scripts, for a phone, a desk and a printer.

It leads with the answer, then says what changed and why; the details come after.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chalicelib.rollups.renderings import charts, telling
from chalicelib.rollups.renderings.figures import MERGED, Cell, Figures, Group, figures_of
from chalicelib.rollups.renderings.markup import Markup, element, together, verbatim
from chalicelib.rollups.renderings.words import Language, Speech
from chalicelib.rollups.report import Report

_STYLE = Path(__file__).with_name("page.css")
# A campaign may last a year; the chart has all of its days, the table the newest.
_DAYS_IN_TABLE = 31


def page(report: Report, language: Language) -> str:
    """The whole document."""
    figures, speech = figures_of(report), Speech(language)
    title = speech.say("title", campaign=figures.campaign.name, day=speech.day(figures.day))
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


def _header(figures: Figures, speech: Speech) -> Markup:
    campaign, state = figures.campaign, str(figures.state)
    return element(
        "header",
        element(
            "p",
            element("strong", campaign.name),
            f" · {campaign.place} · {speech.say('branch', branch=campaign.branch)}",
            class_="campaign",
        ),
        element(
            "h1",
            element("span", f"{speech.say('daily_summary')}: ", class_="hidden"),
            speech.day(figures.day),
        ),
        element(
            "p",
            element("span", speech.say(state), class_=f"badge {state}"),
            element("span", telling.version(figures, speech)),
            element("span", speech.say("counted", moment=speech.moment(figures.counted_at, campaign.zone))),
            class_="standing",
        ),
    )


def _main(figures: Figures, speech: Speech) -> Markup:
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


def _lead(figures: Figures, speech: Speech) -> Markup:
    share, active = figures.share_of_target, figures.active
    return element(
        "section",
        element(
            "div",
            element(
                "p",
                element("span", speech.number(figures.created), class_="huge"),
                element("span", speech.say("registered"), class_="what"),
            ),
            element("p", speech.say("active_now", active=speech.number(active)), class_="soft")
            if active is not None
            else None,
        ),
        element(
            "div",
            element("h2", speech.say("so_far"), class_="soft"),
            element("p", telling.progress(figures, speech), class_="what"),
            charts.bar(share, kind="rail") if share is not None else None,
            element("p", telling.missing(figures, speech), class_="soft"),
        ),
        class_="lead",
    )


def _glance(figures: Figures, speech: Speech) -> Markup:
    cells = [(speech.count(name), speech.number(count)) for name, count in figures.counts.items()]
    cells += [(speech.say(f"money_{name}"), speech.rupiah(rupiah)) for name, rupiah in figures.money.items()]
    return together(
        element("h2", speech.say("at_a_glance"), class_="hidden"),
        element(
            "dl",
            [element("div", element("dt", label), element("dd", value)) for label, value in cells],
            class_="glance",
        ),
    )


def _changed(figures: Figures, speech: Speech) -> Markup:
    changes = list(telling.changes(figures, speech))
    if figures.version == 1:
        told = element("p", speech.say("first_version"))
    elif changes:
        told = _list(changes)
    else:
        told = element("p", speech.say("nothing_changed"))
    earlier = list(telling.revisions(figures, speech))
    return element(
        "section",
        element("h2", speech.say("what_changed")),
        told,
        [element("h3", speech.say("earlier_days")), _list(earlier)] if earlier else None,
        element("p", speech.say(f"{figures.state}_means"), class_="soft"),
        class_="told",
    )


def _unusual(figures: Figures, speech: Speech) -> Markup | None:
    found = list(telling.oddities(figures, speech))
    if not found:
        return None
    return element(
        "section",
        element("h2", speech.say("for_a_look")),
        element("p", speech.say("accuses_nobody"), class_="soft"),
        _list(found),
        class_="told look",
    )


def _list(sentences: list[str]) -> Markup:
    return element("ul", [element("li", sentence) for sentence in sentences])


def _days(figures: Figures, speech: Speech) -> Markup | None:
    if not figures.curve:
        return None
    return element(
        "section",
        element("h2", speech.say("the_days")),
        element(
            "div",
            charts.curve(figures, speech),
            element(
                "table",
                element("caption", speech.say("the_days"), class_="hidden"),
                _heads(speech, "day", "created_column", "cumulative_column"),
                element("tbody", _rows_of_days(figures, speech)),
            ),
            class_="beside",
        ),
        class_="days",
    )


def _rows_of_days(figures: Figures, speech: Speech) -> Iterator[Markup]:
    most = max(day.created for day in figures.curve)
    for day in figures.curve[-_DAYS_IN_TABLE:]:
        yield element(
            "tr",
            element("th", speech.day_of_year(day.day), scope="row"),
            element("td", speech.number(day.created), class_="number"),
            element("td", speech.number(day.cumulative), class_="number"),
            element("td", charts.bar(_part(day.created, most)), class_="length"),
        )


def _parts(figures: Figures, speech: Speech) -> Markup:
    return element("div", [_part_of(figures, group, speech) for group in figures.groups], class_="parts")


def _part_of(figures: Figures, group: Group, speech: Speech) -> Markup:
    note = speech.note_on(group.name)
    return element(
        "section",
        element(
            "table",
            element(
                "caption",
                speech.group(group.name, figures.campaign.zone),
                element("small", note) if note else None,
            ),
            _heads(speech, "kind", "count"),
            element("tbody", [_row(group, cell, speech) for cell in group.cells]),
        ),
        _cost(figures, speech) if group.name == "texts" else None,
        class_="part",
    )


def _heads(speech: Speech, name: str, *numbers: str) -> Markup:
    return element(
        "thead",
        element(
            "tr",
            element("th", speech.say(name), scope="col"),
            [element("th", speech.say(number), scope="col", class_="number") for number in numbers],
            element("td", class_="length"),
        ),
    )


def _row(group: Group, cell: Cell, speech: Speech) -> Markup:
    label = speech.say("merged") if cell.key == MERGED else speech.label(group.name, cell.key)
    return element(
        "tr",
        element("th", label, scope="row"),
        element("td", speech.number(cell.count), class_="number"),
        element("td", charts.bar(_part(cell.count, group.most)), class_="length"),
    )


def _cost(figures: Figures, speech: Speech) -> Markup:
    texts = figures.texts
    told = [
        (speech.say("texts_rupiah"), speech.rupiah(int(texts["rupiah"]))),
        (speech.say("texts_parts"), speech.number(int(texts["parts"]))),
        (speech.say("texts_unknown_share"), speech.share(float(texts["unknown_share"]))),
    ]
    return element("p", " · ".join(f"{label}: {value}" for label, value in told), class_="soft")


def _part(count: int, most: int) -> float:
    return count / most if most else 0.0


def _footer(figures: Figures, speech: Speech) -> Markup:
    return element(
        "footer",
        element("p", speech.say("made_by")),
        element("p", speech.say("page_hash", hash=figures.content_hash[:16])),
    )
