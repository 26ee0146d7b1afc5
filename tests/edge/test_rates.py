"""The rates of a day by device and officer, and the versions of its summary, over HTTP."""

from typing import Any

from tests.edge.conftest import Edge
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik, make_phone

CAMPAIGN = "/v1/campaigns/tanah-abang-2024"
PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}


def register(edge: Edge, number: int, *, caller: str = "kiosk", **changes: Any) -> str:
    capture = make_capture_payload(
        capture_id=make_capture_id(number),
        worker={"nik": make_nik(100 * number), "phone": make_phone(number)},
        **changes,
    )
    reference: str = edge.register(capture, caller=caller).json_body.get("reference", "")
    return reference


def test_rates_are_of_each_device_and_each_officer(edge: Edge) -> None:
    paid, cancelled = register(edge, 1), register(edge, 2)
    register(edge, 3, officer="ofc-7")
    register(edge, 4, officer=None, caller="bot")
    register(edge, 5, captured_at="2024-10-10T08:00:00+07:00")
    edge.send("POST", f"/v1/registrations/{paid}/payments", PAYMENT, caller="core")
    edge.send("POST", f"/v1/registrations/{cancelled}/cancellation", {"reason": "other"})

    rates = edge.send("GET", f"{CAMPAIGN}/rates?day=2024-10-09", caller="manager here").json_body

    assert rates["clients"] == [
        {"client_id": "van-1", "registered": 2, "paid": 1, "cancelled": 1},
        {"client_id": "whatsapp", "registered": 1, "paid": 0, "cancelled": 0},
    ]
    assert rates["officers"] == [
        {"officer": "ofc-12", "registered": 1, "paid": 1, "cancelled": 1},
        {"officer": "ofc-7", "registered": 1, "paid": 0, "cancelled": 0},
    ]


def test_an_erased_worker_stays_counted(edge: Edge) -> None:
    paid = register(edge, 1)
    edge.send("POST", f"/v1/registrations/{paid}/payments", PAYMENT, caller="core")
    before = edge.send("GET", f"{CAMPAIGN}/rates?day=2024-10-09", caller="manager").json_body
    request = {"request_id": make_capture_id(91), "nik": make_nik(100)}
    edge.send("POST", "/v1/erasures", request, caller="admin")

    after = edge.send("GET", f"{CAMPAIGN}/rates?day=2024-10-09", caller="manager").json_body

    assert before == after
    assert before["clients"] == [{"client_id": "van-1", "registered": 1, "paid": 1, "cancelled": 0}]


def test_the_versions_of_a_day_are_listed_newest_first(edge: Edge) -> None:
    for number in (1, 2, 3):
        register(edge, number)
        edge.send("POST", f"{CAMPAIGN}/summaries/2024-10-09", caller="manager")

    versions = edge.send("GET", f"{CAMPAIGN}/summaries/2024-10-09/versions", caller="viewer").json_body[
        "versions"
    ]

    assert [(each["version"], each["registered"]) for each in versions] == [(3, 3), (2, 2), (1, 1)]
