"""Content negotiation by RFC 9110."""

import pytest

from chalicelib.http.negotiation import accepts_gzip, select_language, select_media_type

ID, EN = "id", "en"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", ID),
        ("*", ID),
        ("fr", ID),
        ("en", EN),
        ("en-GB", EN),
        ("EN-gb, id;q=0.5", EN),
        ("id, en", ID),
        ("en, id", EN),
        ("id;q=0.8, en;q=0.9", EN),
        ("id;q=0.8, en;q=0.800", ID),
        ("en;q=0.001", EN),
        ("fr, en;q=0.3", EN),
        ("en;q=0", ID),
        ("id;q=0", EN),
        ("id;q=0, en;q=0", ID),
        ("en;q=0, *", ID),
        ("id;q=0, *", EN),
        ("id;q=0.1, *;q=0.5", EN),
        ("en;q=0.1, *;q=0.5", ID),
        ("en ; q=1", EN),
        ("en;level=1;q=0.2, id;q=0.1", EN),
        ("in-ID,in;q=0.9,en;q=0.7", ID),
        ("en;q=0.7, in-ID", ID),
        ("in_ID", ID),
        ("en;q=0.9, in_ID;q=0.8", EN),
        ("IN", ID),
        ("id_ID", ID),
        ("en_US, in", EN),
        ("in;q=0.2, en;q=0.5, id;q=0.6", ID),
        ("in;q=0", EN),
        ("ind", ID),
        ("english", ID),
        ("en;q=high", ID),
        ("en;q=nan", ID),
        ("en;q=2", ID),
        ("en;q=-1", ID),
        (";;,,q=,", ID),
    ],
)
def test_the_language_with_the_highest_weight_is_selected(header: str, language: str) -> None:
    assert select_language(header, (ID, EN)) == language


def test_of_equal_weights_the_first_option_is_selected() -> None:
    assert select_language("*", (EN, ID)) == EN


MEDIA_TYPES = ["application/json", "text/html", "text/csv"]
BROWSER_HEADER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "selected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        (BROWSER_HEADER, "text/html"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8; q=0.5", "text/csv"),
        ("text/*", "text/html"),
        ("text/*, text/html;q=0", "text/csv"),
        ("text/csv, text/html", "text/csv"),
        ("text/html;q=0.2, application/json;q=0.3", "application/json"),
        ("text/html;q=0.2, */*;q=0.1", "text/html"),
        ("application/json;q=0, */*", "text/html"),
        ("application/pdf, text/csv;q=0.1", "text/csv"),
    ],
)
def test_the_media_type_with_the_highest_weight_is_selected(header: str, selected: str) -> None:
    assert select_media_type(header, MEDIA_TYPES) == selected


@pytest.mark.parametrize(
    "header", ["application/pdf", "*/*;q=0", "text/html;q=0", "text/html;q=x", "html", "*"]
)
def test_no_media_type_is_selected_if_none_is_acceptable(header: str) -> None:
    assert select_media_type(header, MEDIA_TYPES) is None


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
    ],
)
def test_an_answer_is_compressed_for_whom_accepts_it(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
