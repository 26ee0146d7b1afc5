"""A campaign day as a workbook: numbers are numbers and days are days, so that it can be reckoned with."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from chalicelib.rollups.renderings import spreadsheet, telling
from chalicelib.rollups.renderings.figures import MERGED, Figures, Group, figures_of
from chalicelib.rollups.renderings.spreadsheet import Rupiah, Share, Sheet, Value
from chalicelib.rollups.renderings.words import Language, Speech
from chalicelib.rollups.report import Report

Row = tuple[Value, ...]


def workbook(report: Report, language: Language) -> bytes:
    """All that a report tells. It may not be mailed: `mail.compose` makes the one that may."""
    return workbook_of(figures_of(report), language)


def workbook_of(figures: Figures, language: Language) -> bytes:
    """The figures as a file."""
    speech = Speech(language)
    sheets = (_summary, _breakdowns, _days, _changes, _notes, _oddities)
    return spreadsheet.workbook([sheet(figures, speech) for sheet in sheets])


def _columns(speech: Speech, **widths: int) -> Sequence[tuple[str, int]]:
    return [(speech.say(phrase), width) for phrase, width in widths.items()]


def _summary(figures: Figures, speech: Speech) -> Sheet:
    return Sheet(
        name=speech.say("sheet_summary"),
        columns=_columns(speech, column_figure=36, column_value=32, column_unit=18),
        rows=[*_circumstances(figures, speech), *_headlines(figures, speech)],
    )


def _circumstances(figures: Figures, speech: Speech) -> Iterator[Row]:
    campaign = figures.campaign
    zone = speech.zone(campaign.zone)
    yield speech.say("campaign"), campaign.name, None
    yield speech.say("campaign_id"), campaign.campaign_id, None
    yield speech.say("place"), campaign.place, None
    yield speech.say("branch_label"), campaign.branch, None
    yield speech.say("day"), figures.day, None
    yield speech.say("column_version"), figures.version, None
    yield speech.say("state_column"), speech.say(str(figures.state)), None
    yield speech.say("counted_at", zone=zone), figures.counted_at.astimezone(ZoneInfo(campaign.zone)), None


def _headlines(figures: Figures, speech: Speech) -> Iterator[Row]:
    people, forms = speech.say("unit_people"), speech.say("unit_forms")
    yield speech.count("created"), figures.created, people
    for name, count in figures.counts.items():
        yield speech.count(name), count, forms
    yield speech.say("so_far"), figures.cumulative, people
    yield speech.say("target"), figures.campaign.target, people
    for name, rupiah in figures.money.items():
        yield speech.say(f"money_{name}"), Rupiah(rupiah), speech.say("unit_rupiah")
    for name, value in figures.texts.items():
        yield _of_texts(name, value, speech)


def _of_texts(name: str, value: float, speech: Speech) -> Row:
    label = speech.say(f"texts_{name}")
    if name == "rupiah":
        return label, Rupiah(value), speech.say("unit_rupiah")
    if name == "unknown_share":
        return f"{speech.say('texts')}: {label}", Share(value), speech.say("unit_share")
    return label, value, speech.say("unit_parts" if name == "parts" else "unit_texts")


def _breakdowns(figures: Figures, speech: Speech) -> Sheet:
    return Sheet(
        name=speech.say("sheet_breakdowns"),
        columns=_columns(speech, column_group=36, column_key=24, column_label=40, count=12),
        rows=[row for group in figures.groups for row in _cells(figures, group, speech)],
    )


def _cells(figures: Figures, group: Group, speech: Speech) -> Iterator[Row]:
    name = speech.group(group.name, figures.campaign.zone)
    if group.withheld:
        yield name, None, speech.say("withheld"), None
    for cell in group.cells:
        label = speech.say("merged") if cell.key == MERGED else speech.label(group.name, cell.key)
        yield name, cell.key or None, label, cell.count


def _days(figures: Figures, speech: Speech) -> Sheet:
    return Sheet(
        name=speech.say("sheet_days"),
        columns=_columns(
            speech, day=14, created_column=14, cumulative_column=14, column_version=10, state_column=16
        ),
        rows=[
            (day.day, day.created, day.cumulative, day.version, speech.say(str(day.state)))
            for day in figures.curve
        ],
    )


def _changes(figures: Figures, speech: Speech) -> Sheet:
    return Sheet(
        name=speech.say("sheet_changes"),
        columns=_columns(
            speech, day=14, column_figure=36, column_was=14, column_now=14, column_difference=14
        ),
        rows=[
            *(
                (figures.day, change.figure, change.was, change.now, change.now - change.was)
                for change in figures.changes
            ),
            *(
                (each.day, "counts.created", each.was, each.now, each.now - each.was)
                for each in figures.revisions
            ),
        ],
    )


def _notes(figures: Figures, speech: Speech) -> Sheet:
    of_the_day = [(figures.day, note) for note in figures.notes]
    of_earlier_days = [(each.day, note) for each in figures.revisions for note in each.notes]
    return Sheet(
        name=speech.say("sheet_notes"),
        columns=_columns(speech, day=14, column_difference=14, column_client=24, column_received_on=14),
        rows=[
            (day, note.difference, note.client_id, note.received_on)
            for day, note in (*of_the_day, *of_earlier_days)
        ],
    )


def _oddities(figures: Figures, speech: Speech) -> Sheet:
    told = telling.oddities(figures, speech)
    return Sheet(
        name=speech.say("sheet_oddities"),
        columns=_columns(speech, column_pattern=72, column_client=24, column_workers=12, column_usual=12),
        rows=[
            (sentence, oddity.client_id, oddity.workers or None, oddity.usual)
            for sentence, oddity in zip(told, figures.oddities, strict=True)
        ],
    )
