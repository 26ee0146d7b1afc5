"""Campaigns through the edge."""

import json
from typing import Any

import pytest

from chalicelib.http.pagination import Position, to_cursor
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.builders import make_campaign_payload, make_capture_payload

MARK = "Manajer-Tidak-Boleh-Tampak"


def opened(edge: Edge, **changes: Any) -> Any:
    return edge.send(
        "POST",
        "/v1/campaigns",
        make_campaign_payload(**{"campaign_id": "senen-2024", **changes}),
        caller="manager",
    )


def test_a_campaign_is_opened_and_shown(edge: Edge) -> None:
    answer = opened(edge)

    assert answer.status_code == 201
    assert answer.json_body == make_campaign_payload(campaign_id="senen-2024")
    assert edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").body == answer.body


def test_the_very_same_campaign_opened_again_changes_nothing(edge: Edge) -> None:
    first = opened(edge)
    before = dump_stored_state()

    second = opened(edge)

    assert (second.status_code, second.body) == (200, first.body)
    assert dump_stored_state() == before


def test_another_campaign_under_the_same_id_is_refused(edge: Edge) -> None:
    first = opened(edge)
    before = dump_stored_state()

    assert_problem(opened(edge, target=1), 409, "campaign_exists")

    assert dump_stored_state() == before
    assert edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").body == first.body


def test_a_manager_bound_to_another_campaign_opens_none(edge: Edge) -> None:
    before = dump_stored_state()

    answer = edge.send(
        "POST", "/v1/campaigns", make_campaign_payload(campaign_id="senen-2024"), caller="manager here"
    )

    assert_problem(answer, 403, "campaign_not_yours")
    assert dump_stored_state() == before


def test_managers_see_the_campaigns_they_work_for_by_last_day(edge: Edge) -> None:
    opened(edge, last_day="2024-10-20")
    opened(edge, campaign_id="early-2024", first_day="2024-10-01", last_day="2024-10-02")

    every = edge.send("GET", "/v1/campaigns", caller="manager").json_body["campaigns"]
    own = edge.send("GET", "/v1/campaigns", caller="manager here").json_body["campaigns"]

    assert [each["campaign_id"] for each in every] == ["early-2024", "tanah-abang-2024", "senen-2024"]
    assert [each["campaign_id"] for each in own] == ["tanah-abang-2024"]


def test_a_campaign_nobody_opened_is_unknown(edge: Edge, subtests: pytest.Subtests) -> None:
    for campaign_id in ("never-opened", "..", "%00", "tanah abang", "%F0%9F%8C%BA"):
        with subtests.test(campaign_id):
            shown = edge.send("GET", f"/v1/campaigns/{campaign_id}", caller="manager")
            assert_problem(shown, 404, "campaign_unknown")


INVALID = {
    "days the wrong way round": ({"first_day": "2024-10-11"}, "", "days_out_of_order"),
    "closed before its last day": ({"accepts_until": "2024-10-09"}, "", "days_out_of_order"),
    "a zone outside Indonesia": ({"zone": "Asia/Singapore"}, "zone", "value_not_allowed"),
    "a zone that is a path": ({"zone": "../../etc/passwd"}, "zone", "value_not_allowed"),
    "an hour past midnight": ({"summary_hour": 24}, "summary_hour", "value_out_of_range"),
    "an hour that is a text": ({"summary_hour": "20"}, "summary_hour", "value_wrong_type"),
    "a target beyond 64 bits": ({"target": 2**65}, "target", "value_out_of_range"),
    "a negative budget": ({"sms_budget": -1}, "sms_budget", "value_out_of_range"),
    "a day that never was": ({"first_day": "2024-02-30"}, "first_day", "value_malformed"),
    "a day at the end of the calendar": (
        {"accepts_until": "9999-12-31"},
        "accepts_until",
        "value_out_of_range",
    ),
    "no name": ({"name": ""}, "name", "value_too_short"),
    "an id in capitals": ({"campaign_id": "Senen"}, "campaign_id", "value_malformed"),
    "an id with a slash": ({"campaign_id": "a/b"}, "campaign_id", "value_malformed"),
    "an id with our own separator": ({"campaign_id": "a#b"}, "campaign_id", "value_malformed"),
    "managers who are a text": ({"managers": MARK}, "managers", "value_wrong_type"),
    "a manager without a name": ({"managers": [{"email": None}]}, "managers.0.name", "field_missing"),
    "an address that is none": (
        {"managers": [{"name": "x", "email": MARK}]},
        "managers.0.email",
        "value_malformed",
    ),
    "a field nobody knows": ({"colour": MARK}, "colour", "field_unknown"),
}


def test_a_campaign_of_another_shape_is_refused(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for what, (changes, field, code) in INVALID.items():
        with subtests.test(what):
            response = opened(edge, **changes)
            problem = assert_problem(response, 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
            assert dump_stored_state() == before
            assert MARK not in response.body.decode()

    assert MARK not in log_output.text


def test_a_body_that_is_no_campaign_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    before = dump_stored_state()

    for body in (b"", b"{", b"null", b"[]", json.dumps(MARK).encode()):
        with subtests.test(body.decode()):
            assert edge.send("POST", "/v1/campaigns", body, caller="manager").status_code in {400, 422}

    assert dump_stored_state() == before


def changed(edge: Edge, **changes: Any) -> Any:
    return edge.send("PATCH", "/v1/campaigns/senen-2024", changes, caller="manager")


def test_a_campaign_is_changed_and_shown_as_it_is_now(edge: Edge) -> None:
    opened(edge)

    answer = changed(edge, target=600, managers=[{"name": "Kepala Baru"}])

    manager = {"name": "Kepala Baru", "email": None, "phone": None}
    assert answer.status_code == 200
    assert answer.json_body == make_campaign_payload(campaign_id="senen-2024", target=600, managers=[manager])
    assert edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").body == answer.body


def test_the_same_change_again_changes_nothing(edge: Edge) -> None:
    opened(edge)
    first = changed(edge, target=600)
    before = dump_stored_state()

    for same in ({"target": 600}, {}, {"target": None}):
        assert (changed(edge, **same).status_code, changed(edge, **same).body) == (200, first.body)

    assert dump_stored_state() == before


UNCHANGEABLE = {
    "another zone": ({"zone": "Asia/Makassar"}, "body_invalid", "zone", "field_unknown"),
    "another first day": ({"first_day": "2024-10-08"}, "body_invalid", "first_day", "field_unknown"),
    "another id": ({"campaign_id": "senen-2025"}, "body_invalid", "campaign_id", "field_unknown"),
    "an earlier last day": ({"last_day": "2024-10-09"}, "rules_broken", "last_day", "last_day_earlier"),
    "closed before its last day": ({"accepts_until": "2024-10-09"}, "body_invalid", "", "days_out_of_order"),
    "longer than a year": ({"last_day": "2025-10-10"}, "body_invalid", "", "campaign_too_long"),
    "an hour past midnight": ({"summary_hour": 24}, "body_invalid", "summary_hour", "value_out_of_range"),
    "no name": ({"name": ""}, "body_invalid", "name", "value_too_short"),
}


def test_a_change_that_cannot_be_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    opened(edge)
    before = dump_stored_state()

    for what, (changes, problem_code, field, code) in UNCHANGEABLE.items():
        with subtests.test(what):
            problem = assert_problem(changed(edge, **changes), 422, problem_code)
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert dump_stored_state() == before


def test_a_campaign_nobody_opened_cannot_be_changed(edge: Edge) -> None:
    before = dump_stored_state()

    assert_problem(changed(edge, target=1), 404, "campaign_unknown")

    assert dump_stored_state() == before


def test_a_day_that_was_added_takes_captures_and_is_counted(edge: Edge) -> None:
    opened(edge, accepts_until="2999-12-31")
    late = make_capture_payload(campaign_id="senen-2024", captured_at="2024-10-11T09:00:00+07:00")
    assert_problem(edge.register(late, caller="kiosk elsewhere"), 422, "rules_broken")

    changed(edge, last_day="2024-10-11")
    edge.restart()

    assert edge.register(late, caller="kiosk elsewhere").status_code == 201
    counted = edge.send("POST", "/v1/campaigns/senen-2024/summaries/2024-10-11", caller="manager").json_body
    assert (counted["counts"]["created"], counted["counts"]["refused"]) == (1, 0)


def test_campaigns_come_in_pages(edge: Edge) -> None:
    opened(edge)
    opened(edge, campaign_id="early-2024", first_day="2024-10-01", last_day="2024-10-02")

    first = edge.send("GET", "/v1/campaigns?size=2", caller="manager").json_body
    second = edge.send("GET", f"/v1/campaigns?size=2&cursor={first['cursor']}", caller="manager").json_body

    assert [each["campaign_id"] for each in first["campaigns"]] == ["early-2024", "senen-2024"]
    assert [each["campaign_id"] for each in second["campaigns"]] == ["tanah-abang-2024"]
    assert second["cursor"] is None


def test_a_page_of_campaigns_that_cannot_be_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    elsewhere = to_cursor(Position("2024-10-09T02:12:00.000Z#7K4-M2Q-X9F"))
    for query, status, code in (
        ("cursor=%25%25", 400, "cursor_invalid"),
        (f"cursor={elsewhere}", 400, "cursor_invalid"),
        ("size=0", 422, "body_invalid"),
        ("size=201", 422, "body_invalid"),
        ("day=2024-10-09", 422, "body_invalid"),
    ):
        with subtests.test(query):
            assert_problem(edge.send("GET", f"/v1/campaigns?{query}", caller="manager"), status, code)
