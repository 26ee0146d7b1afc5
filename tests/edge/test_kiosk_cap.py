"""A kiosk that sends too much at once: what is over its cap is refused, and taken a minute later."""

from datetime import timedelta

import pytest

from chalicelib.callers import DeviceMode
from chalicelib.clock import utc_now
from tests.edge.conftest import Edge, assert_problem
from tests.support.fakes.clock import FixedClock
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

CAP = 3
BATCH = "/v1/registrations/batch"


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands in the middle of a minute of today."""
    return FixedClock(utc_now().replace(second=30, microsecond=0))


@pytest.fixture
def kiosk(edge: Edge, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """Return the stage with an unattended kiosk, and a cap of three a minute."""
    monkeypatch.setenv("DAFTAR_KIOSK_MINUTE_CAP", str(CAP))
    edge.restart()
    edge.container.clock = clock
    made = edge.send("POST", "/v1/clients/van-1/enrolment-codes", {"mode": "kiosk"}, caller="manager here")
    exchanged = edge.send("POST", "/v1/enrolments", {"code": made.json_body["code"]}, caller=None)
    assert exchanged.json_body["mode"] == DeviceMode.KIOSK
    edge.tokens["unattended"] = exchanged.json_body["token"]
    return edge


def make_items(first: int, last: int) -> list[dict[str, object]]:
    return [
        make_capture_payload(
            capture_id=make_capture_id(number),
            worker={"nik": make_nik(7000 + number), "phone": f"0824-5551-{1000 + number}"},
        )
        for number in range(first, last + 1)
    ]


def test_a_kiosks_batch_is_taken_in_up_to_its_cap_and_the_rest_a_minute_later(
    kiosk: Edge, clock: FixedClock
) -> None:
    items = make_items(1, 5)
    results = kiosk.send("POST", BATCH, {"items": items}, caller="unattended").json_body["results"]
    assert [each["capture_id"] for each in results] == [each["capture_id"] for each in items]
    assert [each["outcome"] for each in results] == ["created"] * CAP + ["capped"] * 2
    assert {each["problem"]["code"] for each in results[CAP:]} == {"kiosk_cap_reached"}

    clock.advance(timedelta(minutes=1))
    later = kiosk.send("POST", BATCH, {"items": items[CAP:]}, caller="unattended").json_body["results"]
    assert [each["outcome"] for each in later] == ["created"] * 2


def test_a_kiosks_single_capture_over_its_cap_says_when_to_send_it_again(kiosk: Edge) -> None:
    *few, one_more = make_items(1, CAP + 1)
    for item in few:
        assert kiosk.register(item, caller="unattended").status_code == 201
    refused = kiosk.register(one_more, caller="unattended")
    assert_problem(refused, 429, "kiosk_cap_reached")
    assert refused.headers["Retry-After"] == "30"


def test_an_officers_device_has_no_cap_a_minute(kiosk: Edge) -> None:
    results = kiosk.send("POST", BATCH, {"items": make_items(1, CAP + 2)}).json_body["results"]
    assert [each["outcome"] for each in results] == ["created"] * (CAP + 2)


def test_a_kiosk_knows_its_cap_while_it_is_offline(kiosk: Edge) -> None:
    bundle = kiosk.send("GET", "/v1/campaigns/tanah-abang-2024/bundle", caller="unattended").json_body
    assert bundle["limits"]["kiosk_captures_a_minute"] == CAP
