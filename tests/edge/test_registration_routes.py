"""Registering a worker and reading a registration over HTTP."""

import json

import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.stage_state import scan_registrations

PERSONAL_VALUES = [
    "317107520485",
    "Melati",
    "Kusumawati",
    "82455507001",
    "5550-7001",
    "Jalan Contoh",
    "1985-04-12",
]


def count_registration_items(sort_key: str) -> int:
    """Return the number of items in the registrations table with a sort key."""
    return len(scan_registrations(sort_key))


def test_a_new_registration_is_answered_with_201_and_its_quote(edge: Edge) -> None:
    response = edge.register(make_capture_payload())

    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    body = response.json_body
    assert list(body) == ["capture_id", "outcome", "reference", "status", "received_at", "quote"]
    assert (body["capture_id"], body["outcome"], body["status"]) == (make_capture_id(), "created", "received")
    assert [month["month"] for month in body["quote"]["months"]] == ["2024-10", "2024-11", "2024-12"]
    assert body["quote"]["total"] == 98_400
    assert "Idempotent-Replayed" not in response.headers


@pytest.mark.parametrize("caller", ["kiosk", "kiosk anywhere"])
def test_a_replay_in_another_json_layout_gets_the_same_bytes_and_changes_nothing(
    edge: Edge, caller: str
) -> None:
    first = edge.register(make_capture_payload())
    before = dump_stored_state()
    reordered = dict(reversed(make_capture_payload().items()))

    second = edge.register(json.dumps(reordered, indent=2).encode(), caller=caller)

    assert (second.status_code, second.body) == (first.status_code, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert dump_stored_state() == before


def test_a_capture_id_used_for_other_content_is_a_conflict_and_changes_nothing(edge: Edge) -> None:
    edge.register(make_capture_payload())
    before = dump_stored_state()

    assert_problem(edge.register(make_capture_payload(officer=None)), 409, "capture_reused")

    assert dump_stored_state() == before


def test_a_known_worker_is_answered_with_200_and_the_first_reference(edge: Edge) -> None:
    first = edge.register(make_capture_payload())

    second = edge.register(make_capture_payload(capture_id=make_capture_id(2)))

    assert second.status_code == 200
    assert second.json_body["outcome"] == "already_registered"
    assert second.json_body["reference"] == first.json_body["reference"]
    assert count_registration_items("APPLICATION") == 1


def test_a_registration_is_shown_with_masked_fields(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]

    response = edge.send("GET", f"/v1/registrations/{reference}")

    assert response.status_code == 200
    assert response.json_body["worker"] == {
        "nik": "************7001",
        "name": "M***** K*********",
        "phone": "**********7001",
        "language": "id",
        "checks": [],
    }
    assert not [value for value in PERSONAL_VALUES if value in response.body.decode()]
    assert "monthly_income" not in response.body.decode()


def test_an_unknown_or_malformed_reference_is_not_found(edge: Edge, subtests: pytest.Subtests) -> None:
    for reference in ("7K4-M2Q-X9P", "nonsense", "..", "%00", "A" * 3000, "%F0%9F%8C%BA"):
        with subtests.test(reference):
            response = edge.send("GET", f"/v1/registrations/{reference}")
            assert_problem(response, 404, "registration_unknown")


def test_a_request_is_logged_in_one_line_without_personal_data(edge: Edge, log_output: LogOutput) -> None:
    edge.register(make_capture_payload())

    (line,) = log_output.lines
    assert (line["message"], line["status"], line["client_id"]) == ("request answered", 201, "van-1")
    assert not [value for value in PERSONAL_VALUES if value in log_output.text]


def test_registrations_are_counted_by_outcome(edge: Edge, log_output: LogOutput) -> None:
    edge.register(make_capture_payload())
    edge.register(make_capture_payload())
    edge.register(make_capture_payload(capture_id=make_capture_id(2)))

    metrics = [each for each in log_output.metrics if "Registrations" in each]
    assert [each["outcome"] for each in metrics] == ["created", "replayed", "already_registered"]
    assert {each["Registrations"][0] for each in metrics} == {1.0}


def test_the_minimum_age_of_the_environment_is_applied(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = make_capture_payload(worker={"birth_date": "2008-10-09"})
    assert_problem(edge.register(capture), 422, "rules_broken")

    monkeypatch.setenv("DAFTAR_MINIMUM_AGE", "16")
    edge.restart()

    assert edge.register(capture).status_code == 201


NOTHING = {"phone": None, "address": None, "postal_code": None}


def test_a_worker_without_a_phone_is_registered_shown_disclosed_and_erased(edge: Edge) -> None:
    reference = edge.register(make_capture_payload(worker=NOTHING)).json_body["reference"]
    path = f"/v1/registrations/{reference}"

    for caller in ("kiosk", "manager", "core"):
        worker = edge.send("GET", path, caller=caller).json_body["worker"]
        assert worker["phone"] is None
        assert not {"address", "postal_code"} & worker.keys()
    request = {"request_id": make_capture_id(77), "nik": make_nik()}
    disclosed = edge.send("POST", "/v1/disclosures", request, caller="admin").json_body
    assert [each["worker"]["phone"] for each in disclosed["registrations"]] == [None]
    assert disclosed["opt_outs"] == []
    request = {"request_id": make_capture_id(78), "nik": make_nik()}
    assert edge.send("POST", "/v1/erasures", request, caller="admin").json_body["outcome"] == "erased"
    assert_problem(edge.send("GET", path, caller="kiosk"), 404, "registration_unknown")


def test_a_batch_takes_workers_without_a_phone(edge: Edge) -> None:
    items = [
        make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(number), **NOTHING})
        for number in (7001, 7002, 7002)
    ]
    body = {"items": [*items[:2], {**items[2], "capture_id": make_capture_id(3)}]}
    results = edge.send("POST", "/v1/registrations/batch", body, caller="kiosk").json_body["results"]

    assert [each["outcome"] for each in results] == ["created", "created", "already_registered"]


def test_a_sponsored_batch_fills_the_quota_and_refuses_nobody(edge: Edge) -> None:
    sponsors = [{"sponsor_id": "yayasan-contoh", "name": "Yayasan Contoh", "quota": 5}]
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"sponsors": sponsors}, caller="manager")
    coverage = {"payer": "sponsor", "sponsor_id": "yayasan-contoh"}
    items = [
        make_capture_payload(
            capture_id=make_capture_id(number), worker={"nik": make_nik(number), **NOTHING}, coverage=coverage
        )
        for number in range(7001, 7401, 50)
    ]
    results = edge.send("POST", "/v1/registrations/batch", {"items": items}, caller="kiosk").json_body

    references = [each["reference"] for each in results["results"]]
    path = "/v1/registrations/{}"
    shown = [edge.send("GET", path.format(each), caller="manager").json_body for each in references]
    assert [each.get("flags", []) for each in shown] == [[]] * 5 + [["sponsor_over_quota"]] * 3
    assert {each["coverage"]["sponsor_id"] for each in shown} == {"yayasan-contoh"}
    path = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"
    summary = edge.send("POST", path, caller="manager").json_body
    assert summary["by_sponsor"] == {"yayasan-contoh": 8}
    assert summary["texts"]["without_phone"] == 8
    assert [(each["pattern"], each["sponsor_id"], each["workers"]) for each in summary["anomalies"]] == [
        ("sponsor_over_quota", "yayasan-contoh", 3)
    ]


@pytest.mark.parametrize(
    ("coverage", "code"),
    [
        ({"payer": "sponsor", "sponsor_id": "yayasan-lain"}, "sponsor_unknown"),
        ({"payer": "self", "sponsor_id": "yayasan-contoh"}, "sponsor_not_payer"),
    ],
)
def test_a_sponsor_that_cannot_be_is_refused_with_its_field(
    edge: Edge, coverage: dict[str, str], code: str
) -> None:
    problem = assert_problem(edge.register(make_capture_payload(coverage=coverage)), 422, "rules_broken")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("coverage.sponsor_id", code)]
