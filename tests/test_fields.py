"""Fields that take one written form only."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from chalicelib.contributions.model import Months
from chalicelib.fields import DIGITS_FORM, IMPERSONAL, StrictDate, StrictInstant

_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class _Fields(BaseModel):
    day: StrictDate | None = None
    at: StrictInstant | None = None
    months: Months | None = None
    number: Annotated[int, DIGITS_FORM] | None = None


def read_json(**fields: Any) -> _Fields:
    return _Fields.model_validate_json(json.dumps(fields), strict=True)


@given(st.dates())
def test_a_date_is_read_as_it_is_written(day: date) -> None:
    assert read_json(day=day.isoformat()).day == day


@given(st.datetimes(timezones=_OFFSETS))
def test_an_instant_is_read_as_rfc_3339_writes_it(instant: datetime) -> None:
    assert read_json(at=instant.isoformat()).at == instant


@given(st.text(st.sampled_from("0123456789+-.:TtZz /W"), max_size=30))
def test_no_other_text_is_a_date(text: str) -> None:
    try:
        found = read_json(day=text).day
    except ValidationError:
        return
    assert found is not None
    assert found.isoformat() == text


@given(st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)))
def test_no_number_is_a_date_or_an_instant(number: float) -> None:
    for fields in ({"day": number}, {"at": number}):
        with pytest.raises(ValidationError):
            read_json(**fields)
        with pytest.raises(ValidationError):
            _Fields.model_validate(fields)


@pytest.mark.parametrize(
    "text",
    ["0", "+0", "-86400", "1728440000", "2024-1-9", "20241009", "2024-W41-3", "2024-10-09 ", "2024-10-09\n"],
)
def test_a_date_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_json(day=text)


@pytest.mark.parametrize(
    "text",
    [
        "1728440000",
        "2024-10-09T09:12+07:00",
        "2024-10-09 09:12:00+07:00",
        "2024-10-09_09:12:00+07:00",
        "2024-10-09T09:12:00+0700",
        "2024-10-09T09:12:00+07",
        "2024-10-09T09:12:00",
        "2024-10-09T09:12:00\u221207:00",
        "2024-10-09",
    ],
)
def test_an_instant_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_json(at=text)


def test_an_instant_may_be_written_in_small_letters_and_with_a_fraction() -> None:
    assert read_json(at="2024-10-09t02:12:00.5z").at == datetime(2024, 10, 9, 2, 12, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("value", [True, 1.0, 3.0, "3", [3]])
def test_months_are_whole_numbers_of_json(value: Any) -> None:
    with pytest.raises(ValidationError):
        read_json(months=value)


@given(st.text(st.sampled_from("0123456789+-._e \u0663"), max_size=6))
def test_a_number_in_a_query_is_digits_without_leading_zeros(text: str) -> None:
    try:
        found = _Fields.model_validate_strings({"number": text}, strict=True).number
    except ValidationError:
        return
    assert str(found) == text


IMPERSONAL_ID: TypeAdapter[str] = TypeAdapter(Annotated[str, IMPERSONAL])
mobile_numbers = st.from_regex(r"8[1-35-9][0-9]{7,10}", fullmatch=True)


@given(
    number=mobile_numbers,
    prefix=st.sampled_from(["0", "62", "0062", "62-0", "hp-0", "ofc0"]),
)
def test_an_id_that_is_a_phone_number_is_refused(number: str, prefix: str) -> None:
    with pytest.raises(ValidationError):
        IMPERSONAL_ID.validate_python(f"{prefix}{number}")


@given(digits=st.from_regex(r"[1-9][0-9]{15,20}", fullmatch=True), around=st.sampled_from(["", "x", "ofc-"]))
def test_an_id_that_is_as_long_as_a_nik_is_refused(digits: str, around: str) -> None:
    with pytest.raises(ValidationError):
        IMPERSONAL_ID.validate_python(f"{around}{digits}{around}")


@pytest.mark.parametrize(
    "written",
    ["3171-0752-0485-7001", "317107.520485.7001", "0812-3456-7890", "812_3456_7890", "08-12-34-56-78-90"],
)
def test_an_id_that_is_a_number_in_groups_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        IMPERSONAL_ID.validate_python(written)


@pytest.mark.parametrize(
    "usual",
    [
        *(
            "ofc-12",
            "van-2",
            "tablet-20241009",
            "kiosk-2024-10-09-12-30-00-001",
            "pasar-10250",
            "7K4-M2Q-X9P",
        ),
        *("0192f3a1-7c00-7000-8000-000000000002", "salemba-001-0017", "whatsapp"),
    ],
)
def test_a_usual_id_is_accepted(usual: str) -> None:
    assert IMPERSONAL_ID.validate_python(usual) == usual
