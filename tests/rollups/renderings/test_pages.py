"""The page, the board and the mail as documents; tests/browser looks at them in a browser."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from chalicelib.languages import LANGUAGES
from chalicelib.rollups.renderings import board, html, mail
from chalicelib.rollups.renderings.markup import Markup, element, together
from tests.support.report_builders import make_report

TYPED = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
RENDERED = {
    "page": html.render_html,
    "board": board.render_board,
    "mail": lambda report, language: mail.compose(report, language).html,
}


class Read(HTMLParser):
    """A document as a browser reads it: its elements, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


@pytest.mark.parametrize("rendering", RENDERED)
def test_what_was_typed_is_never_markup(rendering: Any) -> None:
    report = make_report(
        campaign={"name": TYPED, "place": TYPED, "branch": TYPED[:100]},
        summary={"by_client": {TYPED: 157}, "by_officer": {TYPED: 157}, "by_hour": {TYPED: 157}},
    )
    usual, hostile = (Read(RENDERED[rendering](each, "id")) for each in (make_report(), report))

    assert set(hostile.tags()) <= set(usual.tags())
    assert hostile.tags().count("script") == usual.tags().count("script")
    assert {name for _, found in hostile.elements for name in found} <= {
        name for _, found in usual.elements for name in found
    }
    assert "alert(1)" in hostile.text


@pytest.mark.parametrize("rendering", RENDERED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rendering_says_its_language_and_leads_with_the_answer(rendering: Any, language: Any) -> None:
    document = RENDERED[rendering](make_report(), language)

    assert Read(document).elements[0] == ("html", {"lang": language})
    assert document.index(">157<") < document.index(">330 ") < document.index("van-1")


@pytest.mark.parametrize("rendering", RENDERED)
def test_a_rendering_asks_nobody_for_anything(rendering: Any) -> None:
    """A page that loads from elsewhere tells elsewhere who reads it."""
    read = Read(RENDERED[rendering](make_report(), "id"))

    assert not {"link", "img", "iframe", "object", "base"} & set(read.tags())
    assert not [name for _, found in read.elements for name in found if name in {"src", "href", "srcset"}]
    assert "url(" not in RENDERED[rendering](make_report(), "id")


@pytest.mark.parametrize("rendering", RENDERED)
def test_the_same_report_gives_the_same_bytes(rendering: Any) -> None:
    assert RENDERED[rendering](make_report(), "id") == RENDERED[rendering](make_report(), "id")


def test_the_page_runs_no_script() -> None:
    assert "script" not in Read(html.render_html(make_report(), "id")).tags()


def test_the_page_says_what_changed_and_why_before_any_breakdown() -> None:
    text = Read(html.render_html(make_report(), "id")).text

    why = text.index("+14 pendaftaran lewat van-2, diterima Kamis, 10 Oktober 2024")
    assert (
        why
        < text.index("Rabu, 9 Oktober 2024: 167 menjadi 173 terdaftar (+6)")
        < text.index("Menurut pekerjaan")
    )
    assert text.index("Perlu dilihat") < text.index("Menurut pekerjaan")


def test_a_note_without_a_day_of_receipt_is_told_without_one() -> None:
    note = make_report().summary.notes[0].model_copy(update={"received_on": None})
    text = Read(html.render_html(make_report(summary={"notes": [note]}), "id")).text

    assert "+14 pendaftaran lewat van-2T" in text


def test_every_figure_of_the_summary_stands_on_the_page_as_text() -> None:
    text = Read(html.render_html(make_report(), "id")).text

    for told in (
        "Rp\N{NO-BREAK SPACE}7.724.400",
        "Rp\N{NO-BREAK SPACE}836.400",
        "4,3%",
        "Sementara",
        "22.00 WIB",
        "Versi 2",
    ):
        assert told in text


def test_a_final_day_says_that_it_is() -> None:
    text = Read(
        html.render_html(
            make_report(summary={"state": "final", "version": 1, "changes": [], "notes": []}), "id"
        )
    ).text

    assert "Final" in text
    assert "revisi" not in text
    assert "Ini hitungan pertama" in text


def test_a_final_day_that_was_revised_says_so() -> None:
    for rendering in (RENDERED["page"], RENDERED["mail"]):
        document = rendering(make_report(summary={"state": "final", "version": 4, "revision": 2}), "id")
        assert "Versi 4, revisi ke-2" in document


def test_a_campaign_without_a_target_is_not_measured_against_one() -> None:
    for rendering in RENDERED.values():
        document = rendering(make_report(campaign={"target": 0}), "id")

        assert "330 terdaftar, tanpa target" in document
        assert "dari target" not in document


def test_a_day_without_anything_is_a_page_too() -> None:
    nothing = {"created": 0, "captures": 0, "already_registered": 0, "reactivated": 0, "refused": 0}
    summary = make_report().summary
    bare = type(summary).model_validate(
        {
            **{
                name: getattr(summary, name)
                for name in ("campaign_id", "day", "version", "state", "counted_at")
            },
            "content_hash": "c" * 64,
            "counts": nothing,
            "by_channel": {},
            "by_client": {},
            "by_occupation": {},
            "changes": [],
        }
    )
    for rendering in RENDERED.values():
        assert ">0<" in rendering(make_report(summary=dict(bare), curve=(), revisions=()), "id")


@pytest.mark.parametrize(
    ("version", "is_first", "says"),
    [
        (1, True, "This is the first count of this day."),
        (2, True, "This is the first report of this day."),
        (2, False, "No number of registrations changed."),
    ],
)
def test_a_mail_without_changes_says_why(version: int, is_first: bool, says: str) -> None:
    report = make_report(summary={"version": version, "changes": [], "notes": []}, is_first=is_first)

    assert says in mail.compose(report, "en").text


def test_a_subject_is_one_line() -> None:
    letter = mail.compose(make_report(campaign={"name": "Pasar\r\nBcc: x@example.com"}), "id")

    assert not re.search(r"[\r\n]", letter.subject)
    assert letter.subject.startswith("Sementara: 157 terdaftar, Pasar")


def test_the_board_without_figures_asks_for_the_token_in_a_field_that_hides_it() -> None:
    read = Read(board.render_sign_in("id"))
    fields = {found["name"]: found for tag, found in read.elements if tag == "input"}

    assert set(fields) == {"campaign", "token"}
    assert fields["token"]["type"] == "password"
    assert fields["token"]["autocomplete"] == "off"


def test_markup_stays_and_text_is_escaped() -> None:
    told = element(
        "p", "a<b", Markup("<i>"), None, ["c", 1], class_='"x"', hidden=True, lang=None, open=False
    )

    assert told == '<p class="&quot;x&quot;" hidden>a&lt;b<i>c1</p>'
    assert together("<", element("br")) == "&lt;<br>"
