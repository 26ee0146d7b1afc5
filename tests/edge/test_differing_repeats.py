"""A repeat that differs, over HTTP: who is told which fields, and no recorded values."""

from typing import Any

from tests.edge.conftest import Edge, LogOutput
from tests.support.payloads import make_capture_id, make_capture_payload

OTHER: dict[str, Any] = {"name": "Kenanga Larasati", "phone": "0824-5550-7999", "birth_date": "1985-04-13"}
RECORDED_VALUES = ("Melati", "Kusumawati", "7001", "1985-04-12")


def make_repeat(number: int = 2, **worker: Any) -> dict[str, Any]:
    return make_capture_payload(capture_id=make_capture_id(number), worker=worker)


def test_an_officer_sees_the_fields_that_differ_and_none_of_the_recorded_values(
    edge: Edge, log_output: LogOutput
) -> None:
    edge.register(make_capture_payload())

    response = edge.register(make_repeat(**OTHER))

    assert response.status_code == 200
    assert response.json_body["differs"] == ["name", "birth_date", "phone"]
    assert "suggestion" not in response.json_body
    assert not [value for value in RECORDED_VALUES if value in response.body.decode()]
    assert not [value for value in (*RECORDED_VALUES, *OTHER.values()) if value in log_output.text]


def test_a_repeat_that_does_not_differ_has_the_answer_of_before(edge: Edge) -> None:
    edge.register(make_capture_payload())

    response = edge.register(make_repeat())

    assert list(response.json_body) == [
        *("capture_id", "outcome", "reference", "status", "received_at", "quote")
    ]


def test_a_replay_of_a_differing_repeat_gets_the_same_bytes(edge: Edge) -> None:
    edge.register(make_capture_payload())
    first, replay = (edge.register(make_repeat(**OTHER)) for _ in range(2))

    assert replay.body == first.body
    assert replay.headers["Idempotent-Replayed"] == "true"


def test_a_verdict_of_a_batch_names_the_fields_that_differ(edge: Edge) -> None:
    items = [make_capture_payload(), make_repeat(), make_repeat(3, name=OTHER["name"])]

    results = edge.send("POST", "/v1/registrations/batch", {"items": items}).json_body["results"]

    assert [each.get("differs") for each in results] == [None, None, ["name"]]


def test_the_answer_for_a_mismatched_registration_points_to_the_correction(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    edge.send("POST", f"/v1/registrations/{reference}/verification", {"result": "mismatch"}, caller="core")

    single = edge.register(make_repeat(name=OTHER["name"])).json_body
    batch = edge.send(
        "POST", "/v1/registrations/batch", {"items": [make_repeat(3, name=OTHER["name"])]}
    ).json_body["results"][0]

    assert (single["status"], single["suggestion"], batch["suggestion"]) == (
        *("mismatch", "correction", "correction"),
    )


def test_a_manager_sees_a_flag_and_when_the_worker_was_captured_differently(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    edge.register(make_repeat(**OTHER))

    registration = edge.send("GET", f"/v1/registrations/{reference}", caller="manager").json_body

    assert registration["flags"] == ["repeat_differs"]
    event = registration["history"][-1]
    assert (event["event"], event["client_id"]) == ("repeat_differs", "van-1")
    assert event["detail"] == {"fields": "name,birth_date,phone"}
    assert registration["worker"]["name"] == "M***** K*********"


def test_the_summary_of_the_day_has_an_anomaly_for_each_client_with_differing_repeats(edge: Edge) -> None:
    edge.register(make_capture_payload())
    edge.register(make_repeat(**OTHER))
    edge.register(make_repeat(3))
    edge.register(make_repeat(4, **OTHER), caller="bot")

    summary = edge.send(
        "POST", "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09", caller="manager"
    ).json_body

    anomalies = [(each["pattern"], each["client_id"], each["workers"]) for each in summary["oddities"]]
    assert anomalies == [("repeats_differ", "van-1", 1), ("repeats_differ", "whatsapp", 1)]


def test_a_replay_by_a_bot_of_an_officers_differing_repeat_names_no_field(edge: Edge) -> None:
    edge.register(make_capture_payload())
    edge.register(make_repeat(**OTHER))

    replay = edge.register(make_repeat(**OTHER), caller="bot")

    assert replay.status_code == 202
    assert list(replay.json_body) == ["capture_id", "outcome", "quote"]
