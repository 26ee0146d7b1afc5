"""Parsing of mobile numbers in all usual forms, and the codes of refused ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations import numbering, phone
from chalicelib.registrations.phone import InvalidPhone
from chalicelib.typed import extract_digits

THE_SAME = "+6281234567890"

# The two digits after 08 of every block that an operator holds.
OPERATORS = (
    *((11, 19), (21, 23), (31, 33), (38, 38), (51, 53), (55, 59)),
    *((77, 79), (81, 83), (87, 89), (95, 99)),
)


def get_error_code(typed: str) -> str:
    with pytest.raises(InvalidPhone) as refused:
        phone.parse(typed)
    return refused.value.code


@pytest.mark.parametrize(
    "typed",
    [
        "081234567890",
        "81234567890",
        "6281234567890",
        "+6281234567890",
        "006281234567890",
        "00 62 812 3456 7890",
        "+62 812-3456-7890",
        "+62 0812-3456-7890",
        "+62081234567890",
        "62081234567890",
        "00 62 0812 3456 7890",
        "+62 (0)812 3456 7890",
        "(0812) 3456-7890",
        "(0812)34567890",
        "0812.3456.7890",
        "0812/3456/7890",
        "0812-3456-7890",
        "  0812 3456 7890 ",
        "0812\t3456\n7890",
        "\N{NO-BREAK SPACE}0812\N{NO-BREAK SPACE}3456 7890",
        "0812\N{ZERO WIDTH SPACE}34567890",
        "\N{LEFT-TO-RIGHT EMBEDDING}+62 812-3456-7890\N{POP DIRECTIONAL FORMATTING}",
        "0812\N{NON-BREAKING HYPHEN}3456\N{EN DASH}7890",
        "\N{FULLWIDTH PLUS SIGN}62 812 3456 7890",
        "０８１２３４５６７８９０",  # noqa: RUF001 - full-width digits are the case
        "٠٨١٢٣٤٥٦٧٨٩٠",
        "0812.34567890",
        "0812.34.56.78.90",
        "\N{ZERO WIDTH NO-BREAK SPACE}081234567890\N{RIGHT-TO-LEFT MARK}",
    ],
)
def test_one_number_has_one_form_however_it_is_written(typed: str) -> None:
    assert phone.parse(typed) == THE_SAME


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("0812345678", "+62812345678"),
        ("08123456789", "+628123456789"),
        ("0812345678901", "+62812345678901"),
        ("0824-5550-7001", "+6282455507001"),
    ],
)
def test_ten_to_thirteen_digits_make_a_mobile_number(typed: str, expected: str) -> None:
    assert phone.parse(typed) == expected


@pytest.mark.parametrize(
    "prefix",
    [f"08{number}" for first, last in OPERATORS for number in range(first, last + 1)],
)
def test_the_prefixes_of_every_operator_are_mobile(prefix: str) -> None:
    assert phone.parse(f"{prefix}1234567") == f"+62{prefix[1:]}1234567"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "-",
        "+",
        "++6281234567890",
        "+62+81234567890",
        "0812345678+90",
        "o81234567890",
        "O81234567890",
        "08l234567890",
        "0812345678g0",
        "08123456789a",
        "0812 3456 7890 ext 3",
        "0812 3456 7890 (WA)",
        "0812;3456;7890",
        "081234567890,081234567891",
        "081234567890 081234567891",
        "0812345678/79",
        "0812345678/9",
        "0812345678 (2)",
        "812345678.125",
        "0812345678²",
        "0812345678½",
        "0812345678①",
        "0812345678⒈",
        "tel:+6281234567890",
        "nomor saya",
        "0812\N{NULL}34567890",
        "0812\N{GRINNING FACE}34567890",
        "08123456",
        "628",
        "08123456789012",
        "081234567890123",
        "0878 1234 5678 90",
        "0844 1234567",
        "00000000000",
        "62 62 812 34567890",
        "+62006281234567890",
        "060123456789",
        "110",
    ],
)
def test_a_malformed_number_is_refused(typed: str) -> None:
    assert get_error_code(typed) == "phone_malformed"


@pytest.mark.parametrize(
    "typed",
    [
        "812345678.0",
        "8123456789.00",
        "812345678.000",
        "812345678,0",
        "62812345678.0",
        "+62 812-3456-78.0",
        "812.345.678,00",
        "812345678 . 0",
        "８１２３４５６７８．０",  # noqa: RUF001 - full-width digits are the case
        "812345678.0\N{ZERO WIDTH SPACE}",
        "8.12345678E+9",
        "8,12E+08",
    ],
    ids=ascii,
)
def test_a_decimal_of_a_spreadsheet_never_becomes_a_longer_number(typed: str) -> None:
    assert get_error_code(typed) == "number_from_spreadsheet"


@given(
    number=st.from_regex(r"(\+62|62|0)?8[0-9]{6,12}", fullmatch=True),
    mark=st.sampled_from(".,"),
    fraction=st.text("0123456789", min_size=1, max_size=2) | st.text("0", min_size=1, max_size=6),
)
def test_no_decimal_is_a_phone_number(number: str, mark: str, fraction: str) -> None:
    assert get_error_code(f"{number}{mark}{fraction}") == "number_from_spreadsheet"


@given(
    typed=st.text("0812345678８１²½①٣.,/-() +٫\u200b\u202e\ufeff", max_size=24)  # noqa: RUF001
)
def test_a_parsed_number_ends_in_the_digits_that_the_person_sees(typed: str) -> None:
    try:
        national = phone.parse(typed).removeprefix("+62")
    except InvalidPhone:
        return
    seen = extract_digits(typed)
    assert seen.endswith(national)
    assert seen.removesuffix(national) in {"", "0", "62", "0062", "620", "00620"}


def test_a_refusal_counts_the_digits_that_the_person_sees() -> None:
    for typed, digits in (("0812 345", 7), ("\N{ZERO WIDTH SPACE}o8123４", 5)):  # noqa: RUF001
        with pytest.raises(InvalidPhone) as refused:
            phone.parse(typed)
        assert (refused.value.code, refused.value.digits) == ("phone_malformed", digits)


@pytest.mark.parametrize(
    "typed",
    [
        "+60123456789",
        "0060123456789",
        "+60 12-345 6789",
        "+65 9123 4567",
        "+1 202 555 0100",
        "001 202 555 0100",
        "+881 6 23456789",
        "+800 1234 5678",
    ],
)
def test_a_foreign_number_is_refused(typed: str) -> None:
    assert get_error_code(typed) == "phone_foreign"


@pytest.mark.parametrize(
    "typed",
    [
        "021-5551234",
        "(021) 555 1234",
        "+62 21 5551234",
        "0062215551234",
        "0274 512345",
        "0800 1234567",
        "0809 1234567",
        "1500910",
    ],
)
def test_a_number_that_gets_no_sms_is_refused(typed: str) -> None:
    assert get_error_code(typed) == "phone_not_mobile"


@given(
    national=st.from_regex(r"8(1[1-9]|2[1-3]|5[1-35-9]|7[7-9]|9[5-9])[0-9]{7}", fullmatch=True),
    country=st.sampled_from(["0", "", "62", "+62", "0062", "+62 0", "+62(0)", "62 0"]),
    between=st.sampled_from(["", " ", "-", ".", "/", ") ", "\N{NO-BREAK SPACE}"]),
)
def test_prefix_and_punctuation_change_nothing(national: str, country: str, between: str) -> None:
    written = country + between.join((national[:3], national[3:6], national[6:]))
    assert phone.parse(written) == f"+62{national}"


@given(typed=st.text(max_size=40) | st.text("0123456789+ -", max_size=20))
def test_any_string_is_parsed_or_refused_with_a_code(typed: str) -> None:
    try:
        read = phone.parse(typed)
    except InvalidPhone as refused:
        code = refused.code
    else:
        assert read.startswith("+628")
        assert read[1:].isascii()
        assert phone.parse(read) == read
        return
    assert code in {"phone_malformed", "phone_foreign", "phone_not_mobile", "number_from_spreadsheet"}


@pytest.mark.parametrize("typed", ["08123456", "021-5551234", "+60123456789"])
def test_a_refusal_never_repeats_the_number(typed: str) -> None:
    with pytest.raises(InvalidPhone) as refused:
        phone.parse(typed)
    assert typed not in f"{refused.value!r} {refused.value}"


CODES = {
    None: "phone_malformed",
    numbering.Kind.FOREIGN: "phone_foreign",
    numbering.Kind.NOT_MOBILE: "phone_not_mobile",
}


def test_the_pattern_of_mobile_numbers_is_that_of_the_library() -> None:
    assert numbering.read_numbering_plan().national_pattern == phone.MOBILE_PATTERN


@given(
    st.from_regex(r"(\+62|62|0|\+620|620|0062|00620|\+|00)?8[0-9]{6,13}", fullmatch=True)
    | st.from_regex(r"(\+62|62|0)?6?2?8[0-9]{6,11}", fullmatch=True)
    | st.text("0268+", max_size=14)
)
def test_a_usual_form_is_read_as_the_library_reads_it(typed: str) -> None:
    dialled = f"+{typed[2:]}" if typed.startswith("00") else typed
    kind = numbering.find_kind(dialled)
    if kind is numbering.Kind.MOBILE:
        assert phone.parse(typed) == numbering.format_number(dialled)
    else:
        assert get_error_code(typed) == CODES[kind]
