"""What the console asks of the API for itself: who the caller is, the SMS of a registration, the held SMS."""

import pytest

from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, assert_problem
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.payloads import make_capture_payload

CAMPAIGN = "/v1/campaigns/tanah-abang-2024"
HELD = f"{CAMPAIGN}/held-sms"


@pytest.fixture
def reference(edge: Edge) -> str:
    found: str = edge.register(make_capture_payload()).json_body["reference"]
    return found


@pytest.mark.parametrize("caller", ["manager here", "core", "admin", "viewer", "kiosk", "bot"])
def test_every_caller_is_told_who_it_is(edge: Edge, caller: str) -> None:
    shown = edge.send("GET", "/v1/caller", caller=caller).json_body
    assert shown["roles"] == [caller.split(maxsplit=1)[0]]
    assert shown["expires_at"]


def test_a_caller_is_told_its_campaigns(edge: Edge) -> None:
    shown = edge.send("GET", "/v1/caller", caller="manager here").json_body
    assert (shown["client_id"], shown["campaigns"]) == ("van-manager", ["tanah-abang-2024"])


def test_nobody_is_told_without_a_token(edge: Edge) -> None:
    assert edge.send("GET", "/v1/caller", caller=None).status_code == 401


def send_confirmation(edge: Edge, reference: str) -> None:
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))


def hold_confirmation(edge: Edge, reference: str) -> None:
    """Have the confirmation of a registration held, because the budget of the day is spent."""
    edge.send("PATCH", CAMPAIGN, {"sms_budget": 0}, caller="manager")
    edge.restart()
    send_confirmation(edge, reference)


@pytest.mark.parametrize("caller", ["manager here", "core"])
def test_the_sms_of_a_registration_are_listed(
    edge: Edge, gateway: FakeSmsServer, reference: str, caller: str
) -> None:
    path = f"/v1/registrations/{reference}/sms"
    assert edge.send("GET", path, caller=caller).json_body == {"sms": []}
    send_confirmation(edge, reference)
    (sms,) = edge.send("GET", path, caller=caller).json_body["sms"]
    assert (sms["purpose"], sms["state"], sms["reason"]) == ("received", "accepted", None)
    assert sms["requested_at"]
    assert not {"phone", "body", "text", "name"} & set(sms)


def test_the_list_of_sms_says_why_one_was_not_sent(
    edge: Edge, gateway: FakeSmsServer, reference: str
) -> None:
    hold_confirmation(edge, reference)
    (sms,) = edge.send("GET", f"/v1/registrations/{reference}/sms", caller="manager here").json_body["sms"]
    assert (sms["state"], sms["reason"]) == ("held", "budget_exhausted")


def test_who_lists_the_sms_is_in_the_audit_trail(edge: Edge, reference: str) -> None:
    edge.send("GET", f"/v1/registrations/{reference}/sms", caller="manager here")
    trail = edge.send("GET", f"/v1/audit?subject=registration:{reference}", caller="admin").json_body
    last = trail["records"][-1]
    assert (last["client_id"], last["action"]) == ("van-manager", "read")


def test_held_sms_are_counted_and_released_with_a_record(
    edge: Edge, gateway: FakeSmsServer, reference: str
) -> None:
    hold_confirmation(edge, reference)
    held = edge.send("GET", HELD, caller="manager here").json_body
    assert (held["held"], held["budget"], held["committed"]) == ({"budget_exhausted": 1}, 0, 0)

    released = edge.send("POST", HELD, caller="manager here")
    assert released.json_body == {"released": 1, "is_finished": True}
    assert edge.send("POST", HELD, caller="manager here").json_body["released"] == 0
    assert edge.send("GET", HELD, caller="manager here").json_body["held"] == {}

    trail = edge.send("GET", "/v1/audit?subject=campaign:tanah-abang-2024", caller="admin").json_body
    actions = [(each["action"], each["client_id"]) for each in trail["records"]]
    assert ("held_sms_released", "van-manager") in actions


def test_what_was_spent_of_todays_budget_is_shown(edge: Edge, gateway: FakeSmsServer, reference: str) -> None:
    send_confirmation(edge, reference)
    held = edge.send("GET", HELD, caller="manager here").json_body
    assert 0 < held["committed"] < held["budget"]


def test_the_held_sms_of_a_campaign_that_does_not_exist_are_unknown(edge: Edge) -> None:
    for method in ("GET", "POST"):
        response = edge.send(method, "/v1/campaigns/never-opened/held-sms", caller="manager")
        assert_problem(response, 404, "campaign_unknown")
