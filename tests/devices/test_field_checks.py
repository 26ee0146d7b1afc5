"""Checks of single fields say what intake would say, and intake accepts what they pass."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.callers import DailyCap, Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.devices.checks import CheckResult, FieldChecker
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problems import list_shape_errors
from chalicelib.refusals import BrokenRule, CampaignNotAllowed, RulesBroken
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.worker import Check
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import NOW, make_caller, make_limits
from tests.support.device_builders import make_checker
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.registration_builders import CAMPAIGN_ID

ANYBODY = make_caller(Role.KIOSK, campaigns=frozenset({"*"}))

# Of each field some right, some wrong and some doubtful values.
VALUES: Mapping[str, list[Any]] = {
    "captured_at": ["2024-10-09T23:59:59+07:00", "2024-10-08T23:59:59+07:00", "2024-10-10T09:00:00Z", "0", 5],
    "officer": ["ofc-12", None, " ofc-12\u200b", "Ibu Siti", ""],
    "device_sequence": [1, None, 0, 2**31, "1", 1.5],
    "worker.nik": [
        *(make_nik(), " 3171 0752 0485 7001 ", make_nik()[:-1], "3171075204850000", "9971075204857001"),
        *("3171077104857001", "3171005204857001", "3,17E+15", "", "1" * 41, 3171075204857001),
    ],
    "worker.name": ["Siti", "Ma\u2019ruf", "", " ", "Siti 2", "--", "S" * 101, None],
    "worker.birth_date": [
        *("1985-04-12", "1985-04-21", "2024-10-09", "2007-10-09", "2007-10-10", "1959-10-09", "1959-10-10"),
        *("1985-02-30", "12-04-1985", "3000-01-01", None),
    ],
    "worker.phone": [
        None,
        "0824-5550-7001",
        "+62 824 5550 7001",
        "021-555-0101",
        "812345678.0",
        "+1 202 555 0101",
        8,
    ],
    "worker.email": [None, "siti@pasar.example", "siti", "\u200b@pasar.example", "a\x00@pasar.example"],
    "worker.address": ["Jalan Contoh 7", "", " ", "a\nb", "a" * 301],
    "worker.postal_code": ["10250", " 10250 ", "1025", "00000", "10250.0", 10250],
    "worker.language": ["id", "en", "fr"],
    "work.occupations": [
        ["porter"],
        ["porter", "tailor"],
        ["porter", "porter"],
        ["astronaut"],
        ["Porter"],
        [],
        ["porter"] * 3,
        "porter",
    ],
    "work.place": ["Blok A", " ", "a\tb", "a" * 121],
    "work.monthly_income": [0, 2_500_000, -1, 1_000_000_001, 2.5, "2500000"],
    "work.employs_others": [True, False, 1, None],
    "coverage.programmes": [
        ["JKK", "JKM"],
        ["JHT", "JKM", "JKK"],
        ["JKK"],
        ["JKK", "JKK", "JKM"],
        ["JP"],
        [],
    ],
    "coverage.months": [1, 12, 4, "1", 0],
    "coverage.payer": ["self", "sponsor", "state_budget", "nobody"],
    "coverage.sponsor_id": [None, "toko-contoh", "toko-lain", "Toko Contoh"],
    "consent.text_version": ["2024-10", " ", "a\x00", ""],
    "consent.given_at": [
        *("2024-10-09T11:11:30+07:00", "2024-10-09T11:11:30", "2999-01-01T00:00:00Z"),
        *("2022-10-17T00:00:00+07:00", "2022-10-16T23:59:59+07:00", "yesterday"),
    ],
    "consent.method": ["tick", "telepathy"],
    "consent.language": [None, "id", "fr"],
    "unheard_of": ["value"],
    "worker.unheard_of": ["value"],
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
)  # fmt: skip


def change(capture: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a capture with other values, by dotted path."""
    changed: dict[str, Any] = json.loads(json.dumps(capture))
    for path, value in changes.items():
        group, dot, name = path.rpartition(".")
        (changed[group] if dot else changed)[name] = value
    return changed


@st.composite
def captures(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a capture with up to four values of the lists above, or any JSON."""
    paths = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=4, unique=True))
    values = [draw(st.sampled_from(VALUES[path]) | JUNK) for path in paths]
    return change(make_capture_payload(), dict(zip(paths, values, strict=True)))


CHECKER = make_checker(accepts_until="2999-12-31")


def check(fields: Mapping[str, Any], checker: FieldChecker = CHECKER) -> CheckResult:
    result = checker.check(fields, caller=ANYBODY)
    assert {each.code for each in (*result.errors, *result.warnings)} <= set(FIELD_MESSAGES)
    return result


def list_errors(fields: Mapping[str, Any], checker: FieldChecker = CHECKER) -> list[str]:
    """Return the errors of some fields, each as `field: code`."""
    return [f"{each.field}: {each.code}" for each in check(fields, checker).errors]


def list_warnings(fields: Mapping[str, Any]) -> list[str]:
    return [f"{each.field}: {each.code}" for each in check(fields).warnings]


class IntakeProbe:
    """Submits captures to the real intake, each under an id of its own."""

    def __init__(self, harness: RegistrationHarness) -> None:
        no_caps = make_limits(InMemoryDayCounts(), harness.clock, phone_cap=DailyCap(flag=5, cap=10**6))
        self._intake = harness.make_intake_service(harness.stores.intake, limits=no_caps)
        self._harness = harness
        self._numbers = count(1)

    def list_errors(self, capture: dict[str, Any]) -> set[BrokenRule]:
        """Return the errors for which intake refuses a capture; none if it accepts it."""
        document = json.dumps({**capture, "capture_id": make_capture_id(next(self._numbers))})
        try:
            command = SubmitRegistration.model_validate_json(document, strict=True)
            result = self._intake.submit(command, caller=make_caller(), correlation_id="c-1")
        except ValidationError as error:
            return set(list_shape_errors(error))
        except RulesBroken as refusal:
            return set(refusal.broken_rules)
        self.checks = self._harness.stores.reading.get(result.answer.reference).worker.checks
        return set()


@pytest.fixture
def intake(harness: RegistrationHarness) -> IntakeProbe:
    return IntakeProbe(harness)


@given(capture=captures())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_intake_accepts_what_passes_and_refuses_what_does_not(
    intake: IntakeProbe, capture: dict[str, Any]
) -> None:
    refused_for = intake.list_errors(capture)

    errors = check(capture).errors

    assert refused_for <= set(errors)
    assert bool(refused_for) is bool(errors)
    assert len(set(errors)) == len(errors)


@given(capture=captures(), data=st.data())
def test_a_part_of_a_capture_has_no_other_errors_than_the_whole(
    capture: dict[str, Any], data: st.DataObject
) -> None:
    paths = [(group, name) for group in ("worker", "work", "coverage", "consent") for name in capture[group]]
    left_out = data.draw(st.sets(st.sampled_from(paths)))
    part = {
        group: {name: value for name, value in inner.items() if (group, name) not in left_out}
        if isinstance(inner, dict) and group in {"worker", "work", "coverage", "consent"}
        else inner
        for group, inner in capture.items()
    }

    whole, found = check(capture), check(part)

    assert set(found.errors) <= set(whole.errors)
    given_paths = {
        *(f"{group}.{name}" for group, name in set(paths) - left_out),
        *(name for name in capture if name not in {"worker", "work", "coverage", "consent"}),
    }
    fields = {each.field for each in (*found.errors, *found.warnings)}
    assert {field for field in fields if not any(field.startswith(each) for each in given_paths)} <= {
        "worker.?"
    }


@given(capture=captures())
def test_a_field_without_its_group_is_judged_alike_and_named_as_it_was_sent(capture: dict[str, Any]) -> None:
    del capture["consent"]  # Its `language` has the name of the worker's.
    capture.pop("unheard_of", None)
    groups = ("worker", "work", "coverage")
    flat = {name: value for name, value in capture.items() if name not in groups}
    for group in groups:
        flat |= capture[group]

    expected, found = check(capture), check(flat)

    for nested, alone in ((expected.errors, found.errors), (expected.warnings, found.warnings)):
        without_group = [
            (each.field.removeprefix("worker.").removeprefix("work.").removeprefix("coverage."), each.code)
            for each in nested
        ]
        assert sorted(without_group) == sorted((each.field, each.code) for each in alone)


@pytest.mark.parametrize(
    ("worker", "warnings"),
    [
        ({"birth_date": "1985-04-21"}, [Check.BIRTH_DATE_DIFFERS]),
        ({"nik": "3171005204857001"}, [Check.NIK_PLACE_UNKNOWN]),
        ({"nik": "3171005204857001", "birth_date": "1985-04-21"}, list(Check)),
        ({}, []),
    ],
)
def test_the_warnings_are_the_doubts_that_intake_records(
    intake: IntakeProbe, worker: dict[str, Any], warnings: list[Check]
) -> None:
    capture = make_capture_payload(worker=worker)
    assert intake.list_errors(capture) == set()
    assert [each.code for each in check(capture).warnings] == list(intake.checks) == warnings


def test_nothing_is_said_about_fields_that_were_not_given() -> None:
    assert check({}) == check({"worker": {}}) == CheckResult((), ())
    for path, values in VALUES.items():
        name = path.rpartition(".")[2]
        for value in values:
            result = check({name: value})
            assert {each.field.partition(".")[0] for each in (*result.errors, *result.warnings)} <= {name}


def test_a_single_field_may_stand_alone() -> None:
    assert list_errors({"nik": "3171"}) == ["nik: nik_length"]
    assert list_errors({"phone": "021-555-0101", "months": 4}) == [
        "months: value_not_allowed",
        "phone: phone_not_mobile",
    ]
    assert list_errors({"occupations": ["porter", "astronaut"]}) == ["occupations.1: occupation_unknown"]


def test_the_number_of_digits_is_told_as_intake_tells_it() -> None:
    (error,) = check({"nik": "3171"}).errors
    assert error.digits == 4


def test_one_wrong_field_does_not_hide_the_errors_and_warnings_of_another() -> None:
    fields = {"months": "1", "nik": "3171005204857001", "phone": "0"}
    assert list_errors(fields) == ["months: value_not_allowed", "phone: phone_malformed"]
    assert list_warnings(fields) == ["nik: nik_place_unknown"]


def test_two_fields_are_compared_only_if_both_are_given() -> None:
    assert list_warnings({"birth_date": "1985-04-21"}) == []
    assert list_warnings({"birth_date": "1985-04-21", "nik": make_nik()}) == [
        "birth_date: birth_date_differs_from_nik"
    ]
    assert list_errors({"employs_others": True}) == []
    assert list_errors({"programmes": ["JKK", "JKM"]}) == []
    assert list_errors({"employs_others": True, "programmes": ["JKK", "JKM"]}) == ["programmes: jht_required"]


def test_a_sponsor_is_looked_up_if_its_campaign_is_named() -> None:
    sponsored = make_checker(sponsors=[{"sponsor_id": "toko-contoh", "name": "Toko Contoh"}])
    assert list_errors({"sponsor_id": "toko-lain"}) == []
    assert list_errors({"sponsor_id": "toko-lain", "payer": "self"}) == ["sponsor_id: sponsor_not_payer"]
    for sponsor_id, errors in {"toko-contoh": [], "toko-lain": ["sponsor_id: sponsor_unknown"]}.items():
        assert list_errors({"campaign_id": CAMPAIGN_ID, "sponsor_id": sponsor_id}, sponsored) == errors


def test_the_ages_are_those_of_the_day_of_capture_or_of_today() -> None:
    turns_17_tomorrow = {"birth_date": (NOW.date() + timedelta(days=1)).replace(year=2007).isoformat()}
    assert list_errors(turns_17_tomorrow) == ["birth_date: age_too_young"]
    tomorrow = {"captured_at": "2024-10-10T09:00:00+07:00"}
    assert list_errors({**turns_17_tomorrow, **tomorrow}) == ["captured_at: captured_in_future"]


def test_the_days_of_a_campaign_are_checked_if_it_is_named() -> None:
    long_ago = {"captured_at": "2023-01-02T09:00:00+07:00"}
    assert list_errors(long_ago) == []
    assert list_errors({**long_ago, "campaign_id": CAMPAIGN_ID}) == ["captured_at: captured_outside_campaign"]
    closed = make_checker(now=NOW + timedelta(days=30), accepts_until="2024-10-10")
    assert list_errors({"campaign_id": CAMPAIGN_ID}, closed) == ["campaign_id: campaign_closed"]


@pytest.mark.parametrize("first_day", [date(2002, 1, 1), date(2024, 10, 9), date(2050, 1, 1)])
def test_a_campaign_of_any_year_adds_no_errors_of_its_own(first_day: date) -> None:
    days: dict[str, Any] = {
        "first_day": first_day,
        "last_day": first_day,
        "accepts_until": date(2999, 12, 31),
    }
    checker = make_checker(**days)
    fields = {"campaign_id": CAMPAIGN_ID, "nik": "3171005204857001", "name": "Siti"}
    result = check(fields, checker)
    assert (result.errors, [each.code for each in result.warnings]) == ((), [Check.NIK_PLACE_UNKNOWN])


def test_a_month_without_a_price_is_told_at_the_time_of_capture() -> None:
    days: dict[str, Any] = {
        "first_day": date(2002, 1, 1),
        "last_day": date(2002, 1, 1),
        "accepts_until": date(2999, 12, 31),
    }
    fields = {"campaign_id": CAMPAIGN_ID, "captured_at": "2002-01-01T09:00:00+07:00"}
    assert list_errors(fields, make_checker(**days)) == ["captured_at: month_without_rule"]


def test_a_campaign_must_be_the_callers_own() -> None:
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(CampaignNotAllowed):
        CHECKER.check({"campaign_id": CAMPAIGN_ID, "nik": 5}, caller=elsewhere)
    with pytest.raises(CampaignUnknown):
        CHECKER.check({"campaign_id": "never-opened"}, caller=ANYBODY)
    assert CHECKER.check({"nik": make_nik()}, caller=elsewhere) == CheckResult((), ())


def test_a_malformed_campaign_is_an_error_of_its_field() -> None:
    assert list_errors({"campaign_id": "Tanah Abang"}) == ["campaign_id: value_malformed"]


def test_a_group_that_is_none_is_an_error_and_does_not_hide_others() -> None:
    assert sorted(list_errors({"worker": "Siti", "months": 4})) == [
        "months: value_not_allowed",
        "worker: value_wrong_type",
    ]
    assert sorted(list_errors({"worker": "Siti", "nik": "3171"})) == [
        "nik: nik_length",
        "worker: value_wrong_type",
    ]


def test_a_name_that_no_registration_has_is_refused_and_not_repeated() -> None:
    assert list_errors({"Siti Aminah": 1}) == ["?: field_unknown"]
    assert list_errors({"mother": 1, "worker": {"mother": 2}}) == [
        "worker.mother: field_unknown",
        "mother: field_unknown",
    ]
