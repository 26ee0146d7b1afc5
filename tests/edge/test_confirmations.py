"""What officers and managers see of a confirmation, and what the summary counts."""

from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik


def register_family(edge: Edge, size: int) -> list[str]:
    """Register workers with one phone, and deliver the events. Return the references."""
    references = [
        edge.register(
            make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(number)})
        ).json_body["reference"]
        for number in range(1, size + 1)
    ]
    for reference in references:
        edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    return references


def show_confirmation(edge: Edge, reference: str, caller: str) -> str | None:
    view = edge.send("GET", f"/v1/registrations/{reference}", caller=caller).json_body
    confirmation: str | None = view.get("confirmation")
    return confirmation


def test_officers_and_managers_see_who_of_a_family_has_not_been_told(
    edge: Edge, gateway: FakeSmsServer
) -> None:
    references = register_family(edge, 5)

    for caller in ("kiosk", "manager"):
        seen = [show_confirmation(edge, reference, caller) for reference in references]
        assert seen == ["sent", "sent", "sent", "waiting", "waiting"]
    assert show_confirmation(edge, references[0], "core") is None
    response = edge.send("GET", f"/v1/registrations/{references[4]}", caller="kiosk")
    assert "82455507001" not in response.body.decode()


def test_a_summary_counts_those_who_have_not_been_told(edge: Edge, gateway: FakeSmsServer) -> None:
    register_family(edge, 5)
    path = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"
    texts = edge.send("POST", path, caller="manager").json_body["texts"]
    assert (texts["total"], texts["not_told"], texts["not_told_waiting"]) == (5, 2, 2)


def test_a_registration_without_an_sms_yet_has_no_confirmation(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    assert show_confirmation(edge, reference, "kiosk") == "none"
