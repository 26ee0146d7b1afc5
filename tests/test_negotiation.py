"""What a caller would rather have, by RFC 9110."""

from typing import Any

import pytest

from chalicelib.http.negotiation import select_language, select_media_type

ID, EN = "id", "en"


@pytest.mark.parametrize(
    ("accepted", "language"),
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
        ("english", ID),
        ("en;q=high", ID),
        ("en;q=nan", ID),
        ("en;q=2", ID),
        ("en;q=-1", ID),
        (";;,,q=,", ID),
    ],
)
def test_the_language_that_weighs_most_is_spoken(accepted: str, language: str) -> None:
    assert select_language(accepted, (ID, EN)) == language


def test_where_all_weigh_the_same_the_first_offer_is_taken() -> None:
    assert select_language("*", (EN, ID)) == EN


FORMS = ["application/json", "text/html", "text/csv"]
A_BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accepted", "given"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        (A_BROWSER, "text/html"),
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
def test_the_most_wanted_media_type_that_is_offered_is_given(accepted: Any, given: str) -> None:
    assert select_media_type(accepted, FORMS) == given


@pytest.mark.parametrize(
    "accepted", ["application/pdf", "*/*;q=0", "text/html;q=0", "text/html;q=x", "html", "*"]
)
def test_nothing_is_given_where_nothing_offered_is_wanted(accepted: str) -> None:
    assert select_media_type(accepted, FORMS) is None
