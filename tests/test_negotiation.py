"""What a caller would rather have, by RFC 9110."""

import pytest

from chalicelib.negotiation import preferred

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
    assert preferred(accepted, (ID, EN)) == language


def test_where_all_weigh_the_same_the_first_offer_is_taken() -> None:
    assert preferred("*", (EN, ID)) == EN
