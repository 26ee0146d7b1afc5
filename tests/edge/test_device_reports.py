"""What a device reports of its clock and its version beside its captures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import FAR_FUTURE, Edge, assert_problem
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

CAMPAIGN = "pasar-hari-ini"


@pytest.fixture
def todays_capture(edge: Edge) -> dict[str, Any]:
    """Return a capture by a clock that is an hour fast, in a campaign of these days."""
    today = datetime.now(UTC).date()
    days = {"first_day": str(today - timedelta(days=1)), "last_day": str(today + timedelta(days=2))}
    campaign = make_campaign_payload(campaign_id=CAMPAIGN, accepts_until=FAR_FUTURE, **days)
    assert edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
    captured_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    return make_capture_payload(
        campaign_id=CAMPAIGN,
        captured_at=captured_at.isoformat(),
        consent={"given_at": (captured_at - timedelta(seconds=30)).isoformat()},
    )


def test_a_capture_by_a_fast_clock_is_accepted_with_the_skew_of_the_clock(
    edge: Edge, todays_capture: dict[str, Any]
) -> None:
    without = edge.register(todays_capture, caller="kiosk anywhere")
    assert {each["code"] for each in without.json_body["errors"]} == {
        "captured_in_future",
        "consent_in_future",
    }

    accepted = edge.register(todays_capture, caller="kiosk anywhere", Device_Clock_Skew="3600")

    assert accepted.status_code == 201
    assert edge.register(todays_capture, caller="kiosk anywhere").headers["Idempotent-Replayed"] == "true"


def test_a_skew_explains_no_more_than_itself(edge: Edge, todays_capture: dict[str, Any]) -> None:
    response = edge.register(todays_capture, caller="kiosk anywhere", Device_Clock_Skew="2000")
    assert response.status_code == 422


def test_the_report_is_shown_with_the_capture_to_officers_and_managers(edge: Edge) -> None:
    headers = {"Device_Clock_Skew": "-90", "App_Version": "0123456789abcdef"}
    accepted = make_capture_payload(capture_id=make_capture_id(1))
    refused = make_capture_payload(capture_id=make_capture_id(2), worker={"nik": "1"})
    batch = {"items": [accepted, refused]}
    edge.send("POST", "/v1/registrations/batch", batch, **headers)

    for number, caller in ((1, "kiosk"), (2, "kiosk"), (1, "manager")):
        shown = edge.send("GET", f"/v1/captures/{make_capture_id(number)}", caller=caller).json_body
        assert shown["device"] == {"clock_skew": -90, "app_version": "0123456789abcdef"}


def test_a_bot_is_shown_no_report(edge: Edge) -> None:
    for number, nik in ((1, make_nik(1)), (2, "1")):
        capture = make_capture_payload(capture_id=make_capture_id(number), worker={"nik": nik})
        edge.register(capture, caller="bot", App_Version="1.0")
        shown = edge.send("GET", f"/v1/captures/{make_capture_id(number)}", caller="bot").json_body
        assert "device" not in shown


def report_discards(edge: Edge, *discards: tuple[int, str]) -> HTTPResponse:
    body = {"discards": [{"device_sequence": number, "reason": reason} for number, reason in discards]}
    return edge.send("POST", "/v1/device/discards", body)


def test_a_discarded_capture_is_no_gap_and_is_shown_with_its_reason(edge: Edge) -> None:
    edge.register(make_capture_payload(device_sequence=5))
    assert (
        report_discards(edge, (1, "worker_left"), (2, "typed_twice"), (4, "worker_left")).status_code == 204
    )
    assert report_discards(edge, (2, "another_reason")).status_code == 204

    gaps = edge.send("GET", "/v1/clients/van-1/gaps", caller="manager").json_body

    assert gaps["missing"] == [{"first": 3, "last": 3}]
    shown = [(each["device_sequence"], each["reason"]) for each in gaps["discarded"]]
    assert shown == [(4, "worker_left"), (2, "typed_twice"), (1, "worker_left")]
    other = edge.send("GET", "/v1/clients/senen-1/gaps", caller="manager").json_body
    assert "discarded" not in other


def test_a_reason_is_a_code_and_nothing_that_somebody_typed(edge: Edge) -> None:
    response = report_discards(edge, (1, "Ibu Melati pulang"))
    assert_problem(response, 422, "body_invalid")
