"""Captures that break a rule of the field: each rule is named, the worker never."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.edge.test_registering import PERSONAL, items_of
from tests.support.payloads import make_campaign_payload, make_capture_payload, make_nik

RULES = {
    "a NIK one digit short": ({"worker": {"nik": make_nik()[:-1]}}, "worker.nik", "nik_length"),
    "a NIK of no province": ({"worker": {"nik": "99" + make_nik()[2:]}}, "worker.nik", "nik_province"),
    "a NIK of an impossible date": (
        {"worker": {"nik": make_nik(birth_digits="720285")}},
        "worker.nik",
        "nik_birth_date",
    ),
    "a NIK with no serial": ({"worker": {"nik": make_nik(0)}}, "worker.nik", "nik_serial"),
    "a NIK with letters": ({"worker": {"nik": make_nik()[:-1] + "O"}}, "worker.nik", "nik_length"),
    "a NIK in other digits": ({"worker": {"nik": "٣" * 16}}, "worker.nik", "nik_length"),
    "a NIK of a spreadsheet": (
        {"worker": {"nik": f"{make_nik()[:-1]}.0"}},
        "worker.nik",
        "number_from_spreadsheet",
    ),
    "a phone of a spreadsheet": (
        {"worker": {"phone": "812345678.0"}},
        "worker.phone",
        "number_from_spreadsheet",
    ),
    "a postal code of a spreadsheet": (
        {"worker": {"postal_code": "10250.0"}},
        "worker.postal_code",
        "number_from_spreadsheet",
    ),
    "a blank address": ({"worker": {"address": " \u200b"}}, "worker.address", "text_blank"),
    "a place with NUL": ({"work": {"place": "Blok\x00A"}}, "work.place", "text_characters"),
    "a landline": ({"worker": {"phone": "021-5550123"}}, "worker.phone", "phone_not_mobile"),
    "a foreign number": ({"worker": {"phone": "+60 12-345 6789"}}, "worker.phone", "phone_foreign"),
    "a phone with a letter": ({"worker": {"phone": "0824-5550-70O1"}}, "worker.phone", "phone_malformed"),
    "no phone": ({"worker": {"phone": ""}}, "worker.phone", "phone_malformed"),
    "a name with a picture": (
        {"worker": {"name": "Melati \U0001f33a"}},
        "worker.name",
        "name_characters",
    ),
    "a name without a letter": ({"worker": {"name": "-'-"}}, "worker.name", "name_empty"),
    "a postal code with letters": (
        {"worker": {"postal_code": "1025-nine"}},
        "worker.postal_code",
        "postal_code_malformed",
    ),
    "a child": ({"worker": {"birth_date": "2014-04-12"}}, "worker.birth_date", "age_too_young"),
    "a pensioner": ({"worker": {"birth_date": "1959-10-09"}}, "worker.birth_date", "age_too_old"),
    "an occupation of no list": (
        {"work": {"occupations": ["astronaut"]}},
        "work.occupations.0",
        "occupation_unknown",
    ),
    "one programme alone": (
        {"coverage": {"programmes": ["JKK"]}},
        "coverage.programmes",
        "programmes_not_offered",
    ),
    "an employer without old-age savings": (
        {"work": {"employs_others": True}},
        "coverage.programmes",
        "jht_required",
    ),
    "a day before": (
        {"captured_at": "2024-10-08T11:12:00+07:00"},
        "captured_at",
        "captured_outside_campaign",
    ),
    "a day after": ({"captured_at": "2024-10-11T00:00:00+07:00"}, "captured_at", "captured_outside_campaign"),
}


def test_a_capture_that_breaks_a_rule_is_refused_by_the_name_of_the_rule(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    for what, (changes, field, code) in RULES.items():
        with subtests.test(what):
            response = edge.register(make_capture_payload(**changes))
            problem = assert_problem(response, 422, "rules_broken")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
            typed = filter(None, changes.get("worker", {}).values())
            for told in (response.body.decode(), log_output.text, dump_stored_state()):
                assert not [value for value in (*PERSONAL, *typed) if value in told]

    assert items_of("APPLICATION") == items_of("OPEN") == 0


def test_every_broken_rule_is_named_at_once(edge: Edge) -> None:
    mistyped = make_capture_payload(
        captured_at="2024-10-08T11:12:00+07:00", worker={"nik": "1", "phone": "021-5550123"}
    )

    problem = assert_problem(edge.register(mistyped), 422, "rules_broken")

    assert [error["field"] for error in problem["errors"]] == ["captured_at", "worker.nik", "worker.phone"]


def test_a_refused_capture_is_noted_without_its_worker_and_counted(edge: Edge) -> None:
    edge.register(make_capture_payload(worker={"nik": make_nik()[:-1]}))

    assert items_of("CAPTURE") == 1
    day = edge.send("POST", "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09", caller="manager").json_body
    assert day["counts"] == {
        "captures": 0,
        "created": 0,
        "already_registered": 0,
        "reactivated": 0,
        "refused": 1,
    }


def test_a_mended_capture_is_taken_under_the_same_id(edge: Edge) -> None:
    edge.register(make_capture_payload(worker={"nik": make_nik()[:-1]}))

    assert edge.register(make_capture_payload()).json_body["outcome"] == "created"
    assert items_of("CAPTURE") == 1


def test_an_accepted_capture_stays_accepted_when_its_id_comes_back_with_a_slip(edge: Edge) -> None:
    edge.register(make_capture_payload())
    before = dump_stored_state()

    assert_problem(
        edge.register(make_capture_payload(worker={"nik": make_nik()[:-1]})), 409, "capture_reused"
    )

    assert dump_stored_state() == before


def test_a_capture_from_the_future_is_refused(edge: Edge) -> None:
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    problem = assert_problem(edge.register(make_capture_payload(captured_at=in_an_hour)), 422, "rules_broken")

    assert problem["errors"][0]["code"] == "captured_in_future"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"]
)
def test_a_clock_at_the_end_of_the_calendar_is_the_senders_error(edge: Edge, at: str) -> None:
    problem = assert_problem(edge.register(make_capture_payload(captured_at=at)), 422, "body_invalid")

    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("captured_at", "value_out_of_range")
    ]


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2024-10-08T17:00:00Z", "2024-10-09"),
        ("2024-10-09T23:59:59+07:00", "2024-10-09"),
        ("2024-10-09T17:00:00Z", "2024-10-10"),
    ],
)
def test_a_capture_belongs_to_the_day_it_was_in_the_campaigns_zone(edge: Edge, at: str, day: str) -> None:
    edge.register(make_capture_payload(captured_at=at))

    counted = edge.send("POST", f"/v1/campaigns/tanah-abang-2024/summaries/{day}", caller="manager").json_body
    assert counted["counts"]["created"] == 1


def test_a_capture_after_the_campaign_has_closed_is_refused(edge: Edge) -> None:
    edge.send(
        "POST",
        "/v1/campaigns",
        make_campaign_payload(campaign_id="closed-2024", accepts_until="2024-10-31"),
        caller="manager",
    )

    problem = assert_problem(
        edge.register(make_capture_payload(campaign_id="closed-2024"), caller="kiosk anywhere"),
        422,
        "rules_broken",
    )

    assert [error["code"] for error in problem["errors"]] == ["campaign_closed"]


def test_a_campaign_nobody_opened_is_unknown(edge: Edge, log_output: LogOutput) -> None:
    before = dump_stored_state()

    assert_problem(
        edge.register(make_capture_payload(campaign_id="pasar-senen"), caller="kiosk anywhere"),
        404,
        "campaign_unknown",
    )

    assert dump_stored_state() == before
    assert not [value for value in PERSONAL if value in log_output.text]
