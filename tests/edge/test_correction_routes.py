"""Corrections over HTTP: who may make which, what changes with them, and what nobody sees of them."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, LogOutput, assert_problem
from tests.edge.test_lifecycle_routes import PAYMENT, register_worker, report_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

REASON = "salah ketik"
OTHER_PHONE = "0824-5550-7999"
DAY = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"


def correct(
    edge: Edge, reference: str, fields: Any, *, number: int = 1, caller: str = "manager", **body: Any
) -> HTTPResponse:
    """Send a correction. Each number is another one."""
    return edge.send(
        "POST",
        f"/v1/registrations/{reference}/corrections",
        {"correction_id": make_capture_id(number), "fields": fields, "reason": REASON, **body},
        caller=caller,
    )


def show(edge: Edge, reference: str, *, caller: str = "core") -> dict[str, Any]:
    answer: dict[str, Any] = edge.send("GET", f"/v1/registrations/{reference}", caller=caller).json_body
    return answer


def list_events(document: dict[str, Any]) -> list[str]:
    return [each["event"] for each in document["history"]]


def disclose(edge: Edge, nik: str, number: int = 900) -> dict[str, Any]:
    body = {"request_id": make_capture_id(number), "nik": nik}
    answer: dict[str, Any] = edge.send("POST", "/v1/disclosures", body, caller="admin").json_body
    return answer


FIELDS: dict[str, tuple[str, Any, Any]] = {
    "nik": ("worker", "3171075204850123", "3171075204850123"),
    "name": ("worker", "Mawar Kusumawati", "Mawar Kusumawati"),
    "birth_date": ("worker", "1985-04-13", "1985-04-13"),
    "phone": ("worker", OTHER_PHONE, "+6282455507999"),
    "email": ("worker", "mawar@pasar.example", "mawar@pasar.example"),
    "address": ("worker", "Jalan Lain 8", "Jalan Lain 8"),
    "postal_code": ("worker", "10240", "10240"),
    "language": ("worker", "en", "en"),
    "occupations": ("work", ["ojek_driver"], ["ojek_driver"]),
    "place": ("work", "Blok B", "Blok B"),
    "monthly_income": ("work", 3_500_000, 3_500_000),
    "employs_others": ("work", False, False),
    "programmes": ("coverage", ["JKK", "JKM", "JHT"], ["JKK", "JKM", "JHT"]),
    "months": ("coverage", 6, 6),
}


@pytest.mark.parametrize("is_grouped", [False, True], ids=["alone", "in its group"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_manager_corrects_each_field_before_payment(edge: Edge, field: str, *, is_grouped: bool) -> None:
    group, typed, recorded = FIELDS[field]
    reference = register_worker(edge)

    answer = correct(edge, reference, {group: {field: typed}} if is_grouped else {field: typed})

    assert answer.status_code == 200, answer.body
    assert show(edge, reference)[group][field] == recorded
    is_new = field != "employs_others"
    assert answer.json_body["correction"]["state"] == ("applied" if is_new else "unchanged")
    assert list_events(answer.json_body) == (["registered", "corrected"] if is_new else ["registered"])
    if is_new:
        assert answer.json_body["history"][-1]["detail"]["fields"] == f"{group}.{field}"


def test_the_same_correction_again_changes_nothing_and_another_under_its_id_is_refused(edge: Edge) -> None:
    reference = register_worker(edge)
    first = correct(edge, reference, {"phone": OTHER_PHONE})

    again = correct(edge, reference, {"phone": OTHER_PHONE})
    other = correct(edge, reference, {"phone": "0824-5550-7998"})

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json_body == first.json_body
    assert_problem(other, 409, "correction_reused")
    assert_problem(correct(edge, reference, {"phone": OTHER_PHONE}, reason="lain"), 409, "correction_reused")


def test_the_price_is_worked_out_again_while_unpaid_and_the_code_withdrawn(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "payment code", reference)
    before = show(edge, reference)

    correct(edge, reference, {"months": 6})

    after = show(edge, reference)
    assert (before["quote"]["total"], after["quote"]["total"]) == (98_400, 196_800)
    assert (before["status"], after["status"]) == ("awaiting_payment", "received")
    assert "payment_code" not in after
    assert list_events(after)[-2:] == ["corrected", "recheck_requested"]
    assert report_event(edge, "payment code", reference).json_body["status"] == "awaiting_payment"


def test_a_mismatch_is_solved_by_a_correction_of_the_identity_alone(edge: Edge) -> None:
    reference = register_worker(edge)
    edge.send("POST", f"/v1/registrations/{reference}/verification", {"result": "mismatch"}, caller="core")

    assert correct(edge, reference, {"phone": OTHER_PHONE}).json_body["status"] == "mismatch"
    solved = correct(edge, reference, {"name": "Mawar Kusumawati"}, number=2).json_body

    assert (solved["status"], solved["verification"]) == ("received", "not_checked")
    assert list_events(solved)[-2:] == ["corrected", "recheck_requested"]


@pytest.fixture
def today(edge: Edge) -> dict[str, Any]:
    """Open a campaign of today for the devices. Return the fields of its captures."""
    now = datetime.now(UTC)
    day = now.astimezone(ZoneInfo("Asia/Jakarta")).date().isoformat()
    campaign = make_campaign_payload(
        campaign_id="senen-2024", first_day=day, last_day=day, accepts_until="2999-12-31"
    )
    assert edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
    return {"campaign_id": "senen-2024", "captured_at": now.isoformat(timespec="seconds")}


def register_today(edge: Edge, today: dict[str, Any], *, caller: str = "kiosk anywhere") -> str:
    answer = edge.register(make_capture_payload(**today), caller=caller)
    assert answer.status_code == 201, answer.body
    reference: str = answer.json_body["reference"]
    return reference


def test_the_officer_of_the_capturing_device_corrects_on_the_same_day_until_payment(
    edge: Edge, today: dict[str, Any]
) -> None:
    reference = register_today(edge, today)

    assert correct(edge, reference, {"phone": OTHER_PHONE}, caller="kiosk anywhere").status_code == 200
    other = correct(edge, reference, {"name": "Mawar"}, number=2, caller="kiosk elsewhere")
    assert_problem(other, 403, "correction_not_allowed")
    report_event(edge, "payment", reference, {**PAYMENT, "paid_at": today["captured_at"]})
    late = correct(edge, reference, {"name": "Mawar"}, number=3, caller="kiosk anywhere")
    assert_problem(late, 403, "correction_not_allowed")


def test_on_another_day_the_officer_asks_the_branch_office(edge: Edge) -> None:
    reference = register_worker(edge)

    refused = correct(edge, reference, {"phone": OTHER_PHONE}, caller="kiosk")

    assert_problem(refused, 403, "correction_not_allowed")


def test_a_manager_of_another_campaign_corrects_and_reads_nothing(edge: Edge, today: dict[str, Any]) -> None:
    reference = register_today(edge, today)
    path = f"/v1/registrations/{reference}/corrections"

    assert_problem(
        correct(edge, reference, {"name": "Mawar"}, caller="manager here"), 404, "registration_unknown"
    )
    assert_problem(edge.send("GET", path, caller="manager here"), 404, "registration_unknown")


INVALID: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a NIK too short": ({"nik": "317107"}, [("fields.nik", "nik_length")]),
    "a wrong phone in its group": (
        {"worker": {"phone": "021"}},
        [("fields.worker.phone", "phone_malformed")],
    ),
    "a child": ({"birth_date": "2020-01-01"}, [("fields.birth_date", "age_too_young")]),
    "an unknown field": ({"shoe_size": 43}, [("fields", "field_unknown")]),
    "a field of the consent": ({"consent": {"method": "tick"}}, [("fields", "field_unknown")]),
    "a field twice": ({"name": "A", "worker": {"name": "B"}}, [("fields.worker.name", "field_repeated")]),
    "nothing": ({}, [("fields", "field_missing")]),
    "a wrong type": ({"months": "three"}, [("fields.months", "value_not_allowed")]),
    "no name": ({"name": None}, [("fields.name", "value_wrong_type")]),
    "an unknown sponsor": (
        {"payer": "sponsor", "sponsor_id": "nobody"},
        [("fields.sponsor_id", "sponsor_unknown")],
    ),
    "an unknown occupation": (
        {"occupations": ["astronaut"]},
        [("fields.occupations.0", "occupation_unknown")],
    ),
    "what breaks another field": ({"employs_others": True}, [("fields.coverage.programmes", "jht_required")]),
}


@pytest.mark.parametrize(("fields", "errors"), INVALID.values(), ids=INVALID)
def test_a_correction_is_judged_by_the_rules_of_intake(
    edge: Edge, fields: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    reference = register_worker(edge)

    problem = assert_problem(correct(edge, reference, fields), 422, "rules_broken")

    assert [(each["field"], each["code"]) for each in problem["errors"]] == errors
    assert list_events(show(edge, reference)) == ["registered"]


@pytest.mark.parametrize("reason", ["HP lama 0812 3456 7890", "NIK 3171075204850001", "   "])
def test_a_reason_has_words_and_no_number_of_a_person(edge: Edge, reason: str) -> None:
    reference = register_worker(edge)

    problem = assert_problem(correct(edge, reference, {"name": "Mawar"}, reason=reason), 422, "rules_broken")

    assert [each["field"] for each in problem["errors"]] == ["reason"]


def test_a_registration_moves_to_the_right_nik_with_its_captures(edge: Edge) -> None:
    reference = register_worker(edge)
    edge.register(make_capture_payload(capture_id=make_capture_id(50)))

    assert correct(edge, reference, {"nik": make_nik(7555)}).status_code == 200

    right = edge.register(
        make_capture_payload(capture_id=make_capture_id(51), worker={"nik": make_nik(7555)})
    ).json_body
    wrong = edge.register(make_capture_payload(capture_id=make_capture_id(52))).json_body
    assert (right["outcome"], right["reference"]) == ("already_registered", reference)
    assert wrong["outcome"] == "created"
    disclosed = disclose(edge, make_nik(7555))
    assert [each["reference"] for each in disclosed["registrations"]] == [reference]
    assert len(disclosed["captures"]) == 3
    assert [each["reference"] for each in disclose(edge, make_nik(7001), 901)["registrations"]] == [
        wrong["reference"]
    ]


def test_a_registration_does_not_move_to_a_nik_that_has_one(edge: Edge) -> None:
    reference, other = register_worker(edge), register_worker(edge, 2)

    refused = correct(edge, reference, {"nik": make_nik(7002)})

    problem = assert_problem(refused, 409, "nik_registered")
    assert other not in json.dumps(problem)
    assert list_events(show(edge, reference)) == ["registered"]


def test_asking_by_corrections_who_is_registered_counts_against_the_daily_cap(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = register_worker(edge)
    register_worker(edge, 2)
    monkeypatch.setenv("DAFTAR_BOT_DAILY_FLAG", "1")
    monkeypatch.setenv("DAFTAR_BOT_DAILY_CAP", "2")
    edge.restart()

    answers = [correct(edge, reference, {"nik": make_nik(7002)}, number=each) for each in (1, 2, 3)]

    assert [each.json_body["code"] for each in answers] == [
        "nik_registered",
        "nik_registered",
        "client_cap_reached",
    ]


def test_values_before_are_in_the_disclosure_and_in_no_view(edge: Edge, log_output: LogOutput) -> None:
    reference = register_worker(edge)
    answer = correct(edge, reference, {"phone": OTHER_PHONE, "nik": make_nik(7555), "name": "Mawar"})

    views = [
        answer.json_body,
        show(edge, reference),
        show(edge, reference, caller="manager"),
        edge.send("GET", f"/v1/registrations/{reference}/corrections", caller="core").json_body,
        edge.send("GET", f"/v1/audit?subject=registration:{reference}", caller="admin").json_body,
    ]
    for value in ("82455507001", make_nik(7001), "Melati"):
        assert value not in json.dumps(views)
        assert value not in log_output.text
    stored = json.dumps(
        [list_stored_items(table) for table in ("RegistrationsTable", "AuditTable")], default=bytes.hex
    )
    for value in ("82455507", make_nik(7001), make_nik(7555), "Melati", "Mawar", REASON):
        assert value not in stored
    (registration,) = disclose(edge, make_nik(7555))["registrations"]
    (correction,) = registration["corrections"]
    assert correction["before"] == {
        "worker.nik": make_nik(7001),
        "worker.name": "Melati Kusumawati",
        "worker.phone": "+6282455507001",
    }


def test_a_correction_is_in_the_trail_in_the_same_transaction(edge: Edge) -> None:
    reference = register_worker(edge)
    correct(edge, reference, {"phone": OTHER_PHONE})

    page = edge.send("GET", f"/v1/audit?subject=registration:{reference}", caller="admin").json_body

    assert [(each["action"], each["client_id"]) for each in page["records"]] == [
        ("corrected", "branch-office"),
        ("read", "branch-office"),
    ]


def test_the_day_counts_again_and_says_so(edge: Edge) -> None:
    reference = register_worker(edge)
    edge.send("POST", DAY, caller="manager")
    correct(edge, reference, {"occupations": ["ojek_driver"], "phone": None, "months": 6})

    summary = edge.send("POST", DAY, caller="manager").json_body

    assert summary["version"] == 2
    assert summary["by_occupation"] == {"ojek_driver": 1}
    assert summary["money"]["quoted"] == 196_800
    assert summary["texts"]["without_phone"] == 1
    assert summary["corrections"] == {"total": 1}
    assert {"figure": "corrections.total", "was": 0, "now": 1} in summary["changes"]
