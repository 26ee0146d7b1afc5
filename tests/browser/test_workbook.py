"""The workbook as LibreOffice reads it, where this machine has it."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chalicelib.rollups.renderings import mail, xlsx
from tests.rollups.renderings.test_tables import LABELS, told_by_json
from tests.support.report_builders import make_report

# Its CSV filter: comma, double quotes, UTF-8, values as they are stored and not as shown, every sheet.
_EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"


Sheets = dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def read_csv(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheets]:
    """Every sheet of what is asked for and of what is mailed, as LibreOffice writes them out."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("no LibreOffice here: install its Calc to read the workbook with it")
    directory = tmp_path_factory.mktemp("calc")
    books = {
        "asked": xlsx.render_workbook(make_report(), "en"),
        "mailed": mail.compose(make_report(), "en").workbook,
    }
    for name, book in books.items():
        (directory / f"{name}.xlsx").write_bytes(book)
    # A home of its own, so that it neither finds nor leaves anything.
    command = [office, "--headless", f"-env:UserInstallation={(directory / 'home').as_uri()}"]
    command += ["--convert-to", _EVERY_SHEET, "--outdir", directory]
    command += [directory / f"{name}.xlsx" for name in books]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {name: _sheets(directory, name) for name in books}


def _sheets(directory: Path, name: str) -> Sheets:
    written = {path.stem.removeprefix(f"{name}-"): path for path in directory.glob(f"{name}-*.csv")}
    return {sheet: list(csv.reader(path.read_text().splitlines())) for sheet, path in written.items()}


def number(cell: str) -> float:
    """A number as LibreOffice writes it; a share is written in per cent."""
    return float(cell.removesuffix("%")) / 100 if cell.endswith("%") else float(cell)


def test_libreoffice_reads_every_figure_as_json_tells_it(read_csv: dict[str, Sheets]) -> None:
    sheets, told = read_csv["asked"], told_by_json(make_report())
    summary = {row[0]: row[1] for row in sheets["Summary"]}
    breakdowns = {(key, float(count)) for _, key, _, count in sheets["Breakdowns"][1:]}

    assert set(sheets) == {"Summary", "Breakdowns", "Days", "Changes", "Reasons", "For a look"}
    assert {name: number(summary[label]) for name, label in LABELS.items()} == pytest.approx(
        {name: told[name, ""] for name in LABELS}
    )
    assert breakdowns == {
        (key, value) for (figure, key), value in told.items() if key and not figure.endswith("_on")
    }


def test_libreoffice_reads_days_as_days(read_csv: dict[str, Sheets]) -> None:
    days = read_csv["asked"]["Days"][1:]

    assert [(row[1], row[2]) for row in days] == [("173", "173"), ("157", "330")]
    # Written out anew from the number of a day, in the order of the machine's own locale.
    assert [sorted(map(int, re.findall(r"[0-9]+", row[0]))) for row in days] == [
        [9, 10, 2024],
        [10, 10, 2024],
    ]


def test_libreoffice_reads_what_is_mailed(read_csv: dict[str, Sheets]) -> None:
    breakdowns = read_csv["mailed"]["Breakdowns"][1:]

    assert [row for row in breakdowns if row[2].startswith("Others")]
    assert not [row for row in breakdowns if row[3] and float(row[3]) < 5]
