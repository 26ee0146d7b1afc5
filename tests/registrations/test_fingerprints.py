"""A capture is recognised by its content, however it is spelled, also one of an earlier release."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callers import Caller, Role
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.errors import CaptureReused
from chalicelib.registrations.submission import SubmissionResult
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import make_caller, make_submission
from tests.support.payloads import make_nik
from tests.support.registration_builders import get_worker

# Computed by the release before 2026-11-29, which hashed the spelling, under a key of 32 zero bytes.
EARLIER_FINGERPRINT = "43a06c4ab3689aafd75d65f9cc910e35659c64fb423f5831d7b0ecc98018a494"
EARLIER_UNCLEAN_FINGERPRINT = "8c61f909c7c3a0a971fe97946149751a366e6e8eb95d287397db6333584a2c92"

# What that release accepted, and today's rules refuse or clean.
UNCLEAN: dict[str, Any] = {
    "captured_at": "2024-10-09T04:12:00Z",
    "worker": {
        "nik": "317107 520485 7001",
        "name": " Nu\u2019man ",
        "address": " Jalan Contoh 7\u200e\nRT 3 ",
        "phone": "812345678.0",
    },
    "coverage": {"programmes": ["JKM", "JKK"]},
}

OTHER_SPELLINGS: dict[str, dict[str, Any]] = {
    "the same instants in UTC": {
        "captured_at": "2024-10-09T04:12:00Z",
        "consent": {"given_at": "2024-10-09T04:11:30.000Z"},
    },
    "the same instants in Jayapura": {"captured_at": "2024-10-09T13:12:00+09:00"},
    "programmes in another order": {"coverage": {"programmes": ["JKM", "JKK"]}},
    "a NIK in groups": {"worker": {"nik": "\ufeff3171.07.520485.7001 "}},
    "a phone with its country": {"worker": {"phone": "\u202a+62 824 5550 7001\u202c"}},
    "texts with blanks and format characters": {
        "officer": " ofc-12",
        "worker": {"name": "Melati\u200b Kusumawati\n", "address": "\ufeffJalan Contoh 7 "},
        "work": {"place": "\u2066Blok A\u2069"},
        "consent": {"text_version": "2024-10\u200b"},
    },
    "full-width digits": {"worker": {"postal_code": "１０２５０"}},  # noqa: RUF001
    "a capture id in capitals": {"capture_id": "01926F3E-7C00-7000-8000-000000000001"},
}

OTHER_CONTENT: dict[str, dict[str, Any]] = {
    "another second": {"captured_at": "2024-10-09T04:12:01Z"},
    "the same clock in another zone": {"captured_at": "2024-10-09T11:12:00+08:00"},
    "another microsecond of consent": {"consent": {"given_at": "2024-10-09T04:11:30.000001Z"}},
    "one programme more": {"coverage": {"programmes": ["JHT", "JKK", "JKM"]}},
    "occupations in another order": {"work": {"occupations": ["ojek_driver", "porter"]}},
    "another NIK": {"worker": {"nik": make_nik(7002)}},
    "a phone that is too long": {"worker": {"phone": "0824-5550-7001.0"}},
    "no phone": {"worker": {"phone": None}},
    "no address": {"worker": {"address": None}},
    "no postal code": {"worker": {"postal_code": None}},
    "another payer": {"coverage": {"payer": "sponsor"}},
    "a name in capitals": {"worker": {"name": "MELATI KUSUMAWATI"}},
}


def submit(harness: RegistrationHarness, caller: Caller | None = None, **changes: Any) -> SubmissionResult:
    return harness.intake_service.submit(
        make_submission(**changes), caller=caller or make_caller(), correlation_id="c-1"
    )


def store_as_earlier_release(harness: RegistrationHarness, fingerprint: str) -> SubmissionResult:
    """Store a capture with the fingerprint that an earlier release gave it."""
    result = submit(harness)
    (key,) = ({"pk": item["pk"], "sk": item["sk"]} for item in harness.scan_items() if "fingerprint" in item)
    harness.dynamodb.update_item(
        TableName="RegistrationsTable",
        Key=key,
        UpdateExpression="SET fingerprint = :fingerprint",
        ExpressionAttributeValues={":fingerprint": {"S": fingerprint}},
    )
    return result


@pytest.mark.parametrize("role", [Role.KIOSK, Role.BOT])
@pytest.mark.parametrize("changes", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS)
def test_a_capture_sent_again_in_another_spelling_is_a_replay(
    harness: RegistrationHarness, changes: dict[str, Any], role: Role
) -> None:
    first = submit(harness, make_caller(role))
    assert submit(harness, make_caller(role), **changes) == SubmissionResult(first.answer, is_replay=True)


@pytest.mark.parametrize("changes", OTHER_CONTENT.values(), ids=OTHER_CONTENT)
def test_a_capture_id_with_other_content_is_refused(
    harness: RegistrationHarness, changes: dict[str, Any]
) -> None:
    submit(harness)
    with pytest.raises(CaptureReused):
        submit(harness, **changes)


def test_a_capture_of_an_earlier_release_sent_again_is_a_replay(harness: RegistrationHarness) -> None:
    first = store_as_earlier_release(harness, EARLIER_FINGERPRINT)

    assert submit(harness) == SubmissionResult(first.answer, is_replay=True)
    with pytest.raises(CaptureReused):
        submit(harness, worker={"name": "Kenanga Larasati"})


def test_a_capture_that_only_an_earlier_release_accepted_is_a_replay(harness: RegistrationHarness) -> None:
    first = store_as_earlier_release(harness, EARLIER_UNCLEAN_FINGERPRINT)

    assert submit(harness, **UNCLEAN) == SubmissionResult(first.answer, is_replay=True)
    # It was stored by its spelling, so that no other spelling is recognised.
    with pytest.raises(CaptureReused):
        submit(harness, **{**UNCLEAN, "captured_at": "2024-10-09T11:12:00+07:00"})


def test_what_is_stored_of_a_capture_is_cleaned(harness: RegistrationHarness) -> None:
    reference = submit(harness, **OTHER_SPELLINGS["texts with blanks and format characters"]).answer.reference
    registration = harness.stores.reading.get(reference)
    worker = get_worker(registration)
    assert (worker.name, worker.address) == ("Melati Kusumawati", "Jalan Contoh 7")
    assert (registration.work.place, registration.consent.text_version) == ("Blok A", "2024-10")
    assert registration.capture_metadata.officer == "ofc-12"


def serialize(**changes: Any) -> str:
    return CleanedCapture.from_command(make_submission(**changes)).serialize_content()


INSTANTS = st.datetimes(datetime(2000, 1, 2), datetime(2999, 12, 30))  # noqa: DTZ001 - a zone is added
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(instant=INSTANTS, one=OFFSETS, other=OFFSETS)
def test_an_instant_is_the_same_content_in_every_zone(
    instant: datetime, one: timezone, other: timezone
) -> None:
    in_one = instant.replace(tzinfo=one)
    contents = {
        serialize(captured_at=each.isoformat(), consent={"given_at": each.isoformat()})
        for each in (in_one, in_one.astimezone(other))
    }
    assert len(contents) == 1


@given(programmes=st.permutations(["JKK", "JKM", "JHT"]))
def test_programmes_are_the_same_content_in_every_order(programmes: list[str]) -> None:
    usual = serialize(coverage={"programmes": ["JKK", "JKM", "JHT"]})
    assert serialize(coverage={"programmes": programmes}) == usual


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_cleaning_does_not_change_the_content(name: str) -> None:
    cleaned = CleanedCapture.from_command(make_submission(worker={"name": name, "address": name}))
    again = CleanedCapture.from_command(cleaned.command)
    assert again.serialize_content() == cleaned.serialize_content()


@pytest.mark.parametrize("given_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_at_the_end_of_the_calendar_has_a_content(given_at: str) -> None:
    assert serialize(consent={"given_at": given_at})
