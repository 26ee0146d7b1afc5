"""A campaign day as a workbook: numbers are numbers and days are days, so that it can be reckoned with."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from chalicelib.languages import Language
from chalicelib.rollups.renderings import narrative, spreadsheet
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import MERGED_KEY, Group, ReportData, build_report_data
from chalicelib.rollups.renderings.spreadsheet import Rupiah, Share, Sheet, Value
from chalicelib.rollups.report import Report

Row = tuple[Value, ...]


def render_workbook(report: Report, language: Language) -> bytes:
    """All that a report tells. It may not be mailed: `mail.compose` makes the one that may."""
    return render_report_data(build_report_data(report), language)


def render_report_data(figures: ReportData, language: Language) -> bytes:
    """The figures as a file."""
    speech = Localizer(language)
    sheets = (_summary, _breakdowns, _days, _changes, _notes, _oddities)
    return spreadsheet.workbook([sheet(figures, speech) for sheet in sheets])


def _columns(speech: Localizer, **widths: int) -> Sequence[tuple[str, int]]:
    return [(speech.translate(phrase), width) for phrase, width in widths.items()]


def _summary(figures: ReportData, speech: Localizer) -> Sheet:
    return Sheet(
        name=speech.translate("sheet_summary"),
        columns=_columns(speech, column_figure=36, column_value=32, column_unit=18),
        rows=[*_circumstances(figures, speech), *_headlines(figures, speech)],
    )


def _circumstances(figures: ReportData, speech: Localizer) -> Iterator[Row]:
    campaign = figures.campaign
    zone = speech.get_zone_label(campaign.zone)
    yield speech.translate("campaign"), campaign.name, None
    yield speech.translate("campaign_id"), campaign.campaign_id, None
    yield speech.translate("place"), campaign.place, None
    yield speech.translate("branch_label"), campaign.branch, None
    yield speech.translate("day"), figures.day, None
    yield speech.translate("column_version"), figures.version, None
    yield speech.translate("state_column"), speech.translate(str(figures.state)), None
    yield (
        speech.translate("counted_at", zone=zone),
        figures.counted_at.astimezone(ZoneInfo(campaign.zone)),
        None,
    )


def _headlines(figures: ReportData, speech: Localizer) -> Iterator[Row]:
    people, forms = speech.translate("unit_people"), speech.translate("unit_forms")
    yield speech.get_count_label("created"), figures.created, people
    for name, count in figures.counts.items():
        yield speech.get_count_label(name), count, forms
    yield speech.translate("so_far"), figures.cumulative, people
    yield speech.translate("target"), figures.campaign.target, people
    for name, rupiah in figures.money.items():
        yield speech.translate(f"money_{name}"), Rupiah(rupiah), speech.translate("unit_rupiah")
    for name, value in figures.sms.items():
        yield _of_texts(name, value, speech)


def _of_texts(name: str, value: float, speech: Localizer) -> Row:
    label = speech.translate(f"texts_{name}")
    if name == "rupiah":
        return label, Rupiah(value), speech.translate("unit_rupiah")
    if name == "unknown_share":
        return f"{speech.translate('texts')}: {label}", Share(value), speech.translate("unit_share")
    return label, value, speech.translate("unit_parts" if name == "parts" else "unit_texts")


def _breakdowns(figures: ReportData, speech: Localizer) -> Sheet:
    return Sheet(
        name=speech.translate("sheet_breakdowns"),
        columns=_columns(speech, column_group=36, column_key=24, column_label=40, count=12),
        rows=[row for group in figures.groups for row in _cells(figures, group, speech)],
    )


def _cells(figures: ReportData, group: Group, speech: Localizer) -> Iterator[Row]:
    name = speech.get_group_label(group.name, figures.campaign.zone)
    if group.is_withheld:
        yield name, None, speech.translate("withheld"), None
    for cell in group.cells:
        label = (
            speech.translate("merged")
            if cell.key == MERGED_KEY
            else speech.get_cell_label(group.name, cell.key)
        )
        yield name, cell.key or None, label, cell.count


def _days(figures: ReportData, speech: Localizer) -> Sheet:
    return Sheet(
        name=speech.translate("sheet_days"),
        columns=_columns(
            speech, day=14, created_column=14, cumulative_column=14, column_version=10, state_column=16
        ),
        rows=[
            (day.day, day.created, day.cumulative, day.version, speech.translate(str(day.state)))
            for day in figures.curve
        ],
    )


def _changes(figures: ReportData, speech: Localizer) -> Sheet:
    return Sheet(
        name=speech.translate("sheet_changes"),
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


def _notes(figures: ReportData, speech: Localizer) -> Sheet:
    of_the_day = [(figures.day, note) for note in figures.notes]
    of_earlier_days = [(each.day, note) for each in figures.revisions for note in each.notes]
    return Sheet(
        name=speech.translate("sheet_notes"),
        columns=_columns(speech, day=14, column_difference=14, column_client=24, column_received_on=14),
        rows=[
            (day, note.difference, note.client_id, note.received_on)
            for day, note in (*of_the_day, *of_earlier_days)
        ],
    )


def _oddities(figures: ReportData, speech: Localizer) -> Sheet:
    told = narrative.describe_anomalies(figures, speech)
    return Sheet(
        name=speech.translate("sheet_oddities"),
        columns=_columns(speech, column_pattern=72, column_client=24, column_workers=12, column_usual=12),
        rows=[
            (sentence, oddity.client_id, oddity.workers or None, oddity.usual)
            for sentence, oddity in zip(told, figures.anomalies, strict=True)
        ],
    )
