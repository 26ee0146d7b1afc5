"""The page folds what is long: five rows of a table, the others on request, no table of one row."""

from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.renderings import html
from chalicelib.rollups.report import CurvePoint, Report
from tests.support.report_builders import FIRST_DAY, make_report

CELLS = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(0, 99), min_size=1, max_size=20
)


@dataclass
class Table:
    """The first two cells of each row of a table, and whether it is folded."""

    is_folded: bool
    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


class TableParser(HTMLParser):
    """The tables of a page. A row is a label and its number."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.path: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"table", "caption", "small", "details", "tbody", "tr", "th", "td"}:
            self.path.append(tag)
        if tag == "table":
            self.tables.append(Table(is_folded="details" in self.path))
        if tag == "tr" and "tbody" in self.path:
            self.tables[-1].rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if self.path and self.path[-1] == tag:
            self.path.pop()

    def handle_data(self, data: str) -> None:
        if self.path[-1:] == ["caption"]:
            self.tables[-1].caption += data.strip()
        elif "tbody" in self.path and self.path[-1] in {"th", "td"} and data.strip():
            self.tables[-1].rows[-1].append(data.strip())


def list_tables(report: Report, caption: str = "") -> list[Table]:
    tables = TableParser(html.render_html(report, "id")).tables
    return [table for table in tables if table.caption.startswith(caption)]


def make_campaign_of(days: int) -> Report:
    """Return the report of the last of so many days."""
    curve = tuple(
        CurvePoint(FIRST_DAY + timedelta(number), 10, 10, 10 * (number + 1), 1, SummaryState.FINAL)
        for number in range(days)
    )
    return make_report(curve=curve)


@given(officers=CELLS)
@settings(deadline=None, max_examples=50)
def test_a_table_shows_its_five_largest_rows_and_folds_the_others(officers: dict[str, int]) -> None:
    tables = list_tables(make_report(summary={"by_officer": officers}), "Menurut petugas")
    shown = [row for table in tables if not table.is_folded for row in table.rows]
    folded = [row for table in tables if table.is_folded for row in table.rows]

    if len(officers) > 1:
        assert sorted((name, int(count)) for name, count in shown + folded) == sorted(officers.items())
        assert len(shown) == (len(officers) if len(officers) <= 6 else 5)
    assert not folded or min(int(count) for _, count in shown) >= max(int(count) for _, count in folded)


@given(officers=CELLS, days=st.integers(0, 400))
@settings(deadline=None, max_examples=25)
def test_no_table_has_one_row(officers: dict[str, int], days: int) -> None:
    report = make_campaign_of(days)
    report = make_report(summary={"by_officer": officers, "by_client": {"van-1": 157}}, curve=report.curve)

    assert [table for table in list_tables(report) if len(table.rows) < 2] == []


def test_a_breakdown_of_one_is_a_sentence() -> None:
    document = html.render_html(make_report(summary={"by_client": {"van-1": 1157}}), "id")

    assert "Hanya van-1: 1.157." in document
    assert "<h2>Menurut perangkat</h2>" in document


def test_hours_stay_in_their_order() -> None:
    shown, folded = list_tables(make_report(), "Menurut jam")

    assert [label for label, _ in shown.rows] == ["09.00", "10.00", "11.00", "14.00", "15.00"]
    assert [label for label, _ in folded.rows] == ["07.00", "08.00", "12.00", "13.00", "16.00", "17.00"]


def test_one_day_is_a_sentence() -> None:
    report = make_campaign_of(1)

    assert "Baru satu hari yang dihitung: Rabu, 9 Oktober 2024, 10 terdaftar." in html.render_html(
        report, "id"
    )


def test_days_are_bars_until_there_are_five_and_then_a_curve_too() -> None:
    has_curve = [
        days for days in range(10) if 'class="curve"' in html.render_html(make_campaign_of(days), "id")
    ]

    assert has_curve == [5, 6, 7, 8, 9]
    assert len(list_tables(make_campaign_of(2), "Perkembangan")[0].rows) == 2


def test_the_newest_five_days_are_shown_and_the_month_before_them_is_folded() -> None:
    shown = list_tables(make_campaign_of(40), "Perkembangan harian")
    (folded,) = list_tables(make_campaign_of(40), "26 hari sebelumnya")

    assert [len(table.rows) for table in shown] == [5]
    assert shown[0].rows[-1][0] == "Minggu, 17 November"
    assert (folded.is_folded, folded.rows[-1][0]) == (True, "Selasa, 12 November")
