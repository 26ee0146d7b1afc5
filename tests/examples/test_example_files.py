"""The lines of the example: they follow the API contract, and their people are invented and varied."""

import json
import re
import uuid
from collections import Counter
from datetime import date, datetime, timedelta

import phonenumbers
import pytest

from ops.project import EXAMPLE_DIR
from tests.examples.capture_lines import (
    BANDS,
    EXAMPLE_DOMAINS,
    PROVINCES,
    THURSDAY,
    UNASSIGNED,
    WEDNESDAY,
    Body,
    CaptureLine,
    format_e164,
    read_birth_date,
)


def list_fields(body: Body) -> set[str]:
    return {
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in body.items()
        for inner in (value if isinstance(value, dict) else [""])
    }


def test_every_line_has_exactly_the_fields_of_a_capture(lines: list[CaptureLine]) -> None:
    fields = {
        "capture_id", "campaign_id", "captured_at", "officer",
        "worker.nik", "worker.name", "worker.birth_date", "worker.phone", "worker.email", "worker.address",
        "worker.postal_code", "worker.language",
        "work.occupations", "work.place", "work.monthly_income", "work.employs_others",
        "coverage.programmes", "coverage.months", "coverage.payer",
        "consent.text_version", "consent.given_at", "consent.method",
    }  # fmt: skip
    for line in lines:
        assert list_fields(line.body) == fields


def test_the_campaign_has_exactly_the_fields_of_a_campaign() -> None:
    campaign = json.loads((EXAMPLE_DIR / "campaign.json").read_text(encoding="utf-8"))
    managers = campaign.pop("managers")
    assert set(campaign) == {
        "campaign_id", "name", "branch", "place", "zone", "first_day", "last_day", "accepts_until",
        "summary_hour", "target", "sms_budget",
    }  # fmt: skip
    assert (campaign["first_day"], campaign["last_day"]) == (WEDNESDAY, THURSDAY)
    assert campaign["accepts_until"] == "2030-12-31"
    for manager in managers:
        assert set(manager) == {"name", "email", "phone"}
        assert manager["email"].endswith(EXAMPLE_DOMAINS)
        number = phonenumbers.parse(manager["phone"], "ID")
        assert UNASSIGNED.fullmatch(f"+{number.country_code}{number.national_number}")


def test_every_capture_id_is_a_uuid_v7_of_the_time_of_capture(lines: list[CaptureLine]) -> None:
    seen: set[str] = set()
    for line in lines:
        parsed = uuid.UUID(line.capture_id)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert str(parsed) == line.capture_id
        if line.capture_id not in seen:
            assert parsed.int >> 80 == line.captured_at.timestamp() * 1000
        seen.add(line.capture_id)


def test_every_capture_was_taken_on_a_market_day_shortly_after_concount_outcomes(
    lines: list[CaptureLine],
) -> None:
    for line in lines:
        given_at = datetime.fromisoformat(line.body["consent"]["given_at"])
        assert line.body["captured_at"].endswith("+07:00")
        assert line.day in {WEDNESDAY, THURSDAY}
        assert timedelta(0) < line.captured_at - given_at < timedelta(minutes=3)


def test_every_line_follows_the_rules_of_coverage(lines: list[CaptureLine]) -> None:
    for line in lines:
        work, coverage = line.body["work"], line.body["coverage"]
        assert tuple(coverage["programmes"]) in {("JKK", "JKM"), ("JKK", "JKM", "JHT")}
        assert "JHT" in coverage["programmes"] or not work["employs_others"]
        assert coverage["months"] in {1, 2, 3, 6, 12}
        assert coverage["payer"] in {"self", "sponsor", "csr", "state_budget"}
        assert len(set(work["occupations"])) == len(work["occupations"]) in {1, 2}
        assert re.fullmatch(r"[1-9]\d{4}", line.body["worker"]["postal_code"])
        assert re.fullmatch(r"ofc-\d\d", line.body["officer"])
        assert line.body["consent"]["method"] == "tick"
        assert line.body["worker"]["language"] == "id"


def test_the_number_of_captures_and_lines(
    lines: list[CaptureLine], captures: list[CaptureLine], visits: dict[str, list[CaptureLine]]
) -> None:
    assert len(visits) >= 300
    assert len(captures) >= 330
    assert len(lines) < 450


def test_every_nik_of_a_valid_capture_is_well_formed_and_states_theread_birth_date(
    captures: list[CaptureLine],
) -> None:
    for capture in captures:
        assert re.fullmatch(r"\d{16}", capture.nik)
        assert capture.nik[:2] in PROVINCES
        assert read_birth_date(capture.nik) == date.fromisoformat(capture.body["worker"]["birth_date"])


def test_no_nik_has_a_serial_that_a_registry_uses(lines: list[CaptureLine]) -> None:
    assert all(
        line.nik[-4:] > "6000" for line in lines if line.mistake not in {"nik_serial", "nik_too_short"}
    )


def test_every_province_occurs_and_jakarta_most_often(visits: dict[str, list[CaptureLine]]) -> None:
    provinces = Counter(nik[:2] for nik in visits)
    assert set(provinces) == PROVINCES
    assert provinces.most_common(1)[0][0] == "31"


def test_there_are_women_and_men(visits: dict[str, list[CaptureLine]]) -> None:
    women = sum(int(nik[6:8]) > 40 for nik in visits)
    assert 0.25 < women / len(visits) < 0.55


def test_workers_are_17_to_64(captures: list[CaptureLine]) -> None:
    ages = set()
    for capture in captures:
        born, day = read_birth_date(capture.nik), date.fromisoformat(capture.day)
        assert born is not None
        ages.add(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))
    assert (min(ages), max(ages)) == (17, 64)


def test_every_phone_of_a_valid_capture_is_an_unassigned_indonesian_mobile(
    captures: list[CaptureLine],
) -> None:
    for capture in captures:
        assert phonenumbers.is_valid_number_for_region(capture.phone, "ID")
        assert phonenumbers.number_type(capture.phone) == phonenumbers.PhoneNumberType.MOBILE
        assert UNASSIGNED.fullmatch(format_e164(capture))


@pytest.mark.parametrize(
    "shape", [r"08\d\d-", r"08\d+", r"08\d\d \d", r"\+62 8", r"\+628", r"628", r"8", r"\+62 0"]
)
def test_phones_are_typed_in_many_shapes(captures: list[CaptureLine], shape: str) -> None:
    assert any(re.match(shape, capture.body["worker"]["phone"]) for capture in captures)


@pytest.mark.parametrize("separator", [" ", ".", "-"])
def test_some_niks_are_typed_in_groups(captures: list[CaptureLine], separator: str) -> None:
    assert any(separator in capture.body["worker"]["nik"] for capture in captures)


def test_names_vary_in_length_titles_and_apostrophes(visits: dict[str, list[CaptureLine]]) -> None:
    names = [captures[0].body["worker"]["name"] for captures in visits.values()]
    assert sum(" " not in name for name in names) > 40
    assert any(len(name) > 50 for name in names)
    assert any("'" in name for name in names)
    assert any("\u2019" in name for name in names)
    assert any(re.match(r"(H|Hj|R|R\.A)\. ", name) for name in names)
    assert any(re.search(r", [SM]\.", name) for name in names)


def test_e_mail_addresses_are_rare_and_reserved(lines: list[CaptureLine]) -> None:
    addresses = [line.body["worker"]["email"] for line in lines if line.body["worker"]["email"] is not None]
    assert 0 < len(addresses) < len(lines) / 5
    assert all(address.endswith(EXAMPLE_DOMAINS) for address in addresses)


def test_porters_and_market_traders_are_most_frequent(captures: list[CaptureLine]) -> None:
    occupations = Counter(each for capture in captures for each in capture.body["work"]["occupations"])
    assert [occupation for occupation, _ in occupations.most_common(2)] == ["porter", "market_trader"]
    assert len(occupations) >= 12
    assert any(len(capture.body["work"]["occupations"]) == 2 for capture in captures)


def test_incomes_cover_several_bands(captures: list[CaptureLine]) -> None:
    incomes = [capture.body["work"]["monthly_income"] for capture in captures]
    bands = Counter(max(start for start in BANDS if start * 1000 <= income) for income in incomes)
    assert sum(count >= 5 for count in bands.values()) >= 5
    assert min(incomes) >= 800_000


def test_some_workers_employ_others_and_payers_vary(captures: list[CaptureLine]) -> None:
    assert any(capture.body["work"]["employs_others"] for capture in captures)
    payers = Counter(capture.body["coverage"]["payer"] for capture in captures)
    assert set(payers) == {"self", "sponsor", "csr", "state_budget"}
    assert payers["self"] > len(captures) / 2


def test_most_captures_are_in_the_middle_of_the_morning(captures: list[CaptureLine]) -> None:
    hours = Counter(capture.captured_at.hour for capture in captures)
    assert hours.most_common(1)[0][0] in {9, 10}
