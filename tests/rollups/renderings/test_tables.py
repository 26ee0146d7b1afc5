"""CSV and XLSX: numbers are numbers, days are days, nothing is a formula, all totals are those of JSON."""

import csv as reader
import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest

from chalicelib.languages import LANGUAGES
from chalicelib.rollups.renderings import csv, xlsx
from chalicelib.rollups.schemas import SummaryView
from tests.support.report_builders import FIRST_DAY, SECOND_DAY, make_report

HOSTILE = '=HYPERLINK("http://example.com","x")'


def rows(report: Any) -> list[dict[str, str]]:
    return list(reader.DictReader(io.StringIO(csv.render_csv(report), newline="")))


def opened(report: Any, language: Any = "id") -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(xlsx.render_workbook(report, language)))


def told_by_json(report: Any) -> dict[tuple[str, str], float]:
    """Every figure of the JSON rendering that the tables have, by figure and key."""
    document = SummaryView.from_report(report).model_dump(mode="json")
    counts = {(name, ""): value for name, value in document["counts"].items()}
    groups = {
        (name, key): value
        for name, cells in {**document, "texts": document["texts"]["by_state"]}.items()
        if name.startswith("by_") or name in {"refused_by_reason", "funnel", "texts"}
        for key, value in cells.items()
    }
    texts = {(f"texts_{name}", ""): value for name, value in document["texts"].items() if name != "by_state"}
    money = {(name, ""): value for name, value in document["money"].items()}
    progress = {
        ("target", ""): document["progress"]["target"],
        ("cumulative", ""): document["progress"]["created"],
    }
    curve = {
        (f"{name}_on", day["day"]): day[name]
        for day in document["progress"]["curve"]
        for name in ("created", "cumulative")
    }
    return {**counts, **groups, **texts, **money, **progress, **curve}


def test_every_figure_of_the_csv_is_that_of_json_and_none_is_missing() -> None:
    told = {(row["figure"], row["key"]): float(row["value"]) for row in rows(make_report())}

    assert told == told_by_json(make_report())


def test_the_csv_names_day_version_and_state_in_each_line_and_numbers_are_plain() -> None:
    for row in rows(make_report()):
        assert (row["campaign_id"], row["day"], row["version"], row["state"]) == (
            "tanah-abang-2024",
            "2024-10-10",
            "2",
            "provisional",
        )
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", row["value"])
        assert row["unit"] in {"workers", "captures", "rupiah", "texts", "parts", "share"}


def test_the_csv_is_written_as_rfc_4180_has_it() -> None:
    assert csv.render_csv(make_report()).startswith(
        "campaign_id,day,version,state,counted_at,figure,key,value,unit\r\n"
    )


def test_no_cell_of_the_csv_is_a_formula() -> None:
    for begins in "=+-@\t\r":
        report = make_report(summary={"by_officer": {f"{begins}1": 3}})

        (row,) = [row for row in rows(report) if row["figure"] == "by_officer"]
        assert row["key"] == f"'{begins}1"


def test_the_workbook_has_every_figure_of_json_as_a_number() -> None:
    breakdowns = list(opened(make_report())["Rincian"].values)[1:]
    json_groups = {
        (key, value)
        for (figure, key), value in told_by_json(make_report()).items()
        if key and not figure.endswith("_on")
    }

    assert {(key, count) for _, key, _, count in breakdowns} == json_groups
    assert all(type(count) is int for *_, count in breakdowns)


def test_the_headlines_of_the_workbook_are_those_of_json() -> None:
    summary = {row[0]: row[1] for row in opened(make_report(), "en")["Summary"].values}
    told = told_by_json(make_report())

    assert {name: summary[label] for name, label in LABELS.items()} == {
        name: told[name, ""] for name in LABELS
    }


LABELS = {
    "created": "Registered",
    "captures": "Captures",
    "already_registered": "Already registered",
    "reactivated": "Registered anew",
    "refused": "Refused",
    "cumulative": "So far",
    "target": "Target",
    "quoted": "Quoted",
    "paid": "Paid",
    "texts_total": "Texts",
    "texts_parts": "Parts charged for",
    "texts_rupiah": "Cost of texts",
    "texts_unknown_share": "Texts to workers: Nobody knows about",
}


def test_days_are_dates_and_money_is_shown_in_rupiah() -> None:
    book = opened(make_report())
    days = book["Hari"]
    summary = {row[0].value: row[1] for row in book["Ringkasan"].rows}

    assert [days.cell(row, 1).value.date() for row in (2, 3)] == [FIRST_DAY, SECOND_DAY]
    assert all(days.cell(row, 1).is_date for row in (2, 3))
    assert summary["Dihitung pada (WIB)"].value.isoformat(" ", "seconds") == "2024-10-10 22:00:04"
    assert "Rp" in summary["Iuran yang dihitung"].number_format
    assert "%" in summary["SMS kepada pekerja: Tidak diketahui nasibnya"].number_format


def test_what_was_typed_is_text_and_never_a_formula() -> None:
    book = opened(make_report(campaign={"name": HOSTILE, "place": "<b>&'\x00\x0b\"</b>"}))
    cells = {row[0].value: row[1] for row in book["Ringkasan"].rows}

    assert (cells["Kegiatan"].value, cells["Kegiatan"].data_type) == (HOSTILE, "s")
    assert cells["Tempat"].value == "<b>&'\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\"</b>"
    assert not [cell for sheet in book for row in sheet.rows for cell in row if cell.data_type == "f"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_report_gives_the_same_bytes(language: Any) -> None:
    assert xlsx.render_workbook(make_report(), language) == xlsx.render_workbook(make_report(), language)
    assert csv.render_csv(make_report()) == csv.render_csv(make_report())


def test_the_workbook_knows_no_hour_but_that_of_the_count() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx.render_workbook(make_report(), "id"))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_day_on_which_nothing_happened_is_a_workbook_too() -> None:
    bare = make_report(
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

    assert opened(bare)["Hari"].max_row == 1
    assert not [row for row in rows(bare) if row["figure"].startswith("by_")]
