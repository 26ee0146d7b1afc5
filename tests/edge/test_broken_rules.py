"""Captures that break a rule: the refusal lists each field and code, and nothing of the worker."""

import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.edge.test_registration_routes import PERSONAL_VALUES, count_registration_items
from tests.support.payloads import make_capture_payload, make_nik


def test_all_broken_rules_are_listed_by_field_and_code_without_the_workers_data(
    edge: Edge, log_output: LogOutput
) -> None:
    nik, phone = make_nik()[:-1], "021-5550123"
    capture = make_capture_payload(
        captured_at="2024-10-08T11:12:00+07:00",
        worker={"nik": nik, "phone": phone},
        work={"occupations": ["porter", "astronaut"]},
    )

    response = edge.register(capture)

    problem = assert_problem(response, 422, "rules_broken")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("work.occupations.1", "occupation_unknown"),
        ("captured_at", "captured_outside_campaign"),
        ("worker.nik", "nik_length"),
        ("worker.phone", "phone_not_mobile"),
    ]
    for output in (response.body.decode(), log_output.text, dump_stored_state()):
        assert not [value for value in (*PERSONAL_VALUES, nik, phone) if value in output]
    assert count_registration_items("APPLICATION") == count_registration_items("OPEN") == 0


def test_a_refused_capture_can_be_corrected_under_the_same_id(edge: Edge) -> None:
    edge.register(make_capture_payload(worker={"nik": make_nik()[:-1]}))
    assert count_registration_items("CAPTURE") == 1

    assert edge.register(make_capture_payload()).json_body["outcome"] == "created"
    assert count_registration_items("CAPTURE") == 1


@pytest.mark.parametrize(
    ("given_at", "code"),
    [("2999-01-01T09:00:00+07:00", "consent_in_future"), ("2001-01-01T09:00:00+07:00", "consent_too_old")],
)
def test_a_consent_in_the_future_or_before_its_law_is_refused_alone_and_in_a_batch(
    edge: Edge, given_at: str, code: str
) -> None:
    capture = make_capture_payload(consent={"given_at": given_at})

    problem = assert_problem(edge.register(capture), 422, "rules_broken")
    (result,) = edge.send("POST", "/v1/registrations/batch", {"items": [capture]}).json_body["results"]

    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("consent.given_at", code)]
    assert result["problem"] == problem


@pytest.mark.parametrize(
    "captured_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"]
)
def test_a_time_that_has_no_utc_equivalent_is_an_invalid_body(edge: Edge, captured_at: str) -> None:
    capture = make_capture_payload(captured_at=captured_at)

    problem = assert_problem(edge.register(capture), 422, "body_invalid")

    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("captured_at", "value_out_of_range")
    ]


@pytest.mark.parametrize(
    ("captured_at", "day"),
    [
        ("2024-10-08T17:00:00Z", "2024-10-09"),
        ("2024-10-09T23:59:59+07:00", "2024-10-09"),
        ("2024-10-09T17:00:00Z", "2024-10-10"),
    ],
)
def test_a_capture_is_counted_on_its_day_in_the_campaigns_zone(
    edge: Edge, captured_at: str, day: str
) -> None:
    edge.register(make_capture_payload(captured_at=captured_at))

    summary = edge.send("POST", f"/v1/campaigns/tanah-abang-2024/summaries/{day}", caller="manager").json_body
    assert summary["counts"]["created"] == 1


def test_a_capture_for_an_unknown_campaign_is_not_stored(edge: Edge, log_output: LogOutput) -> None:
    capture = make_capture_payload(campaign_id="pasar-senen")
    before = dump_stored_state()

    assert_problem(edge.register(capture, caller="kiosk anywhere"), 404, "campaign_unknown")

    assert dump_stored_state() == before
    assert not [value for value in PERSONAL_VALUES if value in log_output.text]
