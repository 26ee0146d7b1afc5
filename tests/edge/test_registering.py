"""Captures through the edge: what devices are told, and that saying it again changes nothing."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tests.builders import a_campaign, a_capture, a_capture_id, a_nik
from tests.edge.conftest import Logged, everything_stored, the_problem

PERSONAL = ["317107520485", "Melati", "Kusumawati", "82455507001", "5550-7001", "Jalan Contoh", "1985-04-12"]


def items_of(kind: str) -> int:
    found = boto3.client("dynamodb").scan(TableName="RegistrationsTable")["Items"]
    return sum(item["sk"]["S"] == kind for item in found)


def test_a_new_worker_is_registered(edge):
    answer = edge.register(a_capture())

    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json_body
    assert list(told) == ["capture_id", "outcome", "reference", "status", "received_at"]
    assert (told["capture_id"], told["outcome"], told["status"]) == (a_capture_id(), "created", "received")
    assert "Idempotent-Replayed" not in answer.headers


def test_the_same_capture_sent_again_gets_the_same_bytes(edge):
    first = edge.register(a_capture())
    before = everything_stored()

    second = edge.register(a_capture())

    assert (second.status_code, second.body) == (first.status_code, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert everything_stored() == before


def test_the_same_capture_written_in_another_way_is_the_same(edge):
    first = edge.register(a_capture())
    reordered = dict(reversed(a_capture().items()))

    second = edge.register(json.dumps(reordered, indent=2).encode())

    assert second.body == first.body
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_same_capture_sent_by_another_device_gets_the_same_bytes(edge):
    first = edge.register(a_capture())

    # A tablet was exchanged, and the new one sends what the old one had kept.
    second = edge.register(a_capture(), by="kiosk")

    assert second.body == first.body


@pytest.mark.parametrize(
    "changes",
    [{"worker": {"phone": "0824-5550-7002"}}, {"worker": {"nik": a_nik(7002)}}, {"officer": None}],
    ids=["phone", "NIK", "officer"],
)
def test_a_capture_id_used_again_for_other_content_is_refused(edge, changes):
    edge.register(a_capture())
    before = everything_stored()

    the_problem(edge.register(a_capture(**changes)), 409, "capture_reused")

    assert everything_stored() == before


def test_a_known_worker_is_told_the_reference_of_the_first_registration(edge):
    first = edge.register(a_capture())

    second = edge.register(a_capture(capture_id=a_capture_id(2)))

    assert second.status_code == 200
    assert second.json_body["outcome"] == "already_registered"
    assert second.json_body["reference"] == first.json_body["reference"]
    assert items_of("APPLICATION") == 1


def test_a_known_worker_is_known_by_the_nik_however_it_is_typed(edge):
    edge.register(a_capture())

    spaced = f"{a_nik()[:6]} {a_nik()[6:12]}-{a_nik()[12:]}"
    second = edge.register(
        a_capture(capture_id=a_capture_id(2), worker={"nik": spaced, "phone": "0824 5550 7009"})
    )

    assert second.json_body["outcome"] == "already_registered"


def test_a_repeat_sent_again_gets_the_same_bytes(edge):
    edge.register(a_capture())
    repeat = a_capture(capture_id=a_capture_id(2))
    first = edge.register(repeat)

    second = edge.register(repeat)

    assert (second.status_code, second.body) == (200, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_registration_can_be_looked_up_masked(edge):
    reference = edge.register(a_capture()).json_body["reference"]

    shown = edge.send("GET", f"/v1/registrations/{reference}")

    assert shown.status_code == 200
    assert shown.json_body["worker"] == {
        "nik": "************7001",
        "name": "M***** K*********",
        "phone": "**********7001",
        "language": "id",
    }
    assert not [value for value in PERSONAL if value in shown.body.decode()]
    assert "monthly_income" not in shown.body.decode()


@pytest.mark.parametrize(
    "typed", [str.lower, lambda text: text.replace("-", "")], ids=["small letters", "no dashes"]
)
def test_a_reference_may_be_typed_in_any_way(edge, typed):
    reference = edge.register(a_capture()).json_body["reference"]

    shown = edge.send("GET", f"/v1/registrations/{typed(reference)}")

    assert shown.json_body["reference"] == reference


def test_a_reference_nobody_was_given_is_unknown(edge, subtests):
    for reference in ("7K4-M2Q-X9P", "nonsense", "..", "%00", "A" * 3000, "%F0%9F%8C%BA"):
        with subtests.test(reference):
            shown = edge.send("GET", f"/v1/registrations/{reference}")
            the_problem(shown, 404, "registration_unknown")


RULES = {
    "a NIK one digit short": ({"worker": {"nik": a_nik()[:-1]}}, "worker.nik", "nik_length"),
    "a NIK of no province": ({"worker": {"nik": "99" + a_nik()[2:]}}, "worker.nik", "nik_province"),
    "a NIK of an impossible date": (
        {"worker": {"nik": a_nik(born="720285")}},
        "worker.nik",
        "nik_birth_date",
    ),
    "a NIK with no serial": ({"worker": {"nik": a_nik(0)}}, "worker.nik", "nik_serial"),
    "a NIK with letters": ({"worker": {"nik": a_nik()[:-1] + "O"}}, "worker.nik", "nik_length"),
    "a NIK in other digits": ({"worker": {"nik": "٣" * 16}}, "worker.nik", "nik_length"),
    "a landline": ({"worker": {"phone": "021-5550123"}}, "worker.phone", "phone_not_mobile"),
    "a foreign number": ({"worker": {"phone": "+60 12-345 6789"}}, "worker.phone", "phone_foreign"),
    "a phone with a letter": ({"worker": {"phone": "0824-5550-70O1"}}, "worker.phone", "phone_malformed"),
    "no phone": ({"worker": {"phone": ""}}, "worker.phone", "phone_malformed"),
    "a day before": (
        {"captured_at": "2024-10-08T11:12:00+07:00"},
        "captured_at",
        "captured_outside_campaign",
    ),
    "a day after": ({"captured_at": "2024-10-11T00:00:00+07:00"}, "captured_at", "captured_outside_campaign"),
}


def test_a_capture_that_breaks_a_rule_is_refused_by_the_name_of_the_rule(edge, logged, subtests):
    for what, (changes, field, code) in RULES.items():
        with subtests.test(what):
            response = edge.register(a_capture(**changes))
            problem = the_problem(response, 422, "rules_broken")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
            typed = filter(None, changes.get("worker", {}).values())
            for told in (response.body.decode(), logged.text, everything_stored()):
                assert not [value for value in (*PERSONAL, *typed) if value in told]

    assert items_of("APPLICATION") == items_of("OPEN") == 0


def test_every_broken_rule_is_named_at_once(edge):
    mistyped = a_capture(captured_at="2024-10-08T11:12:00+07:00", worker={"nik": "1", "phone": "021-5550123"})

    problem = the_problem(edge.register(mistyped), 422, "rules_broken")

    assert [error["field"] for error in problem["errors"]] == ["captured_at", "worker.nik", "worker.phone"]


def test_a_refused_capture_is_noted_without_its_worker_and_counted(edge):
    edge.register(a_capture(worker={"nik": a_nik()[:-1]}))

    assert items_of("CAPTURE") == 1
    day = edge.send("POST", "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09", by="manager").json_body
    assert day["counts"] == {
        "captures": 0,
        "created": 0,
        "already_registered": 0,
        "reactivated": 0,
        "refused": 1,
    }


def test_a_mended_capture_is_taken_under_the_same_id(edge):
    edge.register(a_capture(worker={"nik": a_nik()[:-1]}))

    assert edge.register(a_capture()).json_body["outcome"] == "created"
    assert items_of("CAPTURE") == 1


def test_an_accepted_capture_stays_accepted_when_its_id_comes_back_with_a_slip(edge):
    edge.register(a_capture())
    before = everything_stored()

    the_problem(edge.register(a_capture(worker={"nik": a_nik()[:-1]})), 409, "capture_reused")

    assert everything_stored() == before


def test_a_capture_from_the_future_is_refused(edge):
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    problem = the_problem(edge.register(a_capture(captured_at=in_an_hour)), 422, "rules_broken")

    assert problem["errors"][0]["code"] == "captured_in_future"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"]
)
def test_a_clock_at_the_end_of_the_calendar_is_the_senders_error(edge, at):
    problem = the_problem(edge.register(a_capture(captured_at=at)), 422, "body_invalid")

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
def test_a_capture_belongs_to_the_day_it_was_in_the_campaigns_zone(edge, at, day):
    edge.register(a_capture(captured_at=at))

    counted = edge.send("POST", f"/v1/campaigns/tanah-abang-2024/summaries/{day}", by="manager").json_body
    assert counted["counts"]["created"] == 1


def test_a_capture_after_the_campaign_has_closed_is_refused(edge):
    edge.send(
        "POST",
        "/v1/campaigns",
        a_campaign(campaign_id="closed-2024", accepts_until="2024-10-31"),
        by="manager",
    )

    problem = the_problem(
        edge.register(a_capture(campaign_id="closed-2024"), by="kiosk anywhere"), 422, "rules_broken"
    )

    assert [error["code"] for error in problem["errors"]] == ["campaign_closed"]


def test_a_campaign_nobody_opened_is_unknown(edge, logged):
    before = everything_stored()

    the_problem(
        edge.register(a_capture(campaign_id="pasar-senen"), by="kiosk anywhere"), 404, "campaign_unknown"
    )

    assert everything_stored() == before
    assert not [value for value in PERSONAL if value in logged.text]


def test_a_send_leaves_one_line_in_the_log_and_no_person(edge, logged: Logged):
    edge.register(a_capture())

    (line,) = logged.lines
    assert (line["message"], line["status"], line["client_id"]) == ("request answered", 201, "van-1")
    assert not [value for value in PERSONAL if value in logged.text]


@pytest.mark.parametrize(
    ("sends", "outcomes"),
    [
        ([a_capture()], ["created"]),
        ([a_capture(), a_capture()], ["created", "replayed"]),
        ([a_capture(), a_capture(capture_id=a_capture_id(2))], ["created", "already_registered"]),
    ],
)
def test_registrations_are_counted_by_outcome(edge, logged, sends, outcomes):
    for capture in sends:
        edge.register(capture)

    counted = [each for each in logged.metrics if "Registrations" in each]
    assert [each["outcome"] for each in counted] == outcomes
    assert {each["Registrations"][0] for each in counted} == {1.0}
