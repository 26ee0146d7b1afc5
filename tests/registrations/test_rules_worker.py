"""What a capture may hold, and with which proof: every rule of the field but age at its very edges."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.registrations import rules
from chalicelib.registrations.worker import Check
from tests.support.builders import NOW, make_nik, make_submission
from tests.support.fact_reader import find_broken_rules, find_shape_errors, read_worker

A_SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("postal_code", ["10250", "99999", "23111"])
def test_a_postal_code_has_five_digits(postal_code: str) -> None:
    assert read_worker(worker={"postal_code": postal_code}).postal_code == postal_code


@pytest.mark.parametrize(
    "postal_code",
    ["", "1025", "102500", "01025", "00000", "1025O", " 10250", "10250\n", "10-250", "１０２５０", "10250 "],  # noqa: RUF001
    ids=ascii,
)
def test_anything_else_is_no_postal_code(postal_code: str) -> None:
    assert find_broken_rules(worker={"postal_code": postal_code}) == [
        "worker.postal_code: postal_code_malformed"
    ]


def test_one_or_two_occupations_are_taken_from_the_list() -> None:
    for chosen in (["porter"], ["porter", "ojek_driver"], ["other", "odd_jobs"]):
        assert read_worker(work={"occupations": chosen})
    assert find_broken_rules(work={"occupations": ["astronaut"]}) == [
        "work.occupations.0: occupation_unknown"
    ]
    assert find_broken_rules(work={"occupations": ["porter", "kuli"]}) == [
        "work.occupations.1: occupation_unknown"
    ]


@pytest.mark.parametrize(
    ("chosen", "field", "code"),
    [
        ([], "work.occupations", "value_too_short"),
        (["porter", "tailor", "barber"], "work.occupations", "value_too_long"),
        (["Kuli Panggul"], "work.occupations.0", "value_malformed"),
        (["porter", ""], "work.occupations.1", "value_malformed"),
        (["p" * 41], "work.occupations.0", "value_malformed"),
        ("porter", "work.occupations", "value_wrong_type"),
    ],
)
def test_no_occupation_three_or_something_else_is_not_a_choice(chosen: Any, field: str, code: str) -> None:
    assert find_shape_errors(work={"occupations": chosen})[0] == (field, code)


@pytest.mark.parametrize("email", [None, "a@b.co", "siti.aminah+pasar@mail.example", "1@2.id", "a@b-c.d.e"])
def test_an_email_address_is_optional(email: str | None) -> None:
    assert read_worker(worker={"email": email}).email == email


@pytest.mark.parametrize(
    "email",
    ["", "-", "siti", "siti@", "@mail.example", "siti@mail", "a b@c.co", "a@b@c.co", "a@b. co", "a@b.co\n"],
    ids=ascii,
)
def test_an_email_address_has_the_shape_of_one(email: str) -> None:
    assert find_shape_errors(worker={"email": email}) == [("worker.email", "value_malformed")]


def test_an_email_address_has_an_end() -> None:
    assert find_shape_errors(worker={"email": f"{'a' * 250}@b.co"}) == [("worker.email", "value_too_long")]


@pytest.mark.parametrize(
    ("programmes", "employs_others", "code"),
    [
        (["JKK"], False, "programmes_not_offered"),
        (["JKM", "JHT"], False, "programmes_not_offered"),
        (["JKK", "JKM", "JKM"], False, "programmes_not_offered"),
        (["JKK", "JKM"], True, "jht_required"),
    ],
)
def test_programmes_that_cannot_be_had_are_named_where_they_stand(
    programmes: Any, employs_others: bool, code: str
) -> None:
    assert find_broken_rules(
        coverage={"programmes": programmes}, work={"employs_others": employs_others}
    ) == [f"coverage.programmes: {code}"]


@pytest.mark.parametrize("months", [1, 2, 3, 6, 12])
def test_contributions_are_paid_for_some_numbers_of_months(months: int) -> None:
    assert read_worker(coverage={"months": months})


@pytest.mark.parametrize(
    ("coverage", "field"),
    [
        *(({"months": months}, "months") for months in (0, -1, 4, 5, 7, 11, 13, 24, "3", 3.5, None)),
        ({"payer": "apbd"}, "payer"),
        ({"programmes": ["JP"]}, "programmes.0"),
    ],
    ids=str,
)
def test_nothing_else_can_be_chosen(coverage: Any, field: Any) -> None:
    assert find_shape_errors(coverage=coverage)[0] == (f"coverage.{field}", "value_not_allowed")


@pytest.mark.parametrize("payer", ["self", "sponsor", "csr", "state_budget"])
def test_somebody_else_may_pay(payer: str) -> None:
    assert read_worker(coverage={"payer": payer})


@pytest.mark.parametrize("birth_date", ["1985-04-13", "1986-04-12", "1985-12-04"])
def test_a_birth_date_other_than_the_niks_is_accepted_and_flagged(birth_date: str) -> None:
    worker = read_worker(worker={"birth_date": birth_date})
    assert (worker.birth_date.isoformat(), worker.checks) == (birth_date, (Check.BIRTH_DATE_DIFFERS,))


@pytest.mark.parametrize("place", ["310007", "318001", "319999", "317100", "540000"])
def test_a_nik_of_a_place_that_has_no_number_is_accepted_and_flagged(place: str) -> None:
    assert read_worker(worker={"nik": make_nik(district_code=place)}).checks == (Check.NIK_PLACE_UNKNOWN,)


@pytest.mark.parametrize("place", ["317107", "310101", "317901", "650199", "540101"])
def test_a_nik_of_a_numbered_place_is_not_flagged(place: str) -> None:
    assert read_worker(worker={"nik": make_nik(district_code=place)}).checks == ()


def test_the_date_on_the_card_decides_the_age_whatever_the_nik_says() -> None:
    child_by_nik = make_nik(birth_digits="520415")
    assert read_worker(worker={"nik": child_by_nik}).checks == (Check.BIRTH_DATE_DIFFERS,)
    assert find_broken_rules(worker={"birth_date": "2015-04-12"}) == ["worker.birth_date: age_too_young"]


def test_there_is_no_registration_without_consent() -> None:
    capture = {"consent": None}
    assert find_shape_errors(**capture) == [("consent", "value_wrong_type")]


@pytest.mark.parametrize(
    ("consent", "code"),
    [
        ({"method": "assumed"}, "value_not_allowed"),
        ({"method": None}, "value_not_allowed"),
        ({"text_version": ""}, "value_too_short"),
        ({"text_version": "v" * 41}, "value_too_long"),
        ({"given_at": "2024-10-09T11:11:30"}, "value_malformed"),
        ({"given_at": "yesterday"}, "value_malformed"),
        ({"language": "jv"}, "value_not_allowed"),
        ({"signature": "…"}, "field_unknown"),
    ],
    ids=str,
)
def test_consent_says_to_which_text_when_and_how(consent: dict[str, Any], code: str) -> None:
    (field,) = consent
    assert find_shape_errors(consent=consent) == [(f"consent.{field}", code)]


@pytest.mark.parametrize("method", ["tick", "signature", "voice", "keypad"])
def test_consent_may_be_given_in_four_ways(method: str) -> None:
    assert make_submission(consent={"method": method, "language": "id"}).consent.method == method


@pytest.mark.parametrize(
    ("ahead", "refused"), [(timedelta(minutes=10), False), (timedelta(minutes=10) + A_SECOND, True)]
)
def test_a_clock_may_be_ten_minutes_ahead_and_no_more(ahead: Any, refused: bool) -> None:
    capture = {"captured_at": (NOW + ahead).isoformat()}
    assert not refused or find_broken_rules(**capture) == ["captured_at: captured_in_future"]
    assert refused or read_worker(**capture)


@pytest.mark.parametrize("captured_at", ["2100-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
def test_a_clock_that_is_a_century_ahead_is_told_so(captured_at: str) -> None:
    # By then, everyone is too old as well.
    assert find_broken_rules(captured_at=captured_at)[0] == "captured_at: captured_in_future"


def test_a_price_is_asked_from_the_month_that_the_capture_was_taken_in_in_jakarta() -> None:
    late_in_papua = make_submission(captured_at="2026-12-01T01:30:00+09:00")
    later_in_papua = make_submission(captured_at="2026-12-01T02:30:00+09:00")
    asked = [rules.build_quote_request(capture).start_month for capture in (late_in_papua, later_in_papua)]
    assert asked == ["2026-11", "2026-12"]


def test_all_broken_rules_are_named_at_once() -> None:
    assert find_broken_rules(
        now=datetime.fromisoformat("2031-01-01T00:00:00+07:00"),
        captured_at="2024-10-08T23:59:59+07:00",
        worker={
            "nik": "1",
            "name": "\N{SLIGHTLY SMILING FACE}",
            "birth_date": "2007-10-09",
            "phone": "021-5550123",
            "postal_code": "1",
        },
        work={"occupations": ["porter", "astronaut"]},
        coverage={"programmes": ["JKK"]},
    ) == [
        "coverage.programmes: programmes_not_offered",
        "work.occupations.1: occupation_unknown",
        "captured_at: captured_outside_campaign",
        "campaign_id: campaign_closed",
        "worker.birth_date: age_too_young",
        "worker.postal_code: postal_code_malformed",
        "worker.nik: nik_length",
        "worker.phone: phone_not_mobile",
        "worker.name: name_characters",
    ]
