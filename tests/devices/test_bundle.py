"""The bundle of a campaign: quotes and limits of a device that is offline are those of the server."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import Zone
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import QuoteService
from chalicelib.devices.consent_texts import load_consent_texts
from chalicelib.languages import WORKER_LANGUAGES
from chalicelib.registrations import phone, rules
from chalicelib.registrations.rules import AgeLimits
from chalicelib.settings import Settings
from tests.support.builders import NOW, make_caller, make_submission
from tests.support.device_builders import make_bundle_service, make_checker
from tests.support.offline_quotes import compute_quote, find_first_month
from tests.support.payloads import make_capture_payload
from tests.support.registration_builders import CAMPAIGN_ID, make_campaign


def build(**options: Any) -> dict[str, Any]:
    """Return a bundle as a device parses it."""
    view = make_bundle_service(**options).build(CAMPAIGN_ID)
    bundle: dict[str, Any] = json.loads(view.model_dump_json(exclude_defaults=True))
    return bundle


BUNDLE = build()
BUNDLES_BY_ZONE = {zone: build(zone=zone) for zone in get_args(Zone)}
LIMITS, FIELDS = BUNDLE["limits"], BUNDLE["limits"]["fields"]
OCCUPATION_IDS = [each["id"] for each in BUNDLE["occupations"]]


def list_errors(path: str, value: Any, **others: Any) -> list[str]:
    """Return the errors that the server has for one field of a capture, beside others that it depends on."""
    fields: dict[str, Any] = {**others}
    group, dot, name = path.rpartition(".")
    fields |= {group: {name: value}} if dot else {name: value}
    errors = make_checker().check(fields, caller=make_caller()).errors
    return [each.code for each in errors if each.field.startswith(path)]


# Quotes


@given(
    income=st.integers(0, 25_000_000) | st.sampled_from([1_099_999, 1_100_000, 20_200_000, 10**9]),
    occupations=st.lists(st.sampled_from(OCCUPATION_IDS), min_size=1, max_size=2, unique=True),
    programmes=st.sampled_from(BUNDLE["programmes"]["offered"]).flatmap(st.permutations),
    months=st.sampled_from(FIELDS["coverage.months"]["choices"]),
    payer=st.sampled_from(FIELDS["coverage.payer"]["choices"]),
    year=st.integers(2015, 2031),
    month=st.integers(1, 12),
)
def test_a_quote_can_be_computed_offline(
    income: int,
    occupations: list[str],
    programmes: list[str],
    months: int,
    payer: str,
    year: int,
    month: int,
) -> None:
    first_month = max("2015-07", f"{year}-{month:02}")
    work = {"monthly_income": income, "occupations": occupations}
    coverage = {"programmes": programmes, "months": months, "payer": payer}
    asked = AskForQuote.model_validate_json(
        json.dumps({**work, **coverage, "employs_others": False, "start_month": first_month})
    )

    quoted = QuoteService(rules=load_rules(), clock=lambda: datetime(year, month, 15, tzinfo=UTC)).quote(
        asked
    )

    assert compute_quote(BUNDLE, work, coverage, first_month) == json.loads(quoted.model_dump_json())


@given(
    captured_at=st.datetimes(
        datetime(2026, 10, 30), datetime(2026, 11, 2), timezones=st.just(UTC)  # noqa: DTZ001
    ).map(datetime.isoformat),
    zone=st.sampled_from(get_args(Zone)),
)  # fmt: skip
def test_the_first_month_of_a_quote_can_be_found_offline(captured_at: str, zone: Zone) -> None:
    command = make_submission(captured_at=captured_at)
    day = make_campaign(zone=zone).local_day(command.captured_at)
    first_month = rules.build_quote_request(command, day).start_month
    assert find_first_month(BUNDLES_BY_ZONE[zone], captured_at) == first_month


# Limits


def test_the_limits_name_every_field_of_a_registration() -> None:
    expected = set()
    for name, value in make_capture_payload(device_sequence=1).items():
        expected |= {f"{name}.{inner}" for inner in value} if isinstance(value, dict) else {name}
    assert expected <= set(FIELDS)
    assert {path for path, each in FIELDS.items() if each["required"]} <= expected


TEXTS = [path for path, each in FIELDS.items() if "max_length" in each]
NUMBERS = [path for path, each in FIELDS.items() if "maximum" in each]
CHOICES = [path for path, each in FIELDS.items() if "choices" in each and each["type"] != "array"]
LISTS = [path for path, each in FIELDS.items() if each["type"] == "array"]


def test_there_are_limits_of_each_kind() -> None:
    assert all([TEXTS, NUMBERS, CHOICES, LISTS])


@pytest.mark.parametrize("path", TEXTS)
def test_a_text_may_be_as_long_as_its_limit_and_no_longer(path: str) -> None:
    longest = FIELDS[path]["max_length"]
    assert "value_too_long" not in list_errors(path, "a" * longest)
    assert list_errors(path, "a" * (longest + 1)) == ["value_too_long"]


@pytest.mark.parametrize("path", NUMBERS)
def test_a_number_may_reach_its_limits_and_not_pass_them(path: str) -> None:
    minimum, maximum = FIELDS[path]["minimum"], FIELDS[path]["maximum"]
    assert [list_errors(path, each) for each in (minimum, maximum)] == [[], []]
    for outside in (minimum - 1, maximum + 1):
        assert list_errors(path, outside) == ["value_out_of_range"]


@pytest.mark.parametrize("path", CHOICES)
def test_a_choice_is_one_of_the_list(path: str) -> None:
    for choice in FIELDS[path]["choices"]:
        assert list_errors(path, choice) == []
    other = max(FIELDS[path]["choices"]) * 2
    assert list_errors(path, other) == ["value_not_allowed"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_no_more_items_than_its_limit(path: str) -> None:
    items = OCCUPATION_IDS if path == "work.occupations" else FIELDS[path]["choices"]
    too_many = (items * 2)[: FIELDS[path]["max_items"] + 1]
    assert list_errors(path, too_many) == ["value_too_long"]
    assert list_errors(path, []) == ["value_too_short"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_names_nothing_twice(path: str) -> None:
    assert FIELDS[path]["unique_items"]
    assert list_errors(path, ["porter", "porter"] if path == "work.occupations" else ["JKK", "JKK"])


@pytest.mark.parametrize("path", [path for path, each in FIELDS.items() if each.get("nullable")])
def test_a_field_that_may_be_null_is_accepted_without_a_value(path: str) -> None:
    assert list_errors(path, None) == []


def test_the_ages_are_those_of_intake() -> None:
    ages = LIMITS["age"]
    today = NOW.date()
    accepted = [
        not list_errors("worker.birth_date", today.replace(year=today.year - age).isoformat())
        for age in range(100)
    ]
    assert accepted == [ages["minimum"] <= age < ages["below"] for age in range(100)]


def test_the_youngest_age_is_that_of_the_stage() -> None:
    assert build(age_limits=AgeLimits(minimum_age=21))["limits"]["age"] == {"minimum": 21, "below": 65}


def test_the_clock_of_a_device_may_be_ahead_by_its_limit() -> None:
    skew = timedelta(seconds=LIMITS["clock_skew_seconds"])
    assert list_errors("captured_at", (NOW + skew).isoformat()) == []
    ahead = NOW + skew + timedelta(seconds=1)
    assert list_errors("captured_at", ahead.isoformat()) == ["captured_in_future"]


def test_a_consent_may_be_as_old_as_its_limit_and_no_older() -> None:
    first_day = date.fromisoformat(LIMITS["consent_first_day"])
    assert list_errors("consent.given_at", f"{first_day}T00:00:00+07:00") == []
    day_before = first_day - timedelta(days=1)
    assert list_errors("consent.given_at", f"{day_before}T23:59:59+07:00") == ["consent_too_old"]
    ahead = NOW + timedelta(seconds=LIMITS["clock_skew_seconds"] + 1)
    assert list_errors("consent.given_at", ahead.isoformat()) == ["consent_in_future"]


@given(national=st.from_regex(r"[1-9][0-9]{6,13}", fullmatch=True), prefix=st.sampled_from(["0", "+62"]))
def test_the_pattern_of_mobile_numbers_is_that_of_intake(national: str, prefix: str) -> None:
    limits = LIMITS["phone"]
    assert (limits["trunk_prefix"], f"+{limits['country_code']}") == ("0", "+62")
    is_mobile = re.fullmatch(limits["national_pattern"], national) is not None
    try:
        number = phone.parse(prefix + national)
    except phone.InvalidPhone:
        assert not is_mobile
    else:
        assert is_mobile
        assert number == f"+62{national}"


@given(postal_code=st.from_regex(r"[0-9]{4,6}", fullmatch=True))
def test_the_pattern_of_postal_codes_is_that_of_intake(postal_code: str) -> None:
    is_right = re.search(LIMITS["postal_code_pattern"], postal_code) is not None
    assert is_right is not bool(list_errors("worker.postal_code", postal_code))


@given(
    nik=st.builds(
        "{}0107{}{}".format,
        st.integers(10, 99),
        st.sampled_from(["120485", "520485", "320485", "729985", "310285"]),
        st.sampled_from(["0000", "0001", "9999"]),
    )
)
def test_a_nik_can_be_judged_offline(nik: str) -> None:
    limits = LIMITS["nik"]
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    day -= limits["female_day_offset"] if day > limits["female_day_offset"] else 0
    try:
        datetime(1900 + year, month, day)  # noqa: DTZ001
        is_date = True
    except ValueError:
        is_date = False
    is_right = (
        len(nik) == limits["length"]
        and nik[:2] in limits["provinces"]
        and nik[12:] != limits["refused_serial"]
        and is_date
    )
    assert is_right is not bool(list_errors("worker.nik", nik))


@given(sign=st.characters(categories=["P", "S", "Z"]))
def test_the_signs_of_a_name_are_those_of_intake(sign: str) -> None:
    assert (sign in LIMITS["name_punctuation"]) is not bool(list_errors("worker.name", f"Siti{sign}Aminah"))


@pytest.mark.parametrize("employs_others", [True, False])
def test_the_offered_programmes_are_those_of_intake(employs_others: bool) -> None:
    programmes = BUNDLE["programmes"]
    required = set(programmes["required_of_employers"] if employs_others else ())
    for chosen in (["JKK"], ["JKK", "JKM"], ["JKK", "JHT"], ["JKK", "JKM", "JHT"]):
        errors = list_errors("coverage.programmes", chosen, employs_others=employs_others)
        assert (chosen in programmes["offered"] and required <= set(chosen)) is not bool(errors)
    assert {each["id"] for each in programmes["names"]} == set(FIELDS["coverage.programmes"]["choices"])


# The document


def test_the_bundle_is_the_same_until_its_content_changes() -> None:
    later = build(now=NOW + timedelta(days=30))
    assert later.pop("server_time") != BUNDLE["server_time"]
    assert later == {name: value for name, value in BUNDLE.items() if name != "server_time"}


@pytest.mark.parametrize(
    "options",
    [
        {"name": "Aktivasi lain"},
        {"accepts_until": "2031-12-31"},
        {"age_limits": AgeLimits(minimum_age=18)},
        {"sponsors": [{"sponsor_id": "toko-contoh", "name": "Toko Contoh", "quota": 5}]},
    ],
    ids=lambda options: next(iter(options)),
)
def test_another_content_has_another_version(options: dict[str, Any]) -> None:
    assert build(**options)["version"] != BUNDLE["version"]


def test_the_sponsors_stand_beside_the_campaign() -> None:
    sponsors = [{"sponsor_id": "toko-contoh", "name": "Toko Contoh", "quota": 5}]
    bundle = build(sponsors=sponsors)
    assert (bundle["sponsors"], "sponsors" in bundle["campaign"]) == (sponsors, False)


def test_a_device_gets_neither_the_managers_nor_the_budget() -> None:
    managers = [{"name": "Kepala Cabang", "email": "kepala@cabang.example", "phone": None}]
    bundle = build(managers=managers)
    assert "Kepala Cabang" not in json.dumps(bundle)
    assert "sms_budget" not in bundle["campaign"]


def test_the_server_tells_its_time() -> None:
    assert datetime.fromisoformat(BUNDLE["server_time"]) == NOW


# Consent texts


def test_every_consent_text_is_in_every_language_of_workers() -> None:
    for each in load_consent_texts():
        assert set(each.text) == set(WORKER_LANGUAGES)
        assert all(text.strip() == text != "" for text in each.text.values())


def test_the_newest_consent_text_stands_first() -> None:
    versions = [each.version for each in load_consent_texts()]
    assert versions == sorted(set(versions), reverse=True)
    assert [each["version"] for each in BUNDLE["consent_texts"]] == versions


def test_the_newest_consent_text_tells_how_long_data_is_kept() -> None:
    days = Settings.fields["retention_period"].default.days
    for text in load_consent_texts()[0].text.values():
        assert f" {days} " in text


@pytest.mark.parametrize("text", ["175", "SMS", "NIK"])
def test_the_newest_consent_text_names_what_a_worker_needs_to_know(text: str) -> None:
    assert all(text in each for each in load_consent_texts()[0].text.values())
