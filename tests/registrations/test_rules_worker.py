"""The rules of a worker's data, choices and consent."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.nik import Sex
from chalicelib.registrations.worker import Check
from tests.support.builders import NOW, make_submission
from tests.support.payloads import encode_payload, make_capture_payload, make_nik
from tests.support.rule_checks import find_broken_rules, find_shape_errors, read_worker


@pytest.mark.parametrize(
    "postal_code",
    [" 10250", "10250\n", "１０２５０", "10250 ", "\ufeff10250"],  # noqa: RUF001 - full-width digits
    ids=ascii,
)
def test_a_postal_code_is_cleaned(postal_code: str) -> None:
    assert read_worker(worker={"postal_code": postal_code}).postal_code == "10250"


@pytest.mark.parametrize("postal_code", ["10250.0", "1025.0", "1025,00", "1.025E+4"])
def test_a_postal_code_of_a_spreadsheet_is_refused(postal_code: str) -> None:
    assert find_broken_rules(worker={"postal_code": postal_code}) == [
        "worker.postal_code: number_from_spreadsheet"
    ]


FREE_TEXTS = [("worker", "address"), ("work", "place"), ("consent", "text_version")]


@pytest.mark.parametrize(("group", "field"), FREE_TEXTS)
@pytest.mark.parametrize(
    "blank", [" ", "\t\n", "\N{NO-BREAK SPACE}", "\u200b", "\ufeff \u202e", "\u3164", "\u2800"]
)
def test_a_blank_text_is_refused(group: str, field: str, blank: str) -> None:
    assert find_broken_rules(**{group: {field: blank}}) == [f"{group}.{field}: text_blank"]


@pytest.mark.parametrize(("group", "field"), FREE_TEXTS)
@pytest.mark.parametrize(
    "hidden", ["\N{NULL}", "\x07", "\x1b[31m", "\n", "\t", "\x85", "\u2028", "\x7f"], ids=ascii
)
def test_a_text_with_control_characters_is_refused(group: str, field: str, hidden: str) -> None:
    broken = [f"{group}.{field}: text_characters"]
    assert find_broken_rules(**{group: {field: f"Blok{hidden}A"}}) == broken


def test_the_texts_of_a_worker_are_cleaned() -> None:
    worker = read_worker(
        worker={"address": "\ufeff Jalan\u200b Contoh 7 \n", "email": " melati@pasar.example\u200e"}
    )
    assert (worker.address, worker.email) == ("Jalan Contoh 7", "melati@pasar.example")


def test_an_email_address_of_invisible_characters_is_refused() -> None:
    assert find_broken_rules(worker={"email": "\u200b@pasar.example"}) == ["worker.email: value_malformed"]
    assert find_broken_rules(worker={"email": "a\x00@pasar.example"}) == ["worker.email: text_characters"]


def test_an_officer_is_cleaned() -> None:
    assert make_submission(officer="\ufeff ofc-12 ").officer == "ofc-12"


@pytest.mark.parametrize("postal_code", ["10250", "99999", "23111"])
def test_a_postal_code_has_five_digits(postal_code: str) -> None:
    assert read_worker(worker={"postal_code": postal_code}).postal_code == postal_code


@pytest.mark.parametrize(
    "postal_code",
    ["", "1025", "102500", "01025", "00000", "1025O", "10-250", "1 0250"],
    ids=ascii,
)
def test_another_postal_code_is_refused(postal_code: str) -> None:
    assert find_broken_rules(worker={"postal_code": postal_code}) == [
        "worker.postal_code: postal_code_malformed"
    ]


def test_one_or_two_occupations_of_the_list_are_accepted() -> None:
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
def test_no_occupation_or_three_or_something_else_is_refused(chosen: Any, field: str, code: str) -> None:
    assert find_shape_errors(work={"occupations": chosen})[0] == (field, code)


@pytest.mark.parametrize("email", [None, "a@b.co", "siti.aminah+pasar@mail.example", "1@2.id", "a@b-c.d.e"])
def test_an_email_address_is_optional(email: str | None) -> None:
    assert read_worker(worker={"email": email}).email == email


@pytest.mark.parametrize(
    "email",
    ["", "-", "siti", "siti@", "@mail.example", "siti@mail", "a b@c.co", "a@b@c.co", "a@b. co", "a@\nb.co"],
    ids=ascii,
)
def test_an_email_address_has_the_shape_of_one(email: str) -> None:
    assert find_shape_errors(worker={"email": email}) == [("worker.email", "value_malformed")]


def test_an_email_address_has_a_greatest_length() -> None:
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
def test_programmes_that_are_not_offered_are_refused_with_their_path(
    programmes: Any, employs_others: bool, code: str
) -> None:
    assert find_broken_rules(
        coverage={"programmes": programmes}, work={"employs_others": employs_others}
    ) == [f"coverage.programmes: {code}"]


@pytest.mark.parametrize("months", [1, 2, 3, 6, 12])
def test_contributions_can_be_paid_for_some_numbers_of_months(months: int) -> None:
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
def test_other_choices_are_refused(coverage: Any, field: Any) -> None:
    assert find_shape_errors(coverage=coverage)[0] == (f"coverage.{field}", "value_not_allowed")


@pytest.mark.parametrize("payer", ["self", "sponsor", "csr", "state_budget"])
def test_somebody_else_may_pay(payer: str) -> None:
    assert read_worker(coverage={"payer": payer})


@pytest.mark.parametrize("field", ["phone", "address", "postal_code"])
def test_a_worker_may_have_none_of_them_but_must_say_so(field: str) -> None:
    worker = read_worker(worker={field: None})
    assert getattr(worker, field) is None

    submitted = make_capture_payload()
    del submitted["worker"][field]
    with pytest.raises(ValidationError) as error:
        SubmitRegistration.model_validate_json(encode_payload(submitted), strict=True)
    assert [(each["loc"], each["type"]) for each in error.value.errors()] == [(("worker", field), "missing")]


def test_a_worker_without_any_of_them_still_needs_a_nik_and_a_name() -> None:
    nobody = {"phone": None, "address": None, "postal_code": None, "nik": "31", "name": "7"}
    assert find_broken_rules(worker=nobody) == ["worker.nik: nik_length", "worker.name: name_characters"]


SPONSORS = [{"sponsor_id": "yayasan-contoh", "name": "Yayasan Contoh"}]


def test_a_sponsor_of_the_campaign_may_be_named() -> None:
    coverage = {"payer": "sponsor", "sponsor_id": "yayasan-contoh"}
    assert read_worker(campaign={"sponsors": SPONSORS}, coverage=coverage)


def test_a_sponsored_capture_need_not_name_the_sponsor() -> None:
    assert read_worker(campaign={"sponsors": SPONSORS}, coverage={"payer": "sponsor"})


@pytest.mark.parametrize(
    ("coverage", "code"),
    [
        ({"payer": "sponsor", "sponsor_id": "yayasan-lain"}, "sponsor_unknown"),
        ({"payer": "self", "sponsor_id": "yayasan-contoh"}, "sponsor_not_payer"),
        ({"payer": "csr", "sponsor_id": "yayasan-lain"}, "sponsor_not_payer"),
    ],
)
def test_a_sponsor_that_cannot_be_is_refused(coverage: dict[str, str], code: str) -> None:
    broken = find_broken_rules(campaign={"sponsors": SPONSORS}, coverage=coverage)
    assert broken == [f"coverage.sponsor_id: {code}"]


@pytest.mark.parametrize("birth_date", ["1985-04-13", "1986-04-12", "1985-12-04"])
def test_a_birth_date_other_than_the_niks_is_accepted_and_flagged(birth_date: str) -> None:
    worker = read_worker(worker={"birth_date": birth_date})
    assert (worker.birth_date.isoformat(), worker.checks) == (birth_date, (Check.BIRTH_DATE_DIFFERS,))


@pytest.mark.parametrize("place", ["310007", "318001", "319999", "317100", "540000"])
def test_a_nik_with_an_unknown_place_is_accepted_and_flagged(place: str) -> None:
    assert read_worker(worker={"nik": make_nik(district_code=place)}).checks == (Check.NIK_PLACE_UNKNOWN,)


@pytest.mark.parametrize("place", ["317107", "310101", "317901", "650199", "540101"])
def test_a_nik_with_a_known_place_is_not_flagged(place: str) -> None:
    assert read_worker(worker={"nik": make_nik(district_code=place)}).checks == ()


def test_the_birth_date_and_not_the_nik_decides_the_age() -> None:
    child_by_nik = make_nik(birth_digits="520415")
    assert read_worker(worker={"nik": child_by_nik}).checks == (Check.BIRTH_DATE_DIFFERS,)
    assert find_broken_rules(worker={"birth_date": "2015-04-12"}) == ["worker.birth_date: age_too_young"]


def test_a_capture_without_consent_is_refused() -> None:
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
def test_consent_has_a_text_version_a_time_and_a_method(consent: dict[str, Any], code: str) -> None:
    (field,) = consent
    assert find_shape_errors(consent=consent) == [(f"consent.{field}", code)]


@pytest.mark.parametrize("method", ["tick", "signature", "voice", "keypad"])
def test_consent_may_be_given_in_four_ways(method: str) -> None:
    assert make_submission(consent={"method": method, "language": "id"}).consent.method == method


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


def test_the_worker_is_built_from_typed_values() -> None:
    worker = read_worker(
        worker={"nik": "317107 520485 7001", "phone": "+62 (0)824 5550 7001", "language": "en"}
    )

    assert (worker.nik, worker.phone) == (make_nik(), "+6282455507001")
    assert (worker.sex, worker.birth_date) == (Sex.FEMALE, date(1985, 4, 12))
    assert (worker.name, worker.language) == ("Melati Kusumawati", "en")
    assert worker.checks == ()


@pytest.mark.parametrize(
    ("nik", "code"),
    [
        ("317107520485700", "nik_length"),
        ("977107520485 7001", "nik_province"),
        ("317107320485 7001", "nik_birth_date"),
        ("317107520485 0000", "nik_serial"),
    ],
)
def test_an_invalid_nik_is_refused_with_its_code(nik: str, code: str) -> None:
    assert find_broken_rules(worker={"nik": nik}) == [f"worker.nik: {code}"]


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("o82455507001", "phone_malformed"),
        ("021-5551234", "phone_not_mobile"),
        ("+60123456789", "phone_foreign"),
    ],
)
def test_an_invalid_phone_number_is_refused_with_its_code(phone: str, code: str) -> None:
    assert find_broken_rules(worker={"phone": phone}) == [f"worker.phone: {code}"]


def test_a_nik_is_read_as_of_the_day_of_capture() -> None:
    born_on_the_day = make_nik(birth_digits="091024")
    assert read_worker(worker={"nik": born_on_the_day}, now=NOW + timedelta(days=400)).nik == born_on_the_day


def test_a_refusal_names_fields_and_rules_but_no_value() -> None:
    refused = RulesBroken(BrokenRule(field="worker.nik", code="nik_length"))
    assert str(refused) == "worker.nik: nik_length"
