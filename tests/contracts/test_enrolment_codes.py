"""The store of enrolment codes, on each engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.callers import DeviceMode
from chalicelib.enrolments.errors import EnrolmentCodeUnknown
from chalicelib.enrolments.model import MAX_ATTEMPTS, ExitCode, Grant
from chalicelib.enrolments.store import DynamoEnrolmentCodes
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

LATER = NOW + timedelta(minutes=15)
GRANT = Grant("van-1", DeviceMode.OFFICER, LATER)
LOCATOR, CODE = "l" * 64, "c" * 64


@pytest.fixture
def codes(engine: Engine) -> DynamoEnrolmentCodes:
    return DynamoEnrolmentCodes(engine.client, engine.create_table("ClientsTable"))


@pytest.mark.parametrize(
    "grant",
    [GRANT, replace(GRANT, mode=DeviceMode.KIOSK, exit_code=ExitCode(b"salt", b"\x00\xff", 7))],
    ids=["for officers", "for a kiosk"],
)
def test_what_a_code_is_good_for_comes_back_with_its_hash(codes: DynamoEnrolmentCodes, grant: Grant) -> None:
    assert codes.add(LOCATOR, CODE, grant, now=NOW)
    assert codes.count_attempt(LOCATOR, now=NOW) == (CODE, grant)


def test_a_code_that_is_not_there_is_unknown(codes: DynamoEnrolmentCodes) -> None:
    with pytest.raises(EnrolmentCodeUnknown):
        codes.count_attempt(LOCATOR, now=NOW)
    with pytest.raises(EnrolmentCodeUnknown):
        codes.mark_used(LOCATOR, "a")


def test_a_code_is_unknown_from_the_moment_it_expires(codes: DynamoEnrolmentCodes) -> None:
    codes.add(LOCATOR, CODE, GRANT, now=NOW)
    codes.count_attempt(LOCATOR, now=LATER - timedelta(milliseconds=1))
    with pytest.raises(EnrolmentCodeUnknown):
        codes.count_attempt(LOCATOR, now=LATER)


def test_a_code_is_unknown_after_too_many_attempts(codes: DynamoEnrolmentCodes) -> None:
    codes.add(LOCATOR, CODE, GRANT, now=NOW)
    for _ in range(MAX_ATTEMPTS):
        codes.count_attempt(LOCATOR, now=NOW)
    with pytest.raises(EnrolmentCodeUnknown):
        codes.count_attempt(LOCATOR, now=NOW)


def test_two_good_codes_do_not_begin_alike(codes: DynamoEnrolmentCodes) -> None:
    codes.add(LOCATOR, CODE, GRANT, now=NOW)
    assert not codes.add(LOCATOR, "d" * 64, replace(GRANT, client_id="van-2"), now=NOW)
    assert codes.count_attempt(LOCATOR, now=NOW) == (CODE, GRANT)


def test_a_code_may_begin_like_one_that_has_expired(codes: DynamoEnrolmentCodes) -> None:
    codes.add(LOCATOR, CODE, GRANT, now=NOW)
    codes.mark_used(LOCATOR, "somebody")
    newer = replace(GRANT, client_id="van-2", expires_at=LATER + timedelta(minutes=15))
    assert codes.add(LOCATOR, "d" * 64, newer, now=LATER)
    assert codes.count_attempt(LOCATOR, now=LATER) == ("d" * 64, newer)
    codes.mark_used(LOCATOR, "somebody else")


def test_a_code_is_used_by_one_device_however_often(codes: DynamoEnrolmentCodes) -> None:
    codes.add(LOCATOR, CODE, GRANT, now=NOW)
    codes.mark_used(LOCATOR, "one")
    codes.mark_used(LOCATOR, "one")
    with pytest.raises(EnrolmentCodeUnknown):
        codes.mark_used(LOCATOR, "another")


def test_a_code_expires_from_the_table(codes: DynamoEnrolmentCodes, engine: Engine) -> None:
    codes.add(LOCATOR, CODE, GRANT, now=NOW)
    assert [int(item["expires_at"]["N"]) for item in engine.scan_items()] == [int(LATER.timestamp())]
