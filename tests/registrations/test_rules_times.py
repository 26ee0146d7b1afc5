"""The rules a capture must keep, at their very edges."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import rules
from chalicelib.registrations.nik import Sex
from chalicelib.registrations.worker import Worker
from tests.support.builders import NOW, make_nik, make_submission
from tests.support.registration_builders import make_campaign

# Midnight of the first campaign day, 9 October 2024, in each of the country's zones.
MIDNIGHTS = {
    "Asia/Jakarta": datetime(2024, 10, 8, 17, tzinfo=UTC),
    "Asia/Pontianak": datetime(2024, 10, 8, 17, tzinfo=UTC),
    "Asia/Makassar": datetime(2024, 10, 8, 16, tzinfo=UTC),
    "Asia/Jayapura": datetime(2024, 10, 8, 15, tzinfo=UTC),
}
A_MOMENT = timedelta(microseconds=1)
TWO_DAYS = timedelta(days=2)


def read(*, now: datetime = NOW, campaign: dict[str, Any] | None = None, **capture: Any) -> Worker:
    opened = make_campaign(**(campaign or {}))
    return rules.read_worker(make_submission(**capture), opened, now=now, age_limits=rules.AgeLimits())


def broken(*, now: datetime = NOW, campaign: dict[str, Any] | None = None, **capture: Any) -> set[str]:
    with pytest.raises(RulesBroken) as refused:
        read(now=now, campaign=campaign, **capture)
    return {f"{rule.field}: {rule.code}" for rule in refused.value.broken_rules}


def test_the_worker_is_read_from_what_was_typed() -> None:
    worker = read(worker={"nik": "317107 520485 7001", "phone": "+62 (0)824 5550 7001", "language": "en"})

    assert (worker.nik, worker.phone) == (make_nik(), "+6282455507001")
    assert (worker.sex, worker.birth_date) == (Sex.FEMALE, date(1985, 4, 12))
    assert (worker.name, worker.language) == ("Melati Kusumawati", "en")
    assert worker.checks == ()


def test_a_device_may_be_ten_minutes_ahead() -> None:
    assert read(captured_at=(NOW + timedelta(minutes=10)).isoformat())


def test_a_device_may_not_be_further_ahead() -> None:
    ahead = NOW + timedelta(minutes=10) + A_MOMENT
    assert broken(captured_at=ahead.isoformat()) == {"captured_at: captured_in_future"}


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_the_first_day_begins_at_local_midnight(zone: str) -> None:
    midnight = MIDNIGHTS[zone]
    assert read(captured_at=midnight.isoformat(), campaign={"zone": zone})
    too_early = (midnight - A_MOMENT).isoformat()
    assert broken(captured_at=too_early, campaign={"zone": zone}) == {
        "captured_at: captured_outside_campaign"
    }


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_the_last_day_ends_at_local_midnight(zone: str) -> None:
    end, later = MIDNIGHTS[zone] + TWO_DAYS, NOW + timedelta(days=7)
    assert read(captured_at=(end - A_MOMENT).isoformat(), campaign={"zone": zone}, now=later)
    assert broken(captured_at=end.isoformat(), campaign={"zone": zone}, now=later) == {
        "captured_at: captured_outside_campaign"
    }


@pytest.mark.parametrize(
    "written", ["2024-10-09T00:30:00+07:00", "2024-10-08T17:30:00Z", "2024-10-09T02:30:00+09:00"]
)
def test_the_day_is_the_campaigns_whatever_offset_the_device_writes(written: str) -> None:
    assert read(captured_at=written)


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_captures_arrive_until_the_end_of_the_last_day_that_accepts_them(zone: str) -> None:
    campaign = {"zone": zone, "accepts_until": "2024-10-31"}
    closing = MIDNIGHTS[zone] + timedelta(days=23)
    assert read(now=closing - A_MOMENT, campaign=campaign)
    assert broken(now=closing, campaign=campaign) == {"campaign_id: campaign_closed"}


@pytest.mark.parametrize(
    ("nik", "code"),
    [
        ("317107520485700", "nik_length"),
        ("977107520485 7001", "nik_province"),
        ("317107320485 7001", "nik_birth_date"),
        ("317107520485 0000", "nik_serial"),
    ],
)
def test_what_is_wrong_with_a_nik_is_named(nik: str, code: str) -> None:
    assert broken(worker={"nik": nik}) == {f"worker.nik: {code}"}


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("o82455507001", "phone_malformed"),
        ("021-5551234", "phone_not_mobile"),
        ("+60123456789", "phone_foreign"),
    ],
)
def test_what_is_wrong_with_a_phone_is_named(phone: str, code: str) -> None:
    assert broken(worker={"phone": phone}) == {f"worker.phone: {code}"}


def test_a_nik_is_read_as_of_the_day_of_capture() -> None:
    born_on_the_day = make_nik(birth_digits="091024")
    assert read(worker={"nik": born_on_the_day}, now=NOW + timedelta(days=400)).nik == born_on_the_day


def test_no_broken_rule_hides_another() -> None:
    found = broken(
        now=NOW + timedelta(days=5000),
        captured_at="2024-10-11T09:00:00+07:00",
        worker={"nik": "1", "phone": "021-5551234"},
    )
    assert found == {
        "captured_at: captured_outside_campaign",
        "campaign_id: campaign_closed",
        "worker.nik: nik_length",
        "worker.phone: phone_not_mobile",
    }


def test_a_refusal_names_fields_and_rules_but_no_value() -> None:
    refused = RulesBroken(BrokenRule(field="worker.nik", code="nik_length"))
    assert str(refused) == "worker.nik: nik_length"
