"""The routes of campaigns: open, show, list and change."""

import json
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.http.pagination import Position, to_cursor
from tests.edge.conftest import FAR_FUTURE, Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload

# A value that no response and no log line may repeat.
PERSONAL_VALUE = "Manajer-Tidak-Boleh-Tampak"


def open_campaign(edge: Edge, **changes: Any) -> HTTPResponse:
    campaign = make_campaign_payload(**{"campaign_id": "senen-2024", **changes})
    return edge.send("POST", "/v1/campaigns", campaign, caller="manager")


def change_campaign(edge: Edge, **changes: Any) -> HTTPResponse:
    return edge.send("PATCH", "/v1/campaigns/senen-2024", changes, caller="manager")


def test_an_opened_campaign_is_shown(edge: Edge) -> None:
    response = open_campaign(edge)

    assert response.status_code == 201
    assert response.json_body == make_campaign_payload(campaign_id="senen-2024")
    assert edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").body == response.body


def test_opening_the_same_campaign_again_answers_200_and_changes_nothing(edge: Edge) -> None:
    first = open_campaign(edge)
    before = dump_stored_state()

    second = open_campaign(edge)

    assert (second.status_code, second.body) == (200, first.body)
    assert dump_stored_state() == before


def test_another_campaign_under_the_same_id_is_a_conflict(edge: Edge) -> None:
    open_campaign(edge)
    before = dump_stored_state()

    assert_problem(open_campaign(edge, target=1), 409, "campaign_exists")

    assert dump_stored_state() == before


@pytest.mark.parametrize("campaign_id", ["never-opened", "..", "%00", "tanah abang", "%F0%9F%8C%BA"])
def test_an_unknown_campaign_is_not_found(edge: Edge, campaign_id: str) -> None:
    shown = edge.send("GET", f"/v1/campaigns/{campaign_id}", caller="manager")
    assert_problem(shown, 404, "campaign_unknown")


INVALID_CAMPAIGNS: dict[str, tuple[dict[str, Any], str, str]] = {
    "days out of order": ({"first_day": "2024-10-11"}, "", "days_out_of_order"),
    "a zone that is a path": ({"zone": "../../etc/passwd"}, "zone", "value_not_allowed"),
    "an hour past midnight": ({"summary_hour": 24}, "summary_hour", "value_out_of_range"),
    "an hour as a string": ({"summary_hour": "20"}, "summary_hour", "value_wrong_type"),
    "a target beyond 64 bits": ({"target": 2**65}, "target", "value_out_of_range"),
    "a day that does not exist": ({"first_day": "2024-02-30"}, "first_day", "value_malformed"),
    "the last day of the calendar": (
        {"accepts_until": "9999-12-31"},
        "accepts_until",
        "value_out_of_range",
    ),
    "an empty name": ({"name": ""}, "name", "value_too_short"),
    "an id with a slash": ({"campaign_id": "a/b"}, "campaign_id", "value_malformed"),
    "managers as a string": ({"managers": PERSONAL_VALUE}, "managers", "value_wrong_type"),
    "a manager without a name": ({"managers": [{"email": None}]}, "managers.0.name", "field_missing"),
    "an invalid e-mail address": (
        {"managers": [{"name": "x", "email": PERSONAL_VALUE}]},
        "managers.0.email",
        "value_malformed",
    ),
    "sponsors as a string": ({"sponsors": PERSONAL_VALUE}, "sponsors", "value_wrong_type"),
    "one sponsor twice": (
        {"sponsors": [{"sponsor_id": "pt-contoh", "name": each} for each in ("A", "B")]},
        "sponsors",
        "value_repeated",
    ),
    "a quota as a string": (
        {"sponsors": [{"sponsor_id": "pt-contoh", "name": "PT Contoh", "quota": "5"}]},
        "sponsors.0.quota",
        "value_wrong_type",
    ),
    "an unknown field": ({"colour": PERSONAL_VALUE}, "colour", "field_unknown"),
}


def test_an_invalid_campaign_is_refused_with_the_name_of_its_field(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for name, (changes, field, code) in INVALID_CAMPAIGNS.items():
        with subtests.test(name):
            response = open_campaign(edge, **changes)
            problem = assert_problem(response, 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
            assert PERSONAL_VALUE not in response.body.decode()
            assert dump_stored_state() == before

    assert PERSONAL_VALUE not in log_output.text


def test_a_body_of_another_type_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    before = dump_stored_state()

    for body in (b"", b"{", b"null", b"[]", json.dumps(PERSONAL_VALUE).encode()):
        with subtests.test(body.decode()):
            assert edge.send("POST", "/v1/campaigns", body, caller="manager").status_code in {400, 422}

    assert dump_stored_state() == before


def test_a_changed_campaign_is_shown(edge: Edge) -> None:
    open_campaign(edge)

    response = change_campaign(edge, target=600, managers=[{"name": "Kepala Baru"}])

    manager = {"name": "Kepala Baru", "email": None, "phone": None}
    assert response.status_code == 200
    assert response.json_body == make_campaign_payload(
        campaign_id="senen-2024", target=600, managers=[manager]
    )
    assert edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").body == response.body


def test_sponsors_are_shown_by_id_whatever_order_they_were_sent_in(edge: Edge) -> None:
    sponsors = [{"sponsor_id": f"pt-{each}", "name": f"PT {each}", "quota": None} for each in "ba"]
    opened = open_campaign(edge, sponsors=sponsors)
    changed = change_campaign(
        edge, sponsors=[*sponsors, {"sponsor_id": "pt-c", "name": " PT c ", "quota": 5}]
    )

    assert opened.json_body["sponsors"] == sponsors[::-1]
    last = {"sponsor_id": "pt-c", "name": "PT c", "quota": 5}
    assert changed.json_body["sponsors"] == [*sponsors[::-1], last]
    assert edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").body == changed.body


def test_a_repeated_or_empty_change_stores_nothing(edge: Edge) -> None:
    open_campaign(edge)
    first = change_campaign(edge, target=600)
    before = dump_stored_state()

    for changes in ({"target": 600}, {}, {"target": None}):
        response = change_campaign(edge, **changes)
        assert (response.status_code, response.body) == (200, first.body)

    assert dump_stored_state() == before


INVALID_CHANGES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a fixed field": ({"zone": "Asia/Makassar"}, "body_invalid", "zone", "field_unknown"),
    "a sponsor left out": ({"sponsors": []}, "rules_broken", "sponsors", "sponsor_removed"),
    "an earlier last day": ({"last_day": "2024-10-09"}, "rules_broken", "last_day", "last_day_earlier"),
    "closed yesterday": (
        {"accepts_until": "2024-10-10"},
        "rules_broken",
        "accepts_until",
        "accepts_until_over",
    ),
    "closed before its last day": ({"accepts_until": "2024-10-09"}, "body_invalid", "", "days_out_of_order"),
    "longer than a year": ({"last_day": "2025-10-10"}, "body_invalid", "", "campaign_too_long"),
    "an hour past midnight": ({"summary_hour": 24}, "body_invalid", "summary_hour", "value_out_of_range"),
    "an empty name": ({"name": ""}, "body_invalid", "name", "value_too_short"),
}


def test_an_invalid_change_is_refused_with_the_name_of_its_field(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    open_campaign(edge, sponsors=[{"sponsor_id": "pt-contoh", "name": "PT Contoh"}])
    before = dump_stored_state()

    for name, (changes, problem_code, field, code) in INVALID_CHANGES.items():
        with subtests.test(name):
            problem = assert_problem(change_campaign(edge, **changes), 422, problem_code)
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert dump_stored_state() == before


def test_an_unknown_campaign_cannot_be_changed(edge: Edge) -> None:
    before = dump_stored_state()

    assert_problem(change_campaign(edge, target=1), 404, "campaign_unknown")

    assert dump_stored_state() == before


def test_captures_of_an_added_day_are_accepted_and_counted(edge: Edge) -> None:
    open_campaign(edge, accepts_until=FAR_FUTURE)
    capture = make_capture_payload(campaign_id="senen-2024", captured_at="2024-10-11T09:00:00+07:00")
    assert_problem(edge.register(capture, caller="kiosk elsewhere"), 422, "rules_broken")

    change_campaign(edge, last_day="2024-10-11")
    edge.restart()

    assert edge.register(capture, caller="kiosk elsewhere").status_code == 201
    path = "/v1/campaigns/senen-2024/summaries/2024-10-11"
    counts = edge.send("POST", path, caller="manager").json_body["counts"]
    assert (counts["created"], counts["refused"]) == (1, 0)


def test_a_worker_registered_in_one_campaign_is_known_in_another(edge: Edge) -> None:
    open_campaign(edge)
    first = edge.register(make_capture_payload())

    second = edge.register(
        make_capture_payload(campaign_id="senen-2024", capture_id=make_capture_id(2)),
        caller="kiosk elsewhere",
    )

    assert second.json_body["outcome"] == "already_registered"
    assert second.json_body["reference"] == first.json_body["reference"]


def test_campaigns_are_listed_in_pages_by_last_day(edge: Edge) -> None:
    open_campaign(edge)
    open_campaign(edge, campaign_id="early-2024", first_day="2024-10-01", last_day="2024-10-02")

    first = edge.send("GET", "/v1/campaigns?size=2", caller="manager").json_body
    second = edge.send("GET", f"/v1/campaigns?size=2&cursor={first['cursor']}", caller="manager").json_body

    assert [each["campaign_id"] for each in first["campaigns"]] == ["early-2024", "senen-2024"]
    assert [each["campaign_id"] for each in second["campaigns"]] == ["tanah-abang-2024"]
    assert second["cursor"] is None


def test_an_invalid_page_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    cursor_of_registrations = to_cursor(Position("2024-10-09T02:12:00.000Z#7K4-M2Q-X9F"))
    for query, status, code in (
        ("cursor=%25%25", 400, "cursor_invalid"),
        (f"cursor={cursor_of_registrations}", 400, "cursor_invalid"),
        ("size=0", 422, "body_invalid"),
        ("size=201", 422, "body_invalid"),
        ("day=2024-10-09", 422, "body_invalid"),
    ):
        with subtests.test(query):
            assert_problem(edge.send("GET", f"/v1/campaigns?{query}", caller="manager"), status, code)
