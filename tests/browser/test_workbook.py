"""The workbook as LibreOffice reads it, where this machine has it."""

import csv
import re
from pathlib import Path

import pytest

from chalicelib.languages import LANGUAGES, Language
from chalicelib.rollups.renderings import csv as csv_rendering
from chalicelib.rollups.renderings import mail, xlsx
from tests.browser.office import convert
from tests.support.report_builders import make_report
from tests.support.report_figures import TOTAL_LABELS, list_breakdown_cells, list_json_figures

# LibreOffice's CSV filter: comma, double quotes, UTF-8, values as stored and not as shown, every sheet.
_EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"

# Text that LibreOffice and Excel would read as another, were it not escaped.
ESCAPES = ("_x0041_", "_x0041_x0042_", "__x0041__", "_x005F_x0041_", "<r>b</r>", "<r>&</r>")

Sheets = dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def sheets_by_workbook(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheets]:
    """Return every sheet of the downloaded and of the mailed workbook, as LibreOffice exports it."""
    directory = tmp_path_factory.mktemp("calc")
    workbooks = {
        "downloaded": xlsx.render_workbook(make_report(), "en"),
        "mailed": mail.compose(make_report(), "en").workbook,
        "escapes": xlsx.render_workbook(make_report(summary={"by_officer": dict.fromkeys(ESCAPES, 7)}), "en"),
    }
    for name, workbook in workbooks.items():
        (directory / f"{name}.xlsx").write_bytes(workbook)
    convert(_EVERY_SHEET, directory, [directory / f"{name}.xlsx" for name in workbooks])
    return {name: _read_sheets(directory, name) for name in workbooks}


def _read_sheets(directory: Path, name: str) -> Sheets:
    files = {path.stem.removeprefix(f"{name}-"): path for path in directory.glob(f"{name}-*.csv")}
    return {sheet: list(csv.reader(path.read_text().splitlines())) for sheet, path in files.items()}


def parse_number(cell: str) -> float:
    """Return a number that LibreOffice wrote; a share is in per cent."""
    return float(cell.removesuffix("%")) / 100 if cell.endswith("%") else float(cell)


def test_libreoffice_reads_every_figure_of_json(sheets_by_workbook: dict[str, Sheets]) -> None:
    sheets, figures = sheets_by_workbook["downloaded"], list_json_figures(make_report())
    summary = {row[0]: row[1] for row in sheets["Summary"]}
    breakdowns = {(key, float(count)) for _, key, _, count in sheets["Breakdowns"][1:]}

    assert set(sheets) == {"Summary", "Breakdowns", "Days", "Changes", "Reasons", "To check"}
    assert {name: parse_number(summary[label]) for name, label in TOTAL_LABELS.items()} == pytest.approx(
        {name: figures[name, ""] for name in TOTAL_LABELS}
    )
    assert breakdowns == list_breakdown_cells(make_report())


def test_libreoffice_reads_days_as_dates(sheets_by_workbook: dict[str, Sheets]) -> None:
    days = sheets_by_workbook["downloaded"]["Days"][1:]

    assert [(row[1], row[2]) for row in days] == [("173", "173"), ("157", "330")]
    # Formatted from the number of the day, in the order of this machine's locale.
    assert [sorted(map(int, re.findall(r"[0-9]+", row[0]))) for row in days] == [
        [9, 10, 2024],
        [10, 10, 2024],
    ]


def test_libreoffice_reads_the_mailed_workbook(sheets_by_workbook: dict[str, Sheets]) -> None:
    breakdowns = sheets_by_workbook["mailed"]["Breakdowns"][1:]

    assert [row for row in breakdowns if row[2].startswith("Others")]
    assert not [row for row in breakdowns if row[3] and float(row[3]) < 5]


def test_libreoffice_reads_text_that_looks_like_an_escape_as_typed(
    sheets_by_workbook: dict[str, Sheets],
) -> None:
    rows = sheets_by_workbook["escapes"]["Breakdowns"]

    assert {row[1] for row in rows if row[0] == "By officer"} == set(ESCAPES)


def test_libreoffice_prints_two_days_on_eight_landscape_pages(tmp_path: Path) -> None:
    workbook = tmp_path / "printed.xlsx"
    workbook.write_bytes(xlsx.render_workbook(make_report(), "id"))
    convert("pdf", tmp_path, [workbook])
    document = workbook.with_suffix(".pdf").read_bytes()
    boxes = re.findall(rb"/MediaBox *\[ *0 +0 +([0-9.]+) +([0-9.]+) *\]", document)

    assert len(re.findall(rb"/Type */Page[^s]", document)) == 8
    assert boxes
    assert all(float(width) > float(height) for width, height in boxes)


def test_libreoffice_shows_indonesian_dates_and_numbers_and_a_filter_on_every_sheet(tmp_path: Path) -> None:
    workbook = tmp_path / "shown.xlsx"
    workbook.write_bytes(xlsx.render_workbook(make_report(), "id"))
    convert("fods", tmp_path, [workbook])
    document = workbook.with_suffix(".fods").read_text()

    for shown in ("10 Oktober 2024", "10 Oktober 2024, 22.00", "Rp7.724.400", "4,3%"):
        assert f"<text:p>{shown}</text:p>" in document
    tables, filters = document.count("<table:table "), document.count('table:display-filter-buttons="true"')
    assert tables == filters == 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_libreoffice_set_to_indonesian_opens_the_csv_for_excel_in_columns(
    tmp_path: Path, language: Language
) -> None:
    """Semicolons, UTF-8 and the numbers of Indonesian (language 1057), detected as typing would."""
    table = tmp_path / "table.csv"
    table.write_text(csv_rendering.render_excel_csv(make_report(), language), encoding="utf-8", newline="")
    convert("fods", tmp_path, [table], infilter="Text - txt - csv (StarCalc):59,34,76,1,,1057,false,true")
    document = table.with_suffix(".fods").read_text()

    assert 'office:value-type="float" office:value="0.0433"' in document
    assert 'office:value-type="date" office:date-value="2024-10-10"' in document
    assert 'office:date-value="2019-10-01"' not in document
    assert "\ufeff" not in document
