"""CSV and XLSX: numbers are numbers, days are days, nothing is a formula, every figure is that of JSON."""

import csv as csv_reader
import io
import re
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.cell import Cell, MergedCell

from chalicelib.languages import LANGUAGES, Language
from chalicelib.rollups.renderings import csv, xlsx
from chalicelib.rollups.report import Report
from tests.support.report_builders import FIRST_DAY, SECOND_DAY, make_report
from tests.support.report_figures import TOTAL_LABELS, list_breakdown_cells, list_json_figures

FORMULA = '=HYPERLINK("http://example.com","x")'


def read_rows(report: Report) -> list[dict[str, str]]:
    return list(csv_reader.DictReader(io.StringIO(csv.render_csv(report), newline="")))


def read_workbook(report: Report, language: Language = "id") -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(xlsx.render_workbook(report, language)))


def read_summary_cells(workbook: openpyxl.Workbook) -> dict[Any, Cell | MergedCell]:
    """Return the value cells of the first sheet by their labels."""
    return {row[0].value: row[1] for row in workbook["Ringkasan"].rows}


def test_the_csv_has_exactly_the_figures_of_json() -> None:
    figures = {(row["figure"], row["key"]): float(row["value"]) for row in read_rows(make_report())}

    assert figures == list_json_figures(make_report())


def test_each_line_of_the_csv_has_day_version_and_state_and_a_plain_number() -> None:
    for row in read_rows(make_report()):
        assert (row["campaign_id"], row["day"], row["version"], row["state"]) == (
            "tanah-abang-2024",
            "2024-10-10",
            "2",
            "provisional",
        )
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", row["value"])
        assert row["unit"] in {"workers", "captures", "rupiah", "texts", "parts", "share"}


def test_the_csv_has_the_line_ends_of_rfc_4180() -> None:
    assert csv.render_csv(make_report()).startswith(
        "campaign_id,day,version,state,counted_at,figure,key,value,unit\r\n"
    )


def test_no_cell_of_the_csv_is_a_formula() -> None:
    for start in "=+-@\t\r":
        report = make_report(summary={"by_officer": {f"{start}1": 3}})

        (row,) = [row for row in read_rows(report) if row["figure"] == "by_officer"]
        assert row["key"] == f"'{start}1"


def test_the_workbook_has_every_breakdown_of_json_as_numbers() -> None:
    breakdowns = list(read_workbook(make_report())["Rincian"].values)[1:]

    assert {(key, count) for _, key, _, count in breakdowns} == list_breakdown_cells(make_report())
    assert all(type(count) is int for *_, count in breakdowns)


def test_the_totals_of_the_workbook_are_those_of_json() -> None:
    summary = {row[0]: row[1] for row in read_workbook(make_report(), "en")["Summary"].values}
    figures = list_json_figures(make_report())

    assert {name: summary[label] for name, label in TOTAL_LABELS.items()} == {
        name: figures[name, ""] for name in TOTAL_LABELS
    }


def test_days_are_dates_and_money_is_shown_in_rupiah() -> None:
    workbook = read_workbook(make_report())
    days = [cell for cell in workbook["Hari"]["A"][1:] if isinstance(cell, Cell)]
    summary = read_summary_cells(workbook)
    counted_at = summary["Dihitung pada (WIB)"].value

    assert [cell.value.date() for cell in days if isinstance(cell.value, datetime)] == [FIRST_DAY, SECOND_DAY]
    assert all(cell.is_date for cell in days)
    assert isinstance(counted_at, datetime)
    assert counted_at.isoformat(" ", "seconds") == "2024-10-10 22:00:04"
    assert "Rp" in summary["Iuran yang dihitung"].number_format
    assert "%" in summary["SMS kepada pekerja: Tidak diketahui nasibnya"].number_format


def test_user_input_is_text_and_never_a_formula() -> None:
    workbook = read_workbook(make_report(campaign={"name": FORMULA, "place": "<b>&'\x00\x0b\"</b>\r\n"}))
    summary = read_summary_cells(workbook)

    assert (summary["Kegiatan"].value, summary["Kegiatan"].data_type) == (FORMULA, "s")
    assert summary["Tempat"].value == "<b>&'\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\"</b>\n"
    assert not [cell for sheet in workbook for row in sheet.rows for cell in row if cell.data_type == "f"]


def test_headings_are_bold_and_frozen_and_can_be_filtered_and_columns_have_their_widths() -> None:
    sheet = read_workbook(make_report())["Ringkasan"]

    assert [cell.font.b for cell in sheet[1]] == [True, True, True]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", sheet.dimensions)
    assert [sheet.column_dimensions[column].width for column in "ABC"] == [36, 32, 18]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_report_gives_the_same_bytes(language: Language) -> None:
    assert xlsx.render_workbook(make_report(), language) == xlsx.render_workbook(make_report(), language)
    assert csv.render_csv(make_report()) == csv.render_csv(make_report())


def test_the_workbook_has_no_time_but_that_of_the_count() -> None:
    book = xlsx.render_workbook(make_report(), "id")
    properties = openpyxl.load_workbook(io.BytesIO(book)).properties

    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    counted_at = datetime.fromisoformat("2024-10-10T15:00:04")
    assert (properties.created, properties.modified) == (counted_at, counted_at)


def test_a_day_without_captures_is_a_workbook() -> None:
    empty = make_report(
        summary={
            "texts": None,
            "changes": [],
            "notes": [],
            "oddities": [],
            **{name: {} for name in make_report().summary.model_dump() if name.startswith("by_")},
        },
        curve=(),
        revisions=(),
    )

    assert read_workbook(empty)["Hari"].max_row == 1
    assert not [row for row in read_rows(empty) if row["figure"].startswith("by_")]
