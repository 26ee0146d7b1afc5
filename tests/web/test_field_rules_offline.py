"""The rules of a capture in the web app: what it refuses, the server refuses, with the same codes."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import typed
from chalicelib.crypto.masking import mask_name
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.registrations import names, nik, phone
from chalicelib.registrations.errors import InvalidValue
from chalicelib.registrations.rules import compute_age
from tests.support.builders import NOW, make_caller
from tests.support.device_builders import make_checker
from tests.support.javascript import JavaScriptRules
from tests.support.payloads import make_capture_payload, make_nik
from tests.web.conftest import SPONSORS, Bundle

# What people type, paste and scan: digits of three scripts, signs, blanks, and what cannot be seen.
SIGNS = (
    "+-.,/() \t\u00a0\u200b\u2060\ufeff\u3000\uff0b\uff10\uff19\u0661\u0966'`\u2019\u02bc\u20e3\ufe0feE\u00c9"
)
NEAR_NUMBERS = st.text("0123456789" * 3 + SIGNS, max_size=24)
NEAR_NAMES = st.text("abcSITI " + SIGNS + "\u0301\u4e2d\n\x00\u00b2", max_size=12)
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cn", "Co", "Cs"]).filter(
        lambda each: unicodedata.unidata_version >= "14" and ord(each) < 0x1_E000
    ),
    max_size=10,
)


@given(text=NEAR_NUMBERS | NEAR_NAMES | ANY_TEXT)
def test_a_typed_value_is_cleaned_as_by_the_server(javascript_rules: JavaScriptRules, text: str) -> None:
    cleaned = typed.clean_text(text)
    assert javascript_rules.call("typed.js", "cleanText", text) == cleaned
    assert javascript_rules.call("typed.js", "cleanNumber", text) == typed.clean_number(text)
    assert javascript_rules.call("typed.js", "findTextProblem", cleaned) == typed.find_text_problem(cleaned)
    assert javascript_rules.call("typed.js", "countDigits", text) == typed.count_digits(text)
    assert javascript_rules.call("typed.js", "isFromSpreadsheet", text) == typed.is_from_spreadsheet(text)


@given(text=NEAR_NAMES | ANY_TEXT)
def test_a_name_is_judged_as_by_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle, text: str
) -> None:
    found = javascript_rules.call("names.js", "parseName", text, bundle["limits"]["name_punctuation"])
    try:
        expected = {"value": names.parse(text)}
    except InvalidValue as invalid:
        expected = {"code": invalid.code}
    assert found == expected


WRITTEN_NUMBERS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["0", "", "62", "+62", "0062", "+62 (0)", "+60", "062", "6262", "00 62-", "+", "00"]),
    st.sampled_from(
        ["812", "852", "838", "859", "804", "800", "21", "22", "361", "1500", "8071", "62812", "0812"]
    ),
    st.text("0123456789", min_size=3, max_size=11),
)


@given(
    text=NEAR_NUMBERS
    | WRITTEN_NUMBERS
    | st.builds("{}{}{}".format, WRITTEN_NUMBERS, st.sampled_from("/.,( x"), NEAR_NUMBERS)
)
def test_a_phone_is_judged_as_by_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle, text: str
) -> None:
    found = javascript_rules.call("phone.js", "parsePhone", text, bundle["limits"]["phone"])
    try:
        expected: dict[str, Any] = {"value": phone.parse(text)}
    except InvalidValue as invalid:
        expected = {"code": invalid.code}
    # A device does not know which numbers exist in other countries.
    if {found.get("code"), expected.get("code")} != {"phone_malformed", "phone_foreign"}:
        assert {name: found[name] for name in expected} == expected


NEAR_NIKS = st.builds(
    "{}{}{:02}{:02}{:02}{}".format,
    st.sampled_from(["31", "11", "96", "97", "54", "00"]),
    st.sampled_from(["7107", "0000", "8001", "7900", "0101", "7999"]),
    st.integers(0, 99),
    st.integers(0, 14),
    st.integers(0, 99),
    st.sampled_from(["0000", "0001", "9999"]),
)


@given(text=NEAR_NIKS | NEAR_NUMBERS, day=st.dates(datetime(2024, 1, 1).date(), datetime(2101, 1, 1).date()))  # noqa: DTZ001
def test_a_nik_is_read_as_by_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle, text: str, day: Any
) -> None:
    found = javascript_rules.call("nik.js", "parseNik", text, day.isoformat(), bundle["limits"]["nik"])
    try:
        number, details = nik.parse(text, capture_day=day)
    except InvalidValue as invalid:
        expected = {"code": invalid.code, "digits": invalid.digits}
        assert found == {name: value for name, value in expected.items() if value is not None}
        return
    assert found == {
        "value": number,
        "birthDate": details.birth_date.isoformat(),
        "sex": details.sex,
        "hasValidPlaceCode": details.has_valid_place_code,
    }


@given(day=st.dates(), birth_date=st.dates())
def test_an_age_is_computed_as_by_the_server(
    javascript_rules: JavaScriptRules, day: Any, birth_date: Any
) -> None:
    found = javascript_rules.call("dates.js", "computeAge", day.isoformat(), birth_date.isoformat())
    assert found == compute_age(day, birth_date)


@given(name=st.text("abcd\u00e9 -'", min_size=1, max_size=20))
def test_a_name_is_masked_as_by_the_server(javascript_rules: JavaScriptRules, name: str) -> None:
    assert javascript_rules.call("names.js", "maskName", name) == mask_name(name)


# Whole captures

TIMES = st.datetimes(datetime(2024, 10, 8), datetime(2024, 10, 11)).map(  # noqa: DTZ001
    lambda each: f"{each:%Y-%m-%dT%H:%M:%S}+07:00"
)
BIRTH_DATES = st.sampled_from(["1985-04-12", "2010-01-01", "1950-12-31", "2007-10-09", "1959-10-10"])
OCCUPATIONS = st.sampled_from(["porter", "ojek_driver", "no_such_job"])
CONSENT_TIMES = st.sampled_from(
    ["2024-10-09T11:11:30+07:00", "2022-10-16T23:59:59+07:00", "2024-10-09T12:10:01+07:00"]
)


def some_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


CHANGES = some_of(
    captured_at=TIMES,
    worker=some_of(
        nik=NEAR_NIKS | st.just("") | NEAR_NUMBERS,
        name=NEAR_NAMES | st.just("a" * 101),
        birth_date=BIRTH_DATES,
        phone=st.none() | WRITTEN_NUMBERS | NEAR_NUMBERS,
        address=st.none() | NEAR_NAMES | st.just("a" * 301),
        postal_code=st.none() | st.text("0123456789 ", max_size=6) | st.just("1" * 11),
    ),
    work=some_of(
        occupations=st.lists(OCCUPATIONS, max_size=3),
        place=NEAR_NAMES,
        monthly_income=st.sampled_from([-1, 0, 1_099_999, 10**9, 10**9 + 1]),
        employs_others=st.booleans(),
    ),
    coverage=some_of(
        programmes=st.lists(st.sampled_from(["JKK", "JKM", "JHT"]), max_size=4),
        months=st.sampled_from([1, 12, 4]),
        payer=st.sampled_from(["self", "sponsor", "csr", "state_budget"]),
        sponsor_id=st.sampled_from([None, "toko-contoh", "toko-lain"]),
    ),
    consent=some_of(text_version=NEAR_NAMES, given_at=CONSENT_TIMES),
)


def fold_codes(findings: list[Any]) -> set[tuple[str, str]]:
    """Return findings as pairs, without the difference between foreign and impossible numbers."""
    pairs = {(each["field"], each["code"]) for each in findings}
    return {(field, "phone_malformed" if code == "phone_foreign" else code) for field, code in pairs}


@given(changes=CHANGES)
def test_a_capture_is_judged_as_by_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle, changes: dict[str, Any]
) -> None:
    capture = make_capture_payload(**changes)
    judged = make_checker(sponsors=SPONSORS).check(capture, caller=make_caller())
    found = javascript_rules.call("captures.js", "checkCapture", capture, bundle, NOW.timestamp() * 1000)
    assert fold_codes(found["errors"]) == fold_codes([vars(each) for each in judged.errors])
    assert fold_codes(found["warnings"]) == fold_codes([vars(each) for each in judged.warnings])


def test_a_good_capture_breaks_no_rule(javascript_rules: JavaScriptRules, bundle: Bundle) -> None:
    now = NOW.timestamp() * 1000
    found = javascript_rules.call("captures.js", "checkCapture", make_capture_payload(), bundle, now)
    assert found == {"errors": [], "warnings": []}


@pytest.mark.parametrize("days", [-40, 0, 1, 2400])
def test_the_days_and_the_end_of_a_campaign_are_those_of_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle, days: int
) -> None:
    now = NOW + timedelta(days=days)
    capture = make_capture_payload(captured_at=now.isoformat())
    judged = make_checker(sponsors=SPONSORS, now=now).check(capture, caller=make_caller())
    found = javascript_rules.call("captures.js", "checkCapture", capture, bundle, now.timestamp() * 1000)
    assert fold_codes(found["errors"]) == fold_codes([vars(each) for each in judged.errors])


def test_the_bundle_has_the_message_of_every_rule(bundle: Bundle) -> None:
    assert bundle["field_messages"] == {
        code: {"id": message.indonesian, "en": message.english} for code, message in FIELD_MESSAGES.items()
    }


def test_an_instant_is_written_with_the_offset_of_the_campaign(javascript_rules: JavaScriptRules) -> None:
    instant = datetime(2024, 10, 9, 17, 30, tzinfo=UTC).timestamp() * 1000
    for zone, written in (
        ("Asia/Jakarta", "2024-10-10T00:30:00+07:00"),
        ("Asia/Makassar", "2024-10-10T01:30:00+08:00"),
        ("Asia/Jayapura", "2024-10-10T02:30:00+09:00"),
    ):
        assert javascript_rules.call("dates.js", "formatInstant", instant, zone) == written


# Occupations


@pytest.mark.parametrize(
    ("words", "occupation"),
    [
        ("kuli panggul", "porter"),
        ("KULI  Panggul", "porter"),
        ("kuli pangul", "porter"),
        ("panggul", "porter"),
        ("ojol", "ojek_driver"),
        ("gojek", "ojek_driver"),
        ("gado gado", "food_vendor"),
    ],
)
def test_everyday_words_find_an_occupation(
    javascript_rules: JavaScriptRules, bundle: Bundle, words: str, occupation: str
) -> None:
    found = javascript_rules.call("occupations.js", "searchOccupations", bundle["occupations"], words)
    assert found[0]["id"] == occupation


def test_every_search_word_finds_its_occupation_among_the_first(
    javascript_rules: JavaScriptRules, bundle: Bundle
) -> None:
    for each in bundle["occupations"]:
        for words in (each["name"], each["name_en"], *each["search"]):
            found = javascript_rules.call("occupations.js", "searchOccupations", bundle["occupations"], words)
            assert each["id"] in [other["id"] for other in found[:3]], words


def test_a_nik_is_shown_in_groups_of_four(javascript_rules: JavaScriptRules) -> None:
    grouped = javascript_rules.call("nik.js", "groupNik", make_nik())
    assert [len(group) for group in grouped.split(" ")] == [4, 4, 4, 4]
