"""Parsing of NIKs, and the codes of refused ones."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations import nik
from chalicelib.registrations.nik import PROVINCES, InvalidNIK, Sex
from tests.support.payloads import make_nik

TODAY = date(2024, 10, 9)

# The codes of the civil ministry: 38 provinces of today, and 54 as it was issued until 1999.
RANGES = ((11, 19), (21, 21), (31, 36), (51, 54), (61, 65), (71, 76), (81, 82), (91, 96))
ISSUED = [str(code) for first, last in RANGES for code in range(first, last + 1)]


def get_error_code(text: str, *, on: date = TODAY) -> str:
    with pytest.raises(InvalidNIK) as refused:
        nik.parse(text, capture_day=on)
    return refused.value.code


def birth_date(born: str, *, on: date = TODAY) -> date:
    return nik.parse(make_nik(birth_digits=born), capture_day=on)[1].birth_date


@pytest.mark.parametrize(
    "typed",
    [
        "3171075204857001",
        " 3171075204857001 ",
        "317107 520485 7001",
        "31.71.07.520485.7001",
        "31-71-07-520485-7001",
        "3171 0752\t0485 7001",
        "3171075204857001\n",
        "3171\N{NO-BREAK SPACE}0752\N{NO-BREAK SPACE}0485 7001",
        "3171 - 0752 . 0485   7001",
        "317107520485.7001",
        "31.71.07.52.04.85.70.01",
        "３１７１０７５２０４８５７００１",  # noqa: RUF001 - full-width digits are the case
        "3171\N{ZERO WIDTH SPACE}075204857001",
        "\N{ZERO WIDTH NO-BREAK SPACE}3171075204857001\N{RIGHT-TO-LEFT MARK}",
    ],
)
def test_separators_are_removed(typed: str) -> None:
    assert nik.parse(typed, capture_day=TODAY)[0] == "3171075204857001"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "317107520485700",
        "31710752048570011",
        "317107520485700O",
        "3l71075204857001",
        "3171075204857001x",
        "+3171075204857001",
        "-3171075204857001-1",
        "317107_520485_7001",
        "317107/520485/7001",
        "317107,520485,7001",
        "٣١٧١٠٧٥٢٠٤٨٥٧٠٠١",
        "317107520485700²",
        "NIK 3171075204857001",
        "3171075204857001; DROP",
    ],
)
def test_anything_but_sixteen_plain_digits_is_refused(typed: str) -> None:
    assert get_error_code(typed) == "nik_length"


@pytest.mark.parametrize(
    "typed",
    [
        "317107520485700.0",
        "317107520485700,1",
        "31710752048570.01",
        "3171075204857001.0",
        "3171075204857001,00",
        "317107520485700 . 0",
        "31710752048570.00",
        "３１７１０７５２０４８５７００．０",  # noqa: RUF001 - full-width digits are the case
        "3.17107520485700E+15",
        "3,171E+15",
    ],
    ids=ascii,
)
def test_a_decimal_of_a_spreadsheet_never_completes_a_nik(typed: str) -> None:
    assert get_error_code(typed) == "number_from_spreadsheet"


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("", 0),
        ("317107 520485 700", 15),
        ("\N{ZERO WIDTH SPACE}31710752048570011", 17),
        ("３１７", 3),  # noqa: RUF001 - full-width digits are the case
        # Sixteen are right: something else is wrong with it.
        ("3171075204857001x", None),
    ],
    ids=ascii,
)
def test_a_refusal_counts_the_digits_that_the_person_sees(typed: str, digits: int | None) -> None:
    with pytest.raises(InvalidNIK) as refused:
        nik.parse(typed, capture_day=TODAY)
    assert (refused.value.code, refused.value.digits) == ("nik_length", digits)


@given(
    digits=st.text("0123456789", min_size=10, max_size=16),
    mark=st.sampled_from(".,"),
    fraction=st.text("0123456789", min_size=1, max_size=2) | st.text("0", min_size=1, max_size=6),
)
def test_no_decimal_is_a_nik(digits: str, mark: str, fraction: str) -> None:
    assert get_error_code(f"{digits}{mark}{fraction}") == "number_from_spreadsheet"


@pytest.mark.parametrize("province", ISSUED)
def test_every_province_that_ever_issued_a_nik_is_known(province: str) -> None:
    assert nik.parse(make_nik(district_code=f"{province}7107"[:6]), capture_day=TODAY)


def test_no_other_province_is_known() -> None:
    assert set(ISSUED) == PROVINCES
    for code in {f"{number:02d}" for number in range(100)} - set(ISSUED):
        assert get_error_code(make_nik(district_code=f"{code}7107")) == "nik_province"


@pytest.mark.parametrize("place", ["317999", "310000", "549999", "916601", "640601"])
def test_unknown_regencies_and_districts_are_accepted(place: str) -> None:
    assert nik.parse(make_nik(district_code=place), capture_day=TODAY)


@pytest.mark.parametrize(
    ("born", "sex", "day"),
    [
        ("010185", Sex.MALE, date(1985, 1, 1)),
        ("310185", Sex.MALE, date(1985, 1, 31)),
        ("410185", Sex.FEMALE, date(1985, 1, 1)),
        ("520485", Sex.FEMALE, date(1985, 4, 12)),
        ("710185", Sex.FEMALE, date(1985, 1, 31)),
        ("690200", Sex.FEMALE, date(2000, 2, 29)),
    ],
)
def test_forty_is_added_to_the_day_of_a_woman(born: str, sex: Sex, day: date) -> None:
    reading = nik.parse(make_nik(birth_digits=born), capture_day=TODAY)[1]
    assert (reading.sex, reading.birth_date) == (sex, day)


@pytest.mark.parametrize("day", ["00", *(str(day) for day in (*range(32, 41), *range(72, 100)))])
def test_impossible_days_are_refused(day: str) -> None:
    assert get_error_code(make_nik(birth_digits=f"{day}0185")) == "nik_birth_date"


@pytest.mark.parametrize(
    "born",
    ["010085", "011385", "019985", "310485", "300285", "290285", "710485", "700285", "690285", "290201"],
)
def test_impossible_dates_are_refused(born: str) -> None:
    assert get_error_code(make_nik(birth_digits=born)) == "nik_birth_date"


@pytest.mark.parametrize(
    ("born", "on", "expected"),
    [
        ("290200", date(2024, 10, 9), date(2000, 2, 29)),
        ("290204", date(2024, 10, 9), date(2004, 2, 29)),
        ("290224", date(2024, 2, 29), date(2024, 2, 29)),
        ("290224", date(2024, 2, 28), date(1924, 2, 29)),
        ("290228", date(2024, 10, 9), date(1928, 2, 29)),
        ("290228", date(2028, 3, 1), date(2028, 2, 29)),
    ],
)
def test_a_leap_day_is_in_the_century_that_has_it(born: str, on: date, expected: date) -> None:
    assert birth_date(born, on=on) == expected


def test_a_leap_day_of_neither_century_is_refused() -> None:
    assert get_error_code(make_nik(birth_digits="290226"), on=date(2026, 11, 22)) == "nik_birth_date"


@pytest.mark.parametrize(
    ("born", "on", "expected"),
    [
        ("091024", date(2024, 10, 9), date(2024, 10, 9)),
        ("101024", date(2024, 10, 9), date(1924, 10, 10)),
        ("311224", date(2024, 10, 9), date(1924, 12, 31)),
        ("010125", date(2024, 10, 9), date(1925, 1, 1)),
        ("010100", date(2024, 10, 9), date(2000, 1, 1)),
        ("311299", date(2024, 10, 9), date(1999, 12, 31)),
        ("010161", date(2026, 11, 22), date(1961, 1, 1)),
        ("010109", date(2026, 11, 22), date(2009, 1, 1)),
        ("311226", date(2026, 11, 22), date(1926, 12, 31)),
    ],
)
def test_the_century_is_the_one_that_gives_an_age_below_a_hundred(
    born: str, on: date, expected: date
) -> None:
    assert birth_date(born, on=on) == expected


@pytest.mark.parametrize("serial", [1, 9, 10, 999, 9999])
def test_serials_start_at_one(serial: int) -> None:
    assert nik.parse(make_nik(serial), capture_day=TODAY)[0].endswith(f"{serial:04d}")


def test_the_serial_zero_is_refused() -> None:
    assert get_error_code(make_nik(0)) == "nik_serial"


@given(
    place=st.tuples(st.sampled_from(ISSUED), st.integers(0, 9999)).map(
        lambda parts: f"{parts[0]}{parts[1]:04d}"
    ),
    on=st.dates(date(2000, 1, 1), date(2090, 12, 31)),
    days_old=st.integers(0, 36_523),
    is_woman=st.booleans(),
    serial=st.integers(1, 9999),
)
def test_the_content_of_a_nik_is_read_as_a_registrar_writes_it(
    place: str, on: date, days_old: int, is_woman: bool, serial: int
) -> None:
    born = on - timedelta(days=days_old)
    written = make_nik(serial, birth_digits=f"{born.day + 40 * is_woman:02d}{born:%m%y}", district_code=place)

    number, reading = nik.parse(written, capture_day=on)

    assert number == written
    assert reading.birth_date == born
    assert reading.sex is (Sex.FEMALE if is_woman else Sex.MALE)


@given(typed=st.text(max_size=40) | st.text("0123456789", min_size=16, max_size=16))
def test_any_string_is_parsed_or_refused_with_a_code(typed: str) -> None:
    try:
        number, reading = nik.parse(typed, capture_day=TODAY)
    except InvalidNIK as refused:
        code = refused.code
    else:
        assert len(number) == 16
        assert date(1924, 10, 10) <= reading.birth_date <= TODAY
        return
    assert code in {
        *("nik_length", "nik_province", "nik_serial", "nik_birth_date", "number_from_spreadsheet"),
    }


@given(digits=st.text("0123456789", min_size=15, max_size=15))
def test_a_refusal_never_repeats_the_number(digits: str) -> None:
    with pytest.raises(InvalidNIK) as refused:
        nik.parse(digits, capture_day=TODAY)
    assert digits not in f"{refused.value!r} {refused.value}"
