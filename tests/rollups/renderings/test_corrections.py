"""Corrections of recorded data: counted, told as a reason of a change in every rendering, few as a few."""

from dataclasses import replace

import pytest

from chalicelib.registrations.model import RegistrationFacts, Status
from chalicelib.rollups.model import Change, Corrections
from chalicelib.rollups.renderings import csv, html, mail
from chalicelib.rollups.report import Report
from tests.rollups.renderings.test_csv_and_xlsx import read_rows, read_summary_cells, read_workbook
from tests.rollups.renderings.test_html import ParsedDocument
from tests.rollups.test_day_counts import A_PORTER, make_tally
from tests.rollups.test_summary_model import make_summary
from tests.support.report_builders import make_report

MANY, FEW = (
    "data yang sudah tercatat diperbaiki: 7 kali",
    "data yang sudah tercatat diperbaiki: beberapa kali",
)


def make_corrected_report(total: int) -> Report:
    """Return the report of a version with so many corrections more than the one before."""
    changes = [Change(figure="corrections.total", was=0, now=total)]
    return make_report(summary={"corrections": Corrections(total=total), "changes": changes, "notes": []})


def test_every_correction_of_the_days_registrations_is_counted() -> None:
    facts = [RegistrationFacts(Status.RECEIVED, 49_200, 0, corrections=number) for number in (0, 1, 3)]

    assert make_tally(A_PORTER, *facts).corrections == Corrections(total=4)


def test_a_correction_that_changes_no_other_figure_makes_a_version_that_says_so() -> None:
    recorded = RegistrationFacts(Status.RECEIVED, 49_200, 0)
    before = make_summary(A_PORTER, recorded)

    after = make_summary(A_PORTER, replace(recorded, corrections=1), before=before)

    assert after.version == before.version + 1
    assert after.changes == [Change(figure="corrections.total", was=0, now=1)]


@pytest.mark.parametrize(("total", "sentence"), [(7, MANY), (1, FEW)], ids=["many", "few"])
def test_the_mail_tells_of_corrections_and_of_a_few_without_their_number(total: int, sentence: str) -> None:
    mailed = mail.compose(make_corrected_report(total), "id")

    for text in (mailed.text, ParsedDocument(mailed.html).text):
        assert sentence in text


@pytest.mark.parametrize("total", [1, 7])
def test_the_page_tells_how_many_corrections_there_were(total: int) -> None:
    text = ParsedDocument(html.render_html(make_corrected_report(total), "id")).text

    assert f"data yang sudah tercatat diperbaiki: {total} kali" in text
    assert "Perbaikan data yang sudah tercatat" in text


def test_workbook_and_csv_have_the_corrections() -> None:
    report = make_corrected_report(7)

    assert read_summary_cells(read_workbook(report))["Perbaikan data yang sudah tercatat"].value == 7
    changes = list(read_workbook(report)["Perubahan"].values)
    assert "Perbaikan data yang sudah tercatat" in [row[1] for row in changes]
    (row,) = [row for row in read_rows(report) if row["figure"] == "corrections"]
    assert (row["value"], row["unit"]) == ("7", "corrections")
    assert "Perbaikan data yang sudah tercatat;7;perbaikan" in csv.render_excel_csv(report, "id")


def test_a_report_tells_of_corrections_of_an_earlier_day() -> None:
    report = make_report()
    (revision,) = report.revisions
    changed = revision.model_copy(
        update={"changes": [Change(figure="corrections.total", was=2, now=9)], "notes": []}
    )

    for each in (html.render_html, lambda report, language: mail.compose(report, language).html):
        text = ParsedDocument(each(replace(report, revisions=(changed,)), "id")).text
        assert MANY in text


def test_nothing_is_said_where_nothing_was_corrected() -> None:
    assert "diperbaiki" not in html.render_html(make_report(), "id")
