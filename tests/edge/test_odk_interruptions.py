"""A phone with ODK Collect on a bad network: nothing is lost, nothing registers twice."""

from collections.abc import Callable, Mapping
from random import Random

import pytest

from tests.edge.conftest import Edge
from tests.support.collect_phone import CollectPhone, PhoneError, Reply
from tests.support.odk_edge import TANAH_ABANG, EdgeTransport, Field, make_phone
from tests.support.odk_instances import make_instance_id
from tests.support.payloads import make_capture_payload, make_nik
from tests.support.payloads import make_phone as make_phone_number

ATTEMPTS = 20
SIGN_IN_PAGE = b"<html><body>Welcome to Free WiFi</body></html>"

Interrupt = Callable[[Random, Reply | None], Reply | None]
"""Takes a reply once there is one. Returns another one to show, or None; raises ConnectionError for a cut."""


class BadNetwork:
    """Passes requests on, but cuts some before they arrive, and some between the work and the answer."""

    def __init__(self, edge: Edge, interrupt: Interrupt) -> None:
        self._transport = EdgeTransport(edge)
        self._interrupt = interrupt
        self._random = Random(17)  # noqa: S311 - the same cuts every time

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        instead = self._interrupt(self._random, None)
        if instead is not None:
            return instead
        reply = self._transport(method, url, headers, body)
        return self._interrupt(self._random, reply) or reply


def make_cuts(*, before: float, after: float) -> Interrupt:
    """Return a network that cuts these shares of requests."""

    def cut(random: Random, reply: Reply | None) -> None:
        if random.random() < (before if reply is None else after):
            raise ConnectionError("the connection was cut")

    return cut


def show_sign_in_page(random: Random, reply: Reply | None) -> Reply | None:
    is_caught = reply is None and random.random() < 0.3
    return Reply(200, {"content-type": "text/html"}, SIGN_IN_PAGE) if is_caught else None


NETWORKS: dict[str, Interrupt] = {
    "cut before requests arrive": make_cuts(before=0.4, after=0),
    "cut after they were done": make_cuts(before=0, after=0.4),
    "cut now and then": make_cuts(before=0.2, after=0.2),
    "a network that asks to sign in": show_sign_in_page,
}


def fill_forms(field: Field, count: int) -> list[str]:
    workers = [{"nik": make_nik(8000 + n), "phone": make_phone_number(8000 + n)} for n in range(count)]
    return [field.fill(capture=make_capture_payload(worker=worker)) for worker in workers]


def send_until_done(phone: CollectPhone) -> None:
    for _ in range(ATTEMPTS):
        phone.send_all()
        if all(instance.is_sent for instance in phone.instances):
            return
    raise AssertionError([instance.message for instance in phone.instances if not instance.is_sent])


@pytest.mark.parametrize("network", NETWORKS)
def test_each_form_registers_once_over_a_bad_network(edge: Edge, network: str) -> None:
    field = Field(edge)
    phone = CollectPhone(make_phone(edge).server_url, BadNetwork(edge, NETWORKS[network]))
    for xml in fill_forms(field, 5):
        phone.finalize(xml, {"photo.jpg": b"\xff\xd8" * 1000})

    send_until_done(phone)

    assert len(field.list_registrations()) == 5


def test_a_sign_in_page_is_never_taken_for_success_or_for_forms(edge: Edge) -> None:
    field = Field(edge)
    reply = Reply(200, {"content-type": "text/html"}, SIGN_IN_PAGE)
    phone = CollectPhone(make_phone(edge).server_url, lambda *request: reply)
    instance = phone.finalize(field.fill())

    phone.send_all()
    with pytest.raises(PhoneError):
        phone.refresh_forms()

    assert not instance.is_sent
    assert field.list_registrations() == []


def test_a_revoked_phone_keeps_its_forms_and_sends_them_after_a_new_code(edge: Edge) -> None:
    field = Field(edge)
    edge.enrol("lost", {"client_id": "van-7", "roles": ["kiosk"]})
    phone = make_phone(edge, "lost")
    instance = phone.finalize(field.fill())
    edge.container.clients.revoke("van-7")
    phone.send_all()
    assert [each.is_sent for each in phone.instances] == [False]
    assert "Minta kode QR baru" in instance.message

    phone.server_url = make_phone(edge).server_url
    phone.send_all()
    assert [each.is_sent for each in phone.instances] == [True]
    assert len(field.list_registrations()) == 1


def test_the_whole_life_of_a_refused_form_over_a_bad_network(edge: Edge) -> None:
    """Refused, edited on the phone as Collect does (a copy with a new id), and sent beside the first one."""
    field = Field(edge)
    first_id = make_instance_id()
    network = BadNetwork(edge, NETWORKS["cut now and then"])
    phone = CollectPhone(make_phone(edge).server_url, network)
    refused = phone.finalize(field.fill(instance_id=first_id, worker__phone="021-3456789"))
    for _ in range(ATTEMPTS):
        phone.send_all()
    assert not refused.is_sent

    edited = phone.finalize(field.fill(deprecated_id=first_id))
    for _ in range(ATTEMPTS):
        phone.send_all()

    assert edited.is_sent
    assert not refused.is_sent  # Collect sends both, in order: the first one stays what it was.
    assert len(field.list_registrations()) == 1
    path = f"/v1/campaigns/{TANAH_ABANG}/summaries/2024-10-09"
    counts = edge.send("POST", path, caller="manager").json_body["counts"]
    assert (counts["created"], counts["refused"]) == (1, 0)
