"""What each role sees of a registration: an officer's device learns no income, and no flag for managers."""

import json
from typing import Any

import pytest

from chalicelib.callers import Role
from tests.edge.conftest import Edge
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

LOW_INCOME, HIGH_INCOME = 900_000, 16_000_000
COMMON_FLAG = "repeat_differs"


def make_capture(number: int = 1, *, income: int = LOW_INCOME, **worker: Any) -> dict[str, Any]:
    capture_id = make_capture_id(number)
    return make_capture_payload(capture_id=capture_id, worker=worker, work={"monthly_income": income})


def read_as_kiosk(edge: Edge, reading: str, answer: dict[str, Any], caller: str = "kiosk") -> dict[str, Any]:
    """Return the registration that an officer's device is shown by one of the ways to read it."""
    path = f"/v1/registrations/{answer['reference']}"
    if reading == "reference":
        return dict(edge.send("GET", path, caller=caller).json_body)
    if reading == "capture":
        return dict(edge.send("GET", f"/v1/captures/{answer['capture_id']}").json_body["registration"])
    if reading == "sms":
        return dict(edge.send("POST", f"{path}/sms", {"purpose": "received"}).json_body)
    return dict(edge.send("POST", f"{path}/cancellation", {"reason": "other"}).json_body)


READINGS = ("reference", "capture", "sms", "cancellation")


def without_ids(registration: dict[str, Any]) -> dict[str, Any]:
    """Return a registration without what differs between any two."""
    times = {"reference", "received_at"}
    history = [{**each, "at": ""} for each in registration["history"]]
    return {**{name: value for name, value in registration.items() if name not in times}, "history": history}


@pytest.mark.parametrize("reading", READINGS)
def test_a_device_is_shown_the_same_for_every_income(edge: Edge, reading: str) -> None:
    shown = []
    for number, income in ((1, LOW_INCOME), (2, HIGH_INCOME)):
        # Two workers whose masked fields are the same.
        nik = make_nik(district_code=f"31710{number}")
        answer = edge.register(make_capture(number, income=income, nik=nik)).json_body
        shown.append(without_ids(read_as_kiosk(edge, reading, answer)))

    assert shown[0] == shown[1]


@pytest.mark.parametrize("reading", READINGS)
def test_a_device_sees_no_flag_and_no_event_that_is_for_managers(edge: Edge, reading: str) -> None:
    answer = edge.register(make_capture()).json_body
    edge.register(make_capture(2, name="Kenanga Larasati"))

    by_manager = edge.send("GET", f"/v1/registrations/{answer['reference']}", caller="manager").json_body

    assert by_manager["flags"] == [COMMON_FLAG]
    assert COMMON_FLAG not in json.dumps(read_as_kiosk(edge, reading, answer))


def test_a_device_that_met_the_worker_of_another_campaign_sees_no_more(edge: Edge) -> None:
    answer = edge.register(make_capture(income=HIGH_INCOME)).json_body
    other = {"campaign_id": "senen-2024"}
    campaign = edge.send("GET", "/v1/campaigns/tanah-abang-2024", caller="manager").json_body
    edge.send("POST", "/v1/campaigns", {**campaign, **other}, caller="manager")
    edge.register({**make_capture(2, name="Kenanga Larasati"), **other}, caller="kiosk elsewhere")

    shown = read_as_kiosk(edge, "reference", answer, caller="kiosk elsewhere")

    assert shown["reference"] == answer["reference"]
    assert COMMON_FLAG not in json.dumps(shown)
    assert "quote" not in shown


def test_a_manager_who_carries_a_device_sees_what_managers_see_in_their_own_campaigns(edge: Edge) -> None:
    edge.enrol("both", {"client_id": "both-1", "roles": [Role.KIOSK, Role.MANAGER]})
    answer = edge.register(make_capture()).json_body
    edge.register(make_capture(2, name="Kenanga Larasati"))
    path = f"/v1/registrations/{answer['reference']}"

    by_both, by_manager = (edge.send("GET", path, caller=each).json_body for each in ("both", "manager"))

    assert by_both == by_manager


def test_the_answer_about_a_known_worker_is_priced_by_what_was_typed(edge: Edge) -> None:
    first = edge.register(make_capture(income=HIGH_INCOME)).json_body

    repeated = edge.register(make_capture(2, income=LOW_INCOME)).json_body
    in_batch = edge.send(
        "POST", "/v1/registrations/batch", {"items": [make_capture(3, income=LOW_INCOME)]}
    ).json_body["results"][0]

    assert repeated["outcome"] == in_batch["outcome"] == "already_registered"
    assert repeated["quote"] == in_batch["quote"] != first["quote"]


def test_the_core_system_and_managers_see_the_quote(edge: Edge) -> None:
    answer = edge.register(make_capture()).json_body
    for caller in ("core", "manager"):
        shown = edge.send("GET", f"/v1/registrations/{answer['reference']}", caller=caller).json_body
        assert shown["quote"] == answer["quote"]
