"""The workbook as LibreOffice reads it, where this machine has it."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chalicelib.rollups.renderings import mail, xlsx
from tests.support.report_builders import make_report
from tests.support.report_figures import TOTAL_LABELS, list_breakdown_cells, list_json_figures

# LibreOffice's CSV filter: comma, double quotes, UTF-8, values as stored and not as shown, every sheet.
_EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"

Sheets = dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def sheets_by_workbook(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheets]:
    """Return every sheet of the downloaded and of the mailed workbook, as LibreOffice exports it."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: install its Calc to read the workbook with it")
    directory = tmp_path_factory.mktemp("calc")
    workbooks = {
        "downloaded": xlsx.render_workbook(make_report(), "en"),
        "mailed": mail.compose(make_report(), "en").workbook,
    }
    for name, workbook in workbooks.items():
        (directory / f"{name}.xlsx").write_bytes(workbook)
    # A profile of its own, so that it neither finds nor leaves anything.
    command = [office, "--headless", f"-env:UserInstallation={(directory / 'home').as_uri()}"]
    command += ["--convert-to", _EVERY_SHEET, "--outdir", str(directory)]
    command += [str(directory / f"{name}.xlsx") for name in workbooks]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
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

    assert set(sheets) == {"Summary", "Breakdowns", "Days", "Changes", "Reasons", "For a look"}
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
