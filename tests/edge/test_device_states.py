"""The devices of a campaign for its managers: what each owes, since when it is silent, and its revocation."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest

from chalicelib.clock import to_timestamp
from tests.edge.conftest import Edge, assert_problem
from tests.support.aws_events import make_schedule_event
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)

CAMPAIGN_ID = "pasar-baru-2026"
CAMPAIGN = f"/v1/campaigns/{CAMPAIGN_ID}"


@pytest.fixture
def today() -> date:
    """Return the present day in Jakarta, as the test begins: a run of all tests may pass midnight."""
    return (datetime.now(UTC) + timedelta(hours=7)).date()


@pytest.fixture(autouse=True)
def _running_campaign(edge: Edge, today: date) -> None:
    """Open a campaign that runs today, with a van and its manager."""
    payload = make_campaign_payload(
        campaign_id=CAMPAIGN_ID,
        first_day=str(today - timedelta(days=1)),
        last_day=str(today + timedelta(days=1)),
        accepts_until="2999-12-31",
    )
    edge.send("POST", "/v1/campaigns", payload, caller="manager")
    campaigns = {"campaigns": [CAMPAIGN_ID]}
    edge.enrol("van", {"client_id": "van-7", "roles": ["kiosk"], "channel": "van", **campaigns})
    edge.enrol("our manager", {"client_id": "pasar-manager", "roles": ["manager"], **campaigns})


def register(edge: Edge, sequence: int, *, caller: str = "van", campaign_id: str = CAMPAIGN_ID) -> None:
    """Register a worker now with a numbered capture."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    capture = make_capture_payload(
        capture_id=make_capture_id(sequence),
        campaign_id=campaign_id,
        captured_at=at,
        device_sequence=sequence,
        worker={"nik": make_nik(100 * sequence), "phone": make_phone(sequence)},
        consent={"given_at": at},
    )
    response = edge.register(capture, caller=caller, Device_Clock_Skew="-42", App_Version="1.4.0")
    assert response.status_code == 201, response.body


def set_last_seen(client_id: str, age: timedelta) -> None:
    """Store that a client called some time ago."""
    boto3.client("dynamodb").update_item(
        TableName="ClientsTable",
        Key={"pk": {"S": f"CLIENT#{client_id}"}, "sk": {"S": "CLIENT"}},
        UpdateExpression="SET last_seen_at = :at",
        ExpressionAttributeValues={":at": {"S": to_timestamp(datetime.now(UTC) - age)}},
    )


def list_devices(edge: Edge, *, caller: str = "our manager", query: str = "") -> dict[str, dict[str, Any]]:
    page = edge.send("GET", f"{CAMPAIGN}/devices{query}", caller=caller).json_body
    return {each["client_id"]: each for each in page["devices"]}


def look_hourly(edge: Edge) -> list[dict[str, Any]]:
    """Let the hourly function look. Return the open items."""
    edge.invoke("roll_up_due_days", make_schedule_event())
    items: list[dict[str, Any]] = edge.send(
        "GET", f"{CAMPAIGN}/review-items", caller="our manager"
    ).json_body["items"]
    return items


def test_a_manager_sees_what_a_device_runs_and_owes(edge: Edge) -> None:
    register(edge, 1)
    register(edge, 4)

    device = list_devices(edge)["van-7"]

    assert (device["app_version"], device["clock_skew"], device["owed"]) == ("1.4.0", -42, 2)
    assert device["last_capture_at"] > device["enrolled_at"]
    assert (device["silent_since"], device["revoked_at"], device["may_change"]) == (None, None, True)
    assert device["campaigns"] == [CAMPAIGN_ID]


def test_the_list_has_the_devices_of_the_campaign_alone_page_by_page(edge: Edge) -> None:
    edge.enrol("both", {"client_id": "both-1", "roles": ["kiosk"], "campaigns": [CAMPAIGN_ID, "senen-2024"]})
    everywhere = {"van-9"}  # A client of every campaign, which the fixture has.

    devices = list_devices(edge)
    assert set(devices) == {"van-7", "both-1"} | everywhere
    assert devices["both-1"]["campaigns"] == [CAMPAIGN_ID]
    assert not devices["both-1"]["may_change"]
    assert not devices["van-9"]["may_change"]

    found, cursor = [], ""
    while True:
        page = edge.send("GET", f"{CAMPAIGN}/devices?size=1{cursor}", caller="our manager").json_body
        found += [each["client_id"] for each in page["devices"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert found == sorted(devices)


def test_a_screen_on_a_wall_is_in_the_list_and_owes_nothing(edge: Edge) -> None:
    screen_id = edge.send("POST", f"{CAMPAIGN}/screens", caller="our manager").json_body["client_id"]
    set_last_seen(screen_id, timedelta(hours=3))

    screen = list_devices(edge)[screen_id]

    assert (screen["roles"], screen["owed"], screen["silent_since"]) == (["viewer"], 0, None)
    assert screen["may_change"]
    assert look_hourly(edge) == []
    assert edge.send("DELETE", f"/v1/clients/{screen_id}", caller="our manager").status_code == 204
    assert list_devices(edge)[screen_id]["revoked_at"] is not None


def test_a_device_that_owes_captures_and_is_silent_is_an_item_and_an_anomaly_of_the_day(
    edge: Edge, today: date
) -> None:
    register(edge, 3)
    set_last_seen("van-7", timedelta(minutes=61))

    for _ in range(2):
        (item,) = look_hourly(edge)

    assert (item["kind"], item["client_id"], item["day"]) == ("device_silent", "van-7", str(today))
    assert item["figures"] == {"owed": 2}
    assert list_devices(edge)["van-7"]["silent_since"] is not None
    summary = edge.send("POST", f"{CAMPAIGN}/summaries/{today}", caller="our manager").json_body
    silent = {"pattern": "device_silent", "client_id": "van-7", "workers": 2}
    assert [each for each in summary["anomalies"] if silent.items() <= each.items()]
    page = edge.send(
        "GET", f"{CAMPAIGN}/summaries/{today}?format=html", caller="our manager", Accept="text/html"
    )
    assert "Tidak terhubung lebih dari satu jam" in page.body.decode()


@pytest.mark.parametrize("reason", ["seen lately", "lost", "owes nothing", "revoked", "another campaign"])
def test_a_device_is_not_silent_if(edge: Edge, today: date, reason: str) -> None:
    if reason == "another campaign":
        edge.send("POST", "/v1/campaigns", make_other_campaign(today), caller="manager")
        register(edge, 3, caller="kiosk anywhere", campaign_id="kota-2026")
        set_last_seen("van-9", timedelta(hours=2))
    else:
        register(edge, 1 if reason == "owes nothing" else 3)
        minutes = {"seen lately": 59, "lost": 25 * 60}.get(reason, 120)
        set_last_seen("van-7", timedelta(minutes=minutes))
    if reason == "revoked":
        edge.send("DELETE", "/v1/clients/van-7", caller="our manager")

    assert look_hourly(edge) == []


def make_other_campaign(today: date) -> dict[str, Any]:
    # A capture of the minute before may be of the day before.
    first_day, last_day = str(today - timedelta(days=1)), str(today)
    return make_campaign_payload(
        campaign_id="kota-2026", first_day=first_day, last_day=last_day, accepts_until="2999-12-31"
    )


def test_a_device_of_every_campaign_is_silent_where_it_was_last(edge: Edge) -> None:
    register(edge, 3, caller="kiosk anywhere")
    set_last_seen("van-9", timedelta(hours=2))

    (item,) = look_hourly(edge)

    assert (item["client_id"], item["figures"]) == ("van-9", {"owed": 2})


def test_a_device_that_sent_what_it_owed_leaves_the_item_for_a_manager_to_close(edge: Edge) -> None:
    register(edge, 2)
    set_last_seen("van-7", timedelta(hours=2))
    (item,) = look_hourly(edge)
    register(edge, 1)

    assert look_hourly(edge) == [item]
    assert list_devices(edge)["van-7"]["silent_since"] is None


def test_a_manager_revokes_a_device_of_its_campaigns_and_no_other_client(edge: Edge) -> None:
    edge.enrol("both", {"client_id": "both-1", "roles": ["kiosk"], "campaigns": [CAMPAIGN_ID, "senen-2024"]})
    edge.enrol("system", {"client_id": "core-7", "roles": ["core"], "campaigns": [CAMPAIGN_ID]})
    edge.enrol("chat", {"client_id": "bot-7", "roles": ["bot"], "campaigns": [CAMPAIGN_ID]})
    for client_id in ("both-1", "core-7", "bot-7", "pasar-manager", "van-1", "never-enrolled"):
        refused = edge.send("DELETE", f"/v1/clients/{client_id}", caller="our manager")
        assert_problem(refused, 404, "client_unknown")

    assert edge.send("DELETE", "/v1/clients/van-7", caller="our manager").status_code == 204

    assert list_devices(edge)["van-7"]["revoked_at"] is not None
    assert edge.send("GET", "/v1/device", caller="van").json_body["code"] == "token_revoked"
    records = edge.send("GET", "/v1/audit?subject=client:van-7", caller="admin").json_body["records"]
    assert ("pasar-manager", "revoked") in {(each["client_id"], each["action"]) for each in records}
