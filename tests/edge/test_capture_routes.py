"""What became of a capture, and the record of a known worker whom a device of another campaign has met."""

from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.callers import Role
from chalicelib.campaigns.model import Campaign
from tests.edge.conftest import FAR_FUTURE, Edge, assert_problem, dump_stored_state
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

SENEN: dict[str, Any] = {"campaign_id": "senen-2024"}


def make_capture(number: int = 1, *, worker_number: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return another capture for each `number`; of another worker, unless `worker_number` is the same."""
    serial = 7000 + (number if worker_number is None else worker_number)
    worker = {"nik": make_nik(serial), "phone": f"0824-5551-{serial}"}
    return make_capture_payload(**{"capture_id": make_capture_id(number), "worker": worker, **changes})


def show(edge: Edge, number: int = 1, *, caller: str = "kiosk") -> HTTPResponse:
    return edge.send("GET", f"/v1/captures/{make_capture_id(number)}", caller=caller)


@pytest.fixture
def senen(edge: Edge) -> str:
    """Open another campaign, in which `kiosk elsewhere` works."""
    campaign = make_campaign_payload(campaign_id="senen-2024", accepts_until=FAR_FUTURE)
    edge.container.campaigns.open(Campaign.model_validate(campaign))
    return "kiosk elsewhere"


# The verdict


@pytest.mark.parametrize("caller", ["kiosk", "manager", "manager here"])
def test_an_officer_gets_the_first_answer_and_the_registration_as_it_is_now(edge: Edge, caller: str) -> None:
    first_answer = edge.register(make_capture()).json_body
    path = f"/v1/registrations/{first_answer['reference']}"
    edge.send("POST", f"{path}/cancellation", {"reason": "worker_request"})

    shown = show(edge, caller=caller).json_body

    registration = shown.pop("registration")
    assert shown == first_answer
    assert registration == edge.send("GET", path, caller=caller).json_body
    assert (shown["status"], registration["status"]) == ("received", "cancelled")


def test_a_repeat_is_reported_with_the_registration_that_it_met(edge: Edge) -> None:
    reference = edge.register(make_capture(1)).json_body["reference"]
    edge.register(make_capture(2, worker_number=1))

    shown = show(edge, 2).json_body

    assert (shown["outcome"], shown["reference"]) == ("already_registered", reference)
    assert shown["registration"]["reference"] == reference


def test_a_repeat_is_reported_with_the_fields_in_which_it_differs(edge: Edge) -> None:
    edge.register(make_capture(1))
    worker = {**make_capture(2, worker_number=1)["worker"], "name": "Bagas Wirawan"}
    first_answer = edge.register(make_capture(2, worker=worker)).json_body

    shown = show(edge, 2).json_body

    assert (shown["differs"], first_answer["differs"]) == (["name"], ["name"])


def test_a_refused_capture_is_reported_with_its_reasons(edge: Edge) -> None:
    assert edge.register(make_capture(worker={"nik": "1"})).status_code == 422

    shown = show(edge).json_body

    assert (shown["outcome"], shown["reasons"]) == ("refused", ["nik_length"])
    assert set(shown) == {"capture_id", "outcome", "reasons", "received_at"}


def test_a_corrected_capture_is_reported_as_accepted(edge: Edge) -> None:
    edge.register(make_capture(worker={"nik": "1"}))
    edge.register(make_capture())

    shown = show(edge).json_body

    assert shown["outcome"] == "created"
    assert "reasons" not in shown


def test_asking_stores_nothing_but_the_record_of_it(edge: Edge) -> None:
    edge.register(make_capture())
    before = dump_stored_state(without="AuditTable")

    show(edge)

    assert dump_stored_state(without="AuditTable") == before


@pytest.mark.parametrize("spelling", [str.upper, lambda each: each.replace("-", "")])
def test_a_capture_is_found_by_any_spelling_of_its_id(edge: Edge, spelling: Any) -> None:
    edge.register(make_capture())
    response = edge.send("GET", f"/v1/captures/{spelling(make_capture_id())}")
    assert response.json_body["capture_id"] == make_capture_id()


# Who may ask


@pytest.mark.parametrize("caller", ["kiosk anywhere", "kiosk elsewhere", "bot", "manager elsewhere"])
def test_a_capture_of_others_is_answered_like_one_that_never_was(edge: Edge, caller: str) -> None:
    edge.enrol(
        "manager elsewhere", {"client_id": "manager-2", "roles": [Role.MANAGER], "campaigns": ["senen-2024"]}
    )
    edge.register(make_capture())

    refused = show(edge, caller=caller)

    assert_problem(refused, 404, "capture_unknown")
    for unknown in (make_capture_id(99), "7K4-M2Q-X9P", "%00", "1" * 300):
        response = edge.send("GET", f"/v1/captures/{unknown}", caller=caller)
        assert (response.status_code, response.body) == (404, refused.body)


def test_a_client_may_ask_for_its_captures_of_every_campaign(edge: Edge, senen: str) -> None:
    edge.register(make_capture(**SENEN), caller="kiosk anywhere")
    assert show(edge, caller="kiosk anywhere").json_body["registration"]["campaign_id"] == "senen-2024"


def test_the_capture_of_a_bot_is_shown_to_managers_in_full(edge: Edge) -> None:
    edge.register(make_capture(), caller="bot")
    assert show(edge, caller="manager").json_body["registration"]["channel"] == "bot"


# The public


def test_a_bot_learns_only_that_its_capture_was_accepted_or_why_it_was_refused(edge: Edge) -> None:
    edge.register(make_capture(1), caller="bot")
    edge.register(make_capture(2, worker={"nik": "1"}), caller="bot")

    accepted, refused = (show(edge, number, caller="bot").json_body for number in (1, 2))

    assert accepted == {"capture_id": make_capture_id(1), "outcome": "accepted"}
    assert refused.pop("received_at")
    assert refused == {"capture_id": make_capture_id(2), "outcome": "refused", "reasons": ["nik_length"]}


def test_a_bot_gets_one_answer_for_new_known_and_erased_workers(edge: Edge) -> None:
    edge.register(make_capture(1), caller="bot")
    edge.register(make_capture(2))
    edge.register(make_capture(3, worker_number=2), caller="bot")
    edge.register(make_capture(4), caller="bot")
    erasure = {"request_id": make_capture_id(80), "nik": make_nik(7004), "reason": "worker_request"}
    assert edge.send("POST", "/v1/erasures", erasure, caller="admin").status_code < 300

    new, known, erased = (show(edge, number, caller="bot") for number in (1, 3, 4))

    for response, number in ((known, 3), (erased, 4)):
        assert response.status_code == new.status_code == 200
        assert response.json_body == {**new.json_body, "capture_id": make_capture_id(number)}
        assert len(response.body) == len(new.body)


def test_an_officer_learns_that_a_capture_was_erased_and_nobody_else_that_it_was(edge: Edge) -> None:
    edge.register(make_capture())
    erasure = {"request_id": make_capture_id(80), "nik": make_nik(7001), "reason": "worker_request"}
    edge.send("POST", "/v1/erasures", erasure, caller="admin")

    for caller in ("kiosk", "manager"):
        assert_problem(show(edge, caller=caller), 410, "capture_forgotten")
    for caller in ("kiosk anywhere", "bot"):
        assert_problem(show(edge, caller=caller), 404, "capture_unknown")


# A worker of another campaign


@pytest.fixture
def met(edge: Edge, senen: str) -> str:
    """Return the reference of a worker of Tanah Abang whom the van of Senen has met."""
    reference: str = edge.register(make_capture(1)).json_body["reference"]
    repeat = edge.register(make_capture(2, worker_number=1, **SENEN), caller=senen).json_body
    assert (repeat["outcome"], repeat["reference"]) == ("already_registered", reference)
    return reference


def test_a_device_sees_the_masked_record_of_a_worker_it_has_just_met(edge: Edge, met: str) -> None:
    by_reference = edge.send("GET", f"/v1/registrations/{met}", caller="kiosk elsewhere").json_body
    by_capture = show(edge, 2, caller="kiosk elsewhere").json_body["registration"]

    masked = edge.send("GET", f"/v1/registrations/{met}", caller="kiosk").json_body
    assert by_reference == by_capture == masked
    assert make_nik(7001) not in str(by_reference)
    assert by_reference["campaign_id"] == "tanah-abang-2024"


def test_another_device_of_its_campaign_does_not_see_it(edge: Edge, met: str) -> None:
    edge.enrol("other van", {"client_id": "senen-2", "roles": [Role.KIOSK], "campaigns": ["senen-2024"]})
    edge.enrol("manager", {"client_id": "manager-2", "roles": [Role.MANAGER], "campaigns": ["senen-2024"]})

    for caller in ("other van", "manager"):
        assert_problem(
            edge.send("GET", f"/v1/registrations/{met}", caller=caller), 404, "registration_unknown"
        )
    # The manager sees what became of the capture of its campaign, without the record.
    shown = show(edge, 2, caller="manager").json_body
    assert (shown["outcome"], shown["reference"]) == ("already_registered", met)
    assert "registration" not in shown


def test_the_device_does_not_see_other_workers_of_that_campaign(edge: Edge, met: str) -> None:
    other = edge.register(make_capture(5)).json_body["reference"]
    response = edge.send("GET", f"/v1/registrations/{other}", caller="kiosk elsewhere")
    assert_problem(response, 404, "registration_unknown")


def test_the_device_may_see_the_record_and_not_change_it(edge: Edge, met: str) -> None:
    before = dump_stored_state()

    path = f"/v1/registrations/{met}/cancellation"
    response = edge.send("POST", path, {"reason": "other"}, caller="kiosk elsewhere")

    assert_problem(response, 404, "registration_unknown")
    assert dump_stored_state() == before


def test_the_device_sees_the_record_masked_even_if_it_is_core_elsewhere(edge: Edge, senen: str) -> None:
    roles = [Role.KIOSK, Role.CORE]
    edge.enrol_unchecked("kiosk and core", {"client_id": "kc", "roles": roles, "campaigns": ["senen-2024"]})
    reference = edge.register(make_capture(1)).json_body["reference"]
    edge.register(make_capture(2, worker_number=1, **SENEN), caller="kiosk and core")

    shown = edge.send("GET", f"/v1/registrations/{reference}", caller="kiosk and core").json_body

    assert make_nik(7001) not in str(shown)
    assert "birth_date" not in shown["worker"]


def test_an_earlier_registration_of_the_worker_stays_hidden(edge: Edge, senen: str) -> None:
    earlier = edge.register(make_capture(1)).json_body["reference"]
    edge.send("POST", f"/v1/registrations/{earlier}/cancellation", {"reason": "worker_request"})
    edge.register(make_capture(2, worker_number=1))
    edge.register(make_capture(3, worker_number=1, **SENEN), caller=senen)

    response = edge.send("GET", f"/v1/registrations/{earlier}", caller=senen)

    assert_problem(response, 404, "registration_unknown")


def test_after_an_erasure_the_device_sees_nothing(edge: Edge, met: str) -> None:
    erasure = {"request_id": make_capture_id(80), "nik": make_nik(7001), "reason": "worker_request"}
    edge.send("POST", "/v1/erasures", erasure, caller="admin")

    response = edge.send("GET", f"/v1/registrations/{met}", caller="kiosk elsewhere")

    assert_problem(response, 404, "registration_unknown")
