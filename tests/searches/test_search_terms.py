"""A typed text is recognised by its form, in any case and grouping."""

from contextlib import suppress
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations import references
from chalicelib.searches.errors import SearchUnclear
from chalicelib.searches.model import SearchKey, SearchTerm, parse_search
from chalicelib.searches.receipt_codes import make_receipt_code
from tests.support.payloads import make_capture_id, make_nik, make_phone

TODAY = date(2024, 10, 9)
GROUPINGS = st.sampled_from(["", " ", "-", "\u00a0"])


def parse(text: str) -> SearchTerm:
    return parse_search(text, today=TODAY)


@given(seed=st.integers(0, 30**8 - 1), grouping=GROUPINGS, case=st.sampled_from([str.upper, str.lower]))
def test_every_reference_is_found_as_one(seed: int, grouping: str, case: "type[str]") -> None:
    digits = iter([seed // 30**position % 30 for position in range(8)] + [9] * 99)
    reference = references.generate(lambda _: next(digits))

    assert parse(case(reference.replace("-", grouping))) == SearchTerm(SearchKey.REFERENCE, reference)


@given(number=st.integers(0, 2**62 - 1), grouping=GROUPINGS, version=st.sampled_from([4, 7]))
def test_every_receipt_code_is_found_as_one(number: int, grouping: str, version: int) -> None:
    capture_id = str(UUID(int=(version << 76) | (0x2 << 62) | number))
    code = make_receipt_code(capture_id)

    typed = f"{code[:4]}{grouping}{code[4:]}".lower()

    assert parse(typed) == SearchTerm(SearchKey.RECEIPT_CODE, code)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (f" {make_capture_id(7).upper()} ", SearchKey.CAPTURE_ID, make_capture_id(7)),
        (make_nik(), SearchKey.NIK, make_nik()),
        ("3171 0752 0485 7001", SearchKey.NIK, make_nik()),
        (make_phone(1), SearchKey.PHONE, "+6282455500001"),
        ("+62 824-5550-0001", SearchKey.PHONE, "+6282455500001"),
    ],
)
def test_a_text_is_recognised_by_its_form(text: str, key: SearchKey, value: str) -> None:
    assert parse(text) == SearchTerm(key, value)


@pytest.mark.parametrize(
    "text", ["Melati", "317107", make_nik()[:-1], "7K4-M2Q-X9Z", "021-3456789", "1", "____", "\u0000"]
)
def test_a_text_without_a_known_form_is_unclear(text: str) -> None:
    with pytest.raises(SearchUnclear):
        parse(text)


@given(text=st.text(max_size=60))
def test_any_text_is_recognised_or_unclear(text: str) -> None:
    with suppress(SearchUnclear):
        assert parse(text).value
