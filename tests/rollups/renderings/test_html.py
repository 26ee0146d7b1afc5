"""The HTML of the page, the board and the mail; tests/browser renders it in a browser."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from chalicelib.languages import LANGUAGES, Language
from chalicelib.rollups.model import Counts, Summary
from chalicelib.rollups.renderings import board, html, mail
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.templating import render
from chalicelib.rollups.report import Report
from tests.support.report_builders import make_report

HOSTILE = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
RENDERERS: dict[str, Callable[[Report, Language], str]] = {
    "page": html.render_html,
    "board": board.render_board,
    "mail": lambda report, language: mail.compose(report, language).html,
}


class ParsedDocument(HTMLParser):
    """The elements and the text of an HTML document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def attributes(self) -> set[str]:
        return {name for _, attributes in self.elements for name in attributes}


def parse_page(report: Report) -> ParsedDocument:
    return ParsedDocument(html.render_html(report, "id"))


@pytest.mark.parametrize("rendering", RENDERERS)
def test_user_input_never_becomes_markup(rendering: str) -> None:
    report = make_report(
        campaign={
            "name": HOSTILE,
            "place": HOSTILE,
            "branch": HOSTILE[:100],
            "sponsors": [{"sponsor_id": "yayasan-contoh", "name": HOSTILE}],
        },
        summary={"by_client": {HOSTILE: 157}, "by_officer": {HOSTILE: 157}, "by_hour": {HOSTILE: 157}},
    )
    usual, hostile = (ParsedDocument(RENDERERS[rendering](each, "id")) for each in (make_report(), report))

    assert set(hostile.tags) <= set(usual.tags)
    assert hostile.tags.count("script") == usual.tags.count("script")
    assert hostile.attributes <= usual.attributes
    assert "alert(1)" in hostile.text


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("page.html.j2", Localizer("id"))


@pytest.mark.parametrize("rendering", RENDERERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_document_declares_its_language_and_begins_with_the_days_total(
    rendering: str, language: Language
) -> None:
    document = RENDERERS[rendering](make_report(), language)

    assert ParsedDocument(document).elements[0] == ("html", {"lang": language})
    assert document.index(">157<") < document.index(">330 ") < document.index("van-1")


@pytest.mark.parametrize("rendering", RENDERERS)
def test_a_document_loads_nothing(rendering: str) -> None:
    """A request to another server would tell it who reads the page."""
    document = RENDERERS[rendering](make_report(), "id")
    parsed = ParsedDocument(document)

    assert not {"link", "img", "iframe", "object", "base"} & set(parsed.tags)
    assert not {"src", "href", "srcset"} & parsed.attributes
    assert "url(" not in document


@pytest.mark.parametrize("rendering", RENDERERS)
def test_the_same_report_gives_the_same_bytes(rendering: str) -> None:
    assert RENDERERS[rendering](make_report(), "id") == RENDERERS[rendering](make_report(), "id")


def test_the_page_runs_no_script() -> None:
    assert "script" not in parse_page(make_report()).tags


def test_the_page_shows_changes_and_their_reasons_before_any_breakdown() -> None:
    text = parse_page(make_report()).text

    reason = text.index("+14 pendaftaran lewat van-2, diterima Kamis, 10 Oktober 2024")
    assert (
        reason
        < text.index("Rabu, 9 Oktober 2024: dari 167 menjadi 173 terdaftar (+6)")
        < text.index("Menurut pekerjaan")
    )
    assert text.index("Perlu diperiksa") < text.index("Menurut pekerjaan")


def test_page_and_mail_name_the_sponsors_and_how_many_have_no_phone() -> None:
    mailed = mail.compose(make_report(), "id")
    for text in (parse_page(make_report()).text, ParsedDocument(mailed.html).text, mailed.text):
        assert "menurut sponsor" in text.lower()
        assert "Kuota sponsor Yayasan Contoh habis: 6 pendaftaran di luar kuota" in text
        assert re.search(r"Pekerja tanpa nomor HP\W*11\b", text)


def test_nothing_is_said_of_phones_where_everybody_has_one() -> None:
    texts = make_report().summary.texts
    assert texts is not None
    report = make_report(summary={"texts": texts.model_copy(update={"without_phone": 0})})

    assert "tanpa nomor HP" not in parse_page(report).text


def test_a_note_without_a_day_of_receipt_shows_none() -> None:
    note = make_report().summary.notes[0].model_copy(update={"received_on": None})
    parsed = parse_page(make_report(summary={"notes": [note]}))

    assert "+14 pendaftaran lewat van-2" in map(str.strip, parsed.text.splitlines())


def test_the_page_shows_money_shares_state_time_and_version_as_text() -> None:
    text = parse_page(make_report()).text

    for figure in (
        "Rp7.724.400",
        "Rp836.400",
        "4,3%",
        "Sementara",
        "22.00 WIB",
        "Versi 2",
    ):
        assert figure in text


def test_the_page_of_a_final_day_says_so() -> None:
    text = parse_page(make_report(summary={"state": "final", "version": 1, "changes": [], "notes": []})).text

    assert "Final" in text
    assert "revisi" not in text
    assert "Ini hitungan pertama" in text


def test_a_revised_final_day_shows_its_revision() -> None:
    for render_document in (RENDERERS["page"], RENDERERS["mail"]):
        document = render_document(make_report(summary={"state": "final", "version": 4, "revision": 2}), "id")
        assert "Versi 4, revisi ke-2" in document


def test_a_campaign_without_a_target_shows_no_progress_against_one() -> None:
    for render_document in RENDERERS.values():
        document = render_document(make_report(campaign={"target": 0}), "id")

        assert "330 terdaftar, tanpa target" in document
        assert "dari target" not in document


def test_a_day_without_captures_is_rendered() -> None:
    no_captures = dict.fromkeys(Counts.model_fields, 0)
    summary = make_report().summary
    empty = Summary.model_validate(
        {
            **{
                name: getattr(summary, name)
                for name in ("campaign_id", "day", "version", "state", "counted_at")
            },
            "content_hash": "c" * 64,
            "counts": no_captures,
            "by_channel": {},
            "by_client": {},
            "by_occupation": {},
            "changes": [],
        }
    )
    for render_document in RENDERERS.values():
        assert ">0<" in render_document(make_report(summary=dict(empty), curve=(), revisions=()), "id")


@pytest.mark.parametrize(
    ("version", "is_first", "sentence"),
    [
        (1, True, "This is the first count of this day."),
        (2, True, "This is the first report of this day."),
        (2, False, "The number of registrations has not changed."),
    ],
)
def test_a_mail_without_changes_says_why(version: int, is_first: bool, sentence: str) -> None:
    report = make_report(summary={"version": version, "changes": [], "notes": []}, is_first=is_first)

    assert sentence in mail.compose(report, "en").text


def test_a_subject_is_one_line() -> None:
    subject = mail.compose(make_report(campaign={"name": "Pasar\r\nBcc: x@example.com"}), "id").subject

    assert not re.search(r"[\r\n]", subject)
    assert subject.startswith("Sementara: 157 terdaftar, Pasar")


def test_the_sign_in_page_asks_for_the_token_in_a_password_field() -> None:
    parsed = ParsedDocument(board.render_sign_in("id"))
    fields = {attributes["name"]: attributes for tag, attributes in parsed.elements if tag == "input"}

    assert set(fields) == {"code", "campaign", "token"}
    assert fields["token"]["type"] == "password"
    assert fields["token"]["autocomplete"] == "off"
