"""A van takes over what a bot of another campaign registered: answers, SMS and summaries."""

from typing import Any

import pytest

from chalicelib.callers import Role
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, assert_problem
from tests.edge.test_notification_functions import NO_FAILURES, list_received_sms
from tests.support.aws_events import make_domain_event, make_sqs_event, make_stream_event
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload
from tests.support.stage_state import scan_registrations

ELSEWHERE = "senen-2024"
SQUATTERS_PHONE = "+6282455509999"
DAY = "2024-10-09"


@pytest.fixture
def squatted(edge: Edge) -> str:
    """Let a bot of another campaign register a worker with a phone of its own. Return the reference."""
    campaign = make_campaign_payload(campaign_id=ELSEWHERE, accepts_until="2999-12-31")
    assert edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
    edge.enrol("bot elsewhere", {"client_id": "telegram", "roles": [Role.BOT], "campaigns": [ELSEWHERE]})
    capture = make_capture_payload(campaign_id=ELSEWHERE, worker={"phone": SQUATTERS_PHONE})
    assert edge.register(capture, caller="bot elsewhere").status_code == 202
    (item,) = scan_registrations("APPLICATION")
    reference: str = item["reference"]["S"]
    return reference


def capture_by_van(number: int = 2) -> dict[str, Any]:
    return make_capture_payload(capture_id=make_capture_id(number))


def notify(edge: Edge, *events: Any) -> None:
    assert edge.invoke("on_notifications", make_sqs_event(*events)) == NO_FAILURES


def test_the_van_sees_and_cancels_what_it_registered(edge: Edge, squatted: str) -> None:
    answer = edge.register(capture_by_van())

    assert (answer.status_code, answer.json_body["outcome"]) == (201, "reactivated")
    path = f"/v1/registrations/{answer.json_body['reference']}"
    assert edge.send("GET", path).json_body["status"] == "received"
    assert_problem(edge.send("GET", f"/v1/registrations/{squatted}"), 404, "registration_unknown")
    assert edge.send("POST", f"{path}/cancellation", {"reason": "other"}).status_code == 200
    ended = edge.send("GET", f"/v1/registrations/{squatted}", caller="manager").json_body
    assert (ended["status"], ended["flags"]) == ("cancelled", ["taken_over"])
    assert ended["history"][-1]["event"] == "taken_over"


def test_a_takeover_is_recorded_in_the_trail_of_the_earlier_registration(edge: Edge, squatted: str) -> None:
    edge.register(capture_by_van())

    page = edge.send("GET", f"/v1/audit?subject=registration:{squatted}", caller="admin").json_body

    assert [(each["action"], each["client_id"]) for each in page["records"]] == [("taken_over", "van-1")]


def test_the_same_in_a_batch(edge: Edge, squatted: str) -> None:
    body = {"items": [capture_by_van(2), capture_by_van(3)]}

    answer = edge.send("POST", "/v1/registrations/batch", body)

    assert [each["outcome"] for each in answer.json_body["results"]] == ["reactivated", "already_registered"]


def test_no_sms_goes_to_the_earlier_phone_and_those_under_way_are_not_sent(
    edge: Edge, squatted: str, gateway: FakeSmsServer
) -> None:
    own = edge.register(capture_by_van()).json_body["reference"]
    edge.restart()

    notify(
        edge,
        make_domain_event(reference=squatted),
        make_domain_event(
            type="RegistrationChanged", reference=squatted, event_type="cancelled", event_version=2
        ),
        make_domain_event(type="KnownWorkerMet", reference=squatted),
        make_domain_event(reference=own),
    )

    assert [(sms.to, own in sms.text) for sms in list_received_sms(gateway)] == [("+6282455507001", True)]


def test_both_days_are_counted_again_and_say_why(edge: Edge, squatted: str) -> None:
    def get_figures(campaign_id: str) -> dict[str, Any]:
        path = f"/v1/campaigns/{campaign_id}/summaries/{DAY}"
        figures: dict[str, Any] = edge.send("POST", path, caller="manager").json_body
        return figures

    assert get_figures(ELSEWHERE)["counts"]["registered"] == 1
    edge.register(capture_by_van())
    records = [*scan_registrations("CAPTURE"), *scan_registrations("APPLICATION")]
    edge.invoke("on_registration_changes", make_stream_event(*records))

    left, gained = get_figures(ELSEWHERE), get_figures("tanah-abang-2024")

    assert (left["counts"]["created"], left["counts"]["registered"]) == (1, 0)
    assert (gained["counts"]["reactivated"], gained["counts"]["registered"]) == (1, 1)
    patterns = [[each["pattern"] for each in figures["oddities"]] for figures in (left, gained)]
    assert patterns == [["taken_over"], ["took_over"]]
    assert {"figure": "counts.registered", "was": 1, "now": 0} in left["changes"]
