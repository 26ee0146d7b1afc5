"""The words of summaries: what they say is true whenever they are read, and every code has a label."""

import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.languages import LANGUAGES, Language
from chalicelib.notifications.templates import load_templates
from chalicelib.occupations.model import load_occupations
from chalicelib.rollups.model import Anomaly, Funnel, Tally, with_changes_since
from chalicelib.rollups.renderings import board, csv, html, mail, sms, xlsx
from chalicelib.rollups.renderings.i18n import load_phrases
from chalicelib.rollups.report import Report
from tests.support.report_builders import SECOND_DAY, make_report
from tests.support.source_tree import ROOT

# Words for a day that are wrong as soon as the day is over.
RELATIVE_DAY = re.compile(
    r"\b(hari ini|malam ini|besok|kemarin|lusa|today|tonight|tomorrow|yesterday|(the )?next morning)\b", re.I
)
LOCAL_MIDNIGHT = datetime(2024, 10, 9, 17, tzinfo=UTC)  # The second day begins in Jakarta.


def read_workbook(workbook: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    return "\n".join(str(cell.value) for sheet in book for row in sheet.rows for cell in row)


RENDERERS: dict[str, Callable[[Report, Language], str]] = {
    "page": html.render_html,
    "board": board.render_board,
    "mail": lambda report, language: mail.compose(report, language).html,
    "mail_text": lambda report, language: mail.compose(report, language).text,
    "subject": lambda report, language: mail.compose(report, language).subject,
    "sms": sms.render_body,
    "csv": lambda report, _: csv.render_csv(report),
    "excel_csv": csv.render_excel_csv,
    "workbook": lambda report, language: read_workbook(xlsx.render_workbook(report, language)),
}


def iter_texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a parsed file with its path."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for name, inner in node.items():
            yield from iter_texts(inner, f"{path}.{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from iter_texts(inner, path)


def list_texts() -> list[tuple[str, str]]:
    """Return every text for people that is data: phrases, problems, messages, SMS and meanings."""
    meanings = json.loads((ROOT / "ops" / "openapi" / "meanings.json").read_text(encoding="utf-8"))
    messages = {
        code: {"id": each.indonesian, "en": each.english}
        for table in (PROBLEMS, FIELD_MESSAGES)
        for code, each in table.items()
    }
    bodies = {purpose: dict(template.bodies) for purpose, template in load_templates().items()}
    parts = {"phrases": load_phrases(), "messages": messages, "sms": bodies, "meanings": meanings}
    return list(iter_texts(parts))


def test_only_the_board_has_a_text_that_names_a_relative_day() -> None:
    named = {path for path, text in list_texts() if RELATIVE_DAY.search(text)}

    assert named == {".phrases.phrases.board_today.id", ".phrases.phrases.board_today.en"}


@pytest.mark.parametrize("rendering", RENDERERS)
@given(
    counted_after=st.timedeltas(timedelta(hours=-30), timedelta(days=400)),
    language=st.sampled_from(LANGUAGES),
)
@settings(max_examples=25, deadline=None)
def test_only_the_board_says_today_and_only_if_the_day_was_counted_on_itself(
    rendering: str, counted_after: timedelta, language: Language
) -> None:
    counted_at = LOCAL_MIDNIGHT + counted_after
    report = make_report(summary={"counted_at": counted_at.isoformat()})
    is_said = RELATIVE_DAY.search(RENDERERS[rendering](report, language)) is not None

    is_of_today = report.campaign.local_day(counted_at) == SECOND_DAY
    assert is_said == (rendering == "board" and is_of_today)


@pytest.mark.parametrize("rendering", ["page", "mail", "mail_text"])
def test_a_provisional_summary_says_when_it_becomes_final(rendering: str) -> None:
    document = RENDERERS[rendering](make_report(), "id")

    assert "rekap final keluar Jumat, 11 Oktober 2024, 07.00 WIB" in document


def test_a_board_of_another_day_says_when_it_was_counted() -> None:
    document = board.render_board(make_report(summary={"counted_at": "2024-11-01T02:00:00Z"}), "id")

    assert "Data pukul 09.00 WIB, Jumat, 1 November 2024" in document


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rendering", [name for name in RENDERERS if name not in {"csv", "excel_csv"}])
@given(amounts=st.lists(st.integers(0, 10**13), min_size=3, max_size=3))
@settings(max_examples=5, deadline=None)
def test_every_amount_is_written_as_rp16_800(rendering: str, language: Language, amounts: list[int]) -> None:
    quoted, paid, cost = amounts
    summary = make_report().summary
    assert summary.texts is not None
    report = make_report(
        summary={
            "money": summary.money.model_copy(update={"quoted": quoted, "paid": paid}),
            "texts": summary.texts.model_copy(update={"rupiah": cost}),
        }
    )
    written = re.findall(r"Rp.{0,20}", RENDERERS[rendering](report, language))

    assert [
        each for each in written if not re.match(r"Rp(0|[1-9]\d{0,2}(\.\d{3})*)(?![.,\s]?\d)", each)
    ] == []
    assert bool(written) == (rendering in {"page", "mail", "mail_text"})


@pytest.mark.parametrize(
    ("section", "key", "indonesian", "english"),
    [
        ("phrases", "sms_unknown_share", "Belum ada laporan", "No report yet"),
        ("phrases", "sms_parts", "Segmen SMS tertagih", "SMS segments charged"),
        ("phrases", "money_quoted", "Perkiraan iuran", "Contributions quoted"),
        ("phrases", "page_hash", "Kode hash isi: {hash}", "Content hash: {hash}"),
        ("groups", "funnel", "Status pendaftaran hari itu", "Status of the day's registrations"),
    ],
)
def test_a_figure_has_the_name_that_a_branch_office_gives_it(
    section: str, key: str, indonesian: str, english: str
) -> None:
    assert load_phrases()[section][key] == {"id": indonesian, "en": english}


# Words of programs or of this project in Indonesian texts for people, and what an SMS is never called.
FOREIGN_WORDS = {
    "id": re.compile(r"\b(Sidik|nasibnya|lembar kerja|surat|capture|captures|registrasi|summary)\b", re.I),
    "en": re.compile(r"\b(text messages?|texts|oddit(y|ies)|tally|anew|mend(ed)?|pay slip)\b", re.I),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_use_the_words_of_their_readers(language: Language) -> None:
    texts = [(path, text) for path, text in list_texts() if path.endswith(f".{language}")]

    assert len(texts) > 200
    assert [path for path, text in texts if FOREIGN_WORDS[language].search(text)] == []


# What a program calls a thing: words joined by underscores, or a figure's place in the summary.
CODE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b|\b(?:counts|money|texts|funnel|by)\.[a-z]+", re.I)


def make_report_with_every_code() -> Report:
    """Return a report in which each code that a summary may hold occurs, in a breakdown and in a change."""
    labels = load_phrases()["labels"]
    summary = make_report().summary
    assert summary.texts is not None
    full = summary.model_copy(
        update={
            **{name: dict.fromkeys(labels[name], 7) for name in labels if name not in {"texts", "funnel"}},
            "by_occupation": dict.fromkeys(load_occupations(), 7),
            "funnel": Funnel(**dict.fromkeys(Funnel.model_fields, 7)),
            "texts": summary.texts.model_copy(update={"by_state": dict.fromkeys(labels["texts"], 7)}),
            "oddities": [
                Anomaly(pattern=pattern, client_id="van-1", workers=9, usual=3)
                for pattern in get_args(Anomaly.model_fields["pattern"].annotation)
            ],
        }
    )
    empty = summary.model_copy(
        update={
            name: field.get_default()
            for name, field in Tally.model_fields.items()
            if not field.is_required() and name != "arrivals"
        }
    )
    changed = with_changes_since(empty, full)
    assert len(changed.changes) > 60
    return make_report(summary=dict(changed))


def read_text(rendering: str, document: str) -> str:
    """Return what a reader sees of a document, without the column that is there to show codes."""
    if rendering in {"page", "board", "mail"}:
        document = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", document, flags=re.S)
    return document


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rendering", [name for name in RENDERERS if name not in {"csv", "workbook"}])
def test_no_code_is_shown_to_a_person(rendering: str, language: Language) -> None:
    report = make_report_with_every_code()

    assert CODE.findall(read_text(rendering, RENDERERS[rendering](report, language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_workbook_shows_codes_in_the_column_of_codes_alone(language: Language) -> None:
    workbook = xlsx.render_workbook(make_report_with_every_code(), language)
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    column = load_phrases()["phrases"]["column_key"][language]
    shown = [
        str(cell.value)
        for sheet in book
        for cells in sheet.columns
        if cells[0].value != column
        for cell in cells
    ]

    assert len(shown) > 400
    assert [text for text in shown if CODE.search(text)] == []


def test_the_changes_of_the_workbook_are_labelled_and_amounts_are_shown_as_money() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx.render_workbook(make_report(), "id")))
    rows = {row[1].value: row for row in book["Perubahan"].rows}

    assert list(rows) == [
        "Uraian",
        "Terdaftar",
        "Menurut perangkat: van-2",
        "Sudah terdaftar sebelumnya",
        "Formulir masuk",
        "Pendaftaran baru",
        "Perkiraan iuran",
    ]
    assert [cell.value for cell in rows["Perkiraan iuran"][2:]] == [7_035_600, 7_724_400, 688_800]
    assert {cell.number_format for cell in rows["Perkiraan iuran"][2:]} == {'[$-421]"Rp"#,##0'}
    assert rows["Formulir masuk"][2].number_format == "[$-421]#,##0"
