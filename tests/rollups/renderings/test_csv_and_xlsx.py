"""CSV and XLSX: numbers are numbers, days are days, nothing is a formula, every figure is that of JSON."""

import csv as csv_reader
import io
import re
import zipfile
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


@pytest.mark.parametrize("name", ["Yayasan Contoh", "=HYPERLINK(1)"])
def test_a_sponsor_has_its_id_for_machines_and_its_name_for_people(name: str) -> None:
    report = make_report(campaign={"sponsors": [{"sponsor_id": "yayasan-contoh", "name": name}]})

    plain = {row["key"] for row in read_rows(report) if row["figure"] == "by_sponsor"}
    excel = {row["Nama"] for row in read_excel_csv(report) if row["Kelompok"] == "Menurut sponsor"}
    workbook = {
        (key, label)
        for group, key, label, _ in read_workbook(report)["Rincian"].values
        if group == "Menurut sponsor"
    }

    assert plain == {"-", "yayasan-contoh"}
    assert excel == {"Sponsor tidak disebutkan", name.replace("=", "'=")}
    assert workbook == {("-", "Sponsor tidak disebutkan"), ("yayasan-contoh", name)}


def test_a_sponsor_that_the_campaign_does_not_name_has_its_id_alone() -> None:
    report = make_report(campaign={"sponsors": []})

    (label,) = {row["Nama"] for row in read_excel_csv(report) if row["Kelompok"] == "Menurut sponsor"} - {
        "Sponsor tidak disebutkan"
    }
    assert label == "yayasan-contoh"


def test_days_are_dates_and_money_is_shown_in_rupiah() -> None:
    workbook = read_workbook(make_report())
    days = [cell for cell in workbook["Per hari"]["A"][1:] if isinstance(cell, Cell)]
    summary = read_summary_cells(workbook)
    counted_at = summary["Dihitung pada (WIB)"].value

    assert [cell.value.date() for cell in days if isinstance(cell.value, datetime)] == [FIRST_DAY, SECOND_DAY]
    assert all(cell.is_date for cell in days)
    assert isinstance(counted_at, datetime)
    assert counted_at.isoformat(" ", "seconds") == "2024-10-10 22:00:04"
    assert "Rp" in summary["Perkiraan iuran"].number_format
    assert "%" in summary["SMS kepada pekerja: Belum ada laporan"].number_format


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
    assert [sheet.column_dimensions[column].width for column in "ABC"] == [44, 34, 24]


def read_excel_csv(report: Report, language: Language = "id") -> list[dict[str, str]]:
    text = csv.render_excel_csv(report, language).removeprefix("\ufeff")
    return list(csv_reader.DictReader(io.StringIO(text, newline=""), delimiter=";"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_csv_for_excel_begins_with_a_byte_order_mark_and_has_semicolons(language: Language) -> None:
    text = csv.render_excel_csv(make_report(), language)

    assert text.startswith("\ufeff")
    assert text.count("\ufeff") == 1
    assert {line.count(";") for line in text.splitlines()} == {8}
    assert text.endswith("\r\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_csv_for_excel_has_the_figures_of_the_plain_one_in_its_order(language: Language) -> None:
    plain = [float(row["value"]) for row in read_rows(make_report())]
    value = "Nilai" if language == "id" else "Value"
    values = [row[value] for row in read_excel_csv(make_report(), language)]

    assert [float(each.replace(",", ".")) for each in values] == plain
    assert not [each for each in values if "." in each]


def test_the_csv_for_excel_has_labels_in_the_language_asked_for() -> None:
    rows = [(row["Kelompok"], row["Nama"], row["Satuan"]) for row in read_excel_csv(make_report())]
    english = [(row["Breakdown"], row["Name"], row["Unit"]) for row in read_excel_csv(make_report(), "en")]

    assert {
        ("", "Terdaftar", "orang"),
        ("", "Ditolak", "formulir"),
        ("Menurut pekerjaan", "Pedagang pasar", "orang"),
        ("Menurut usia", "10-19 tahun", "orang"),
        ("Perkembangan harian: Terdaftar", "2024-10-09", "orang"),
    } <= set(rows)
    assert {("", "Registered", "people"), ("By age", "10-19 years", "people")} <= set(english)
    assert {row["Dihitung pada (WIB)"] for row in read_excel_csv(make_report())} == {"2024-10-10 22:00"}


@given(st.dictionaries(st.text(max_size=8), st.integers(0, 9_999), max_size=4), st.sampled_from(LANGUAGES))
@settings(max_examples=60, deadline=None)
def test_the_csv_for_excel_has_as_many_lines_as_the_plain_one(
    officers: dict[str, int], language: Language
) -> None:
    report = make_report(summary={"by_officer": officers, "texts": None}, curve=())

    assert len(read_excel_csv(report, language)) == len(read_rows(report))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_for_excel_is_a_formula(start: str) -> None:
    report = make_report(summary={"by_officer": {f"{start}1;2": 3}})

    (row,) = [row for row in read_excel_csv(report) if row["Kelompok"] == "Menurut petugas"]
    assert (row["Nama"], row["Nilai"]) == (f"'{start}1;2", "3")


# Excel and LibreOffice read such text in a cell as the character of that number.
ESCAPES = (
    *("_x0041_", "_x0041_x0042_", "__x0041__", "_x005F_", "_x005f_x0041_", "_X0041_", "a_x000D_b"),
    *("<r>b</r>", "<r><t>b</t></r>", "<r>&</r>", " space ", "_"),
)


def read_escaped(text: str) -> str:
    """Return what a program reads from a cell: `_xHHHH_` is a character, from left to right."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


def read_shared_strings(workbook: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        document = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314 - it is our own
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not document.findall(f".//{main}r")
    return [read_escaped(each.text or "") for each in document.iter(f"{main}t")]


@pytest.mark.parametrize("text", ESCAPES)
def test_text_that_looks_like_an_escape_reads_back_as_typed(text: str) -> None:
    workbook = xlsx.render_workbook(make_report(campaign={"place": text}), "id")

    assert text in read_shared_strings(workbook)


@given(st.lists(st.sampled_from(["_", "x", "0041", "005F", "<r>", "</r>", "&", " ", "a"]), min_size=1))
@settings(max_examples=50, deadline=None)
def test_any_mixture_of_escapes_and_markup_reads_back_as_typed(parts: list[str]) -> None:
    text = "".join(parts)
    report = make_report(summary={"by_officer": {text: 3}})

    assert text in read_shared_strings(xlsx.render_workbook(report, "id"))


@pytest.mark.parametrize("name", ["Aktivasi & Pasar", "&P&D", "a" * 120, "x\n&"])
def test_every_sheet_prints_on_a4_landscape_one_page_wide_with_its_headings(name: str) -> None:
    for sheet in read_workbook(make_report(campaign={"name": name})):
        assert sheet.page_setup.orientation == "landscape"
        assert int(sheet.page_setup.paperSize or 0) == 9
        assert sheet.sheet_properties.pageSetUpPr is not None
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert int(sheet.page_setup.fitToHeight or 0) == 0
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.auto_filter.ref == sheet.dimensions


def test_dates_numbers_and_money_are_shown_as_in_the_workbooks_language() -> None:
    formats = {language: read_workbook(make_report(), language) for language in LANGUAGES}

    assert formats["id"]["Per hari"]["A2"].number_format == "[$-421]d mmmm yyyy"
    assert formats["id"]["Per hari"]["B2"].number_format == "[$-421]#,##0"
    assert formats["en"]["Days"]["A2"].number_format == "[$-809]d mmmm yyyy"
    summary = read_summary_cells(formats["id"])
    assert summary["Iuran yang sudah dibayar"].number_format == '[$-421]"Rp"#,##0'
    assert summary["Dihitung pada (WIB)"].number_format == "[$-421]d mmmm yyyy, hh\\.mm"


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

    assert read_workbook(empty).sheetnames == ["Ringkasan", "Rincian"]
    assert not [row for row in read_rows(empty) if row["figure"].startswith("by_")]
