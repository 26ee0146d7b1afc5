"""ODK Collect against the deployed stack: forms, submissions with photos, refusals, no token in a log."""

import json
import os
import time
import zlib
from base64 import b64decode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import quantiles
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner

from ops.cli import main
from tests.support.collect_phone import CollectPhone, Reply, make_multipart
from tests.support.isolated_campaign import DAY, Market, open_market
from tests.support.link import run_link
from tests.support.odk_instances import make_instance
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

PHONES = 20
FORMS_OF_A_PHONE = int(os.environ.get("DAFTAR_TEST_FORMS_OF_A_PHONE", "3"))


def send(method: str, url: str, headers: Mapping[str, str], body: bytes, *, timeout: float = 30) -> Reply:
    try:
        answer = httpx.request(method, url, headers=dict(headers), content=body or None, timeout=timeout)
    except httpx.TransportError as error:
        # A phone shows it and tries again later.
        raise ConnectionError(str(error)) from error
    return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


@pytest.fixture
def market(stack: RunningStack) -> Market:
    return open_market(stack)


@pytest.fixture
def phone(stack: RunningStack, market: Market) -> CollectPhone:
    """A phone that works for one campaign, and so loads one form."""
    client = {
        "client_id": f"phone-{market.campaign_id}",
        "roles": ["kiosk"],
        "campaigns": [market.campaign_id],
    }
    token = stack.send("admin", "POST", "/v1/clients", client).json()["token"]
    phone = CollectPhone(f"{stack.description.odk_url.rpartition('/')[0]}/{token}", send)
    phone.refresh_forms()
    assert market.campaign_id in phone.forms
    return phone


def fill(phone: CollectPhone, market: Market, **answers: str) -> tuple[str, str]:
    """Return the id of a capture, and the form that it was taken with."""
    capture_id = str(uuid4())
    version = phone.forms[market.campaign_id].version
    xml = make_instance(version, market.make_capture_payload(), instance_id=f"uuid:{capture_id}", **answers)
    return capture_id, xml


def test_a_form_with_photos_registers_its_worker_and_the_worker_gets_an_sms(
    stack: RunningStack, market: Market, phone: CollectPhone
) -> None:
    capture_id, xml = fill(phone, market)
    # Bytes that are no text, in two requests.
    photo = bytes(range(256)) * 8_000
    instance = phone.finalize(xml, {"a.jpg": photo, "b.jpg": photo})
    phone.send_all()

    assert instance.is_sent, instance.message
    assert [method for method, url in phone.requests if url.endswith("/submission")] == [
        "HEAD",
        "POST",
        "POST",
    ]
    found = stack.send("manager", "GET", f"/v1/captures/{capture_id}").json()
    assert found["outcome"] == "created"
    assert market.await_sms(found["registration"]["reference"])
    assert market.get_summary(DAY) is not None


def test_over_a_link_that_is_cut_and_loses_answers_each_form_registers_once(
    stack: RunningStack, market: Market, phone: CollectPhone
) -> None:
    sent = [fill(phone, market) for _ in range(6)]
    with run_link(stack.local_stack.port) as link:
        own_url = phone.server_url.replace(f":{stack.local_stack.port}/", f":{link.port}/")
        assert own_url != phone.server_url
        sender = CollectPhone(own_url, partial(send, timeout=5))
        for number, (_, xml) in enumerate(sent):
            sender.finalize(xml, {"a.jpg": bytes(100_000)})
            link.loses_answers = number % 3 == 0
            link.is_cut = number % 3 == 1
            sender.send_all()
            assert any(not each.is_sent for each in sender.instances) == (number % 3 != 2)
            link.restore()
        sender.send_until_done()

    found = [stack.send("manager", "GET", f"/v1/captures/{capture_id}").json() for capture_id, _ in sent]
    assert [each["outcome"] for each in found] == ["created"] * len(sent)
    listed = stack.send("core", "GET", f"/v1/registrations?campaign_id={market.campaign_id}&day={DAY}")
    assert len(listed.json()["registrations"]) == len(sent)


def test_a_refused_form_stays_on_the_phone_with_the_reason(market: Market, phone: CollectPhone) -> None:
    instance = phone.finalize(fill(phone, market, worker__phone="021-3456789")[1])
    phone.send_all()
    assert not instance.is_sent
    assert "Harus nomor HP, bukan telepon rumah." in instance.message


def test_a_wrong_token_is_403_without_a_challenge(stack: RunningStack, phone: CollectPhone) -> None:
    wrong = stack.description.odk_url.replace(
        stack.description.tokens["kiosk"], stack.description.tokens["bot"]
    )
    for method, path in (
        ("GET", "formList"),
        ("HEAD", "formList"),
        ("HEAD", "submission"),
        ("POST", "submission"),
    ):
        reply = send(method, f"{wrong}/{path}", {"X-OpenRosa-Version": "1.0"}, b"")
        assert reply.status == 403, path
        assert "www-authenticate" not in reply.headers
        assert reply.headers["x-openrosa-version"] == "1.0"


def test_the_token_is_in_no_log_of_the_stack(
    stack: RunningStack, market: Market, phone: CollectPhone
) -> None:
    url = f"{stack.description.odk_url}/submission"
    send("POST", url, {"X-OpenRosa-Version": "1.0", "Content-Type": "text/plain"}, b"\xff\x00")
    body, content_type = make_multipart(fill(phone, market)[1].encode())
    send("POST", url, {"X-OpenRosa-Version": "1.0", "Content-Type": content_type}, body)
    send("GET", f"{stack.description.odk_url}/no-such-route", {}, b"")

    logs = stack.aws_client("logs")
    found = 0
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            for event in page["events"]:
                found += "/odk/{token}/submission" in event["message"]
                assert stack.description.tokens["kiosk"] not in event["message"]
    assert found
    for file in stack.local_stack.directory.rglob("*.log"):
        assert stack.description.tokens["kiosk"] not in file.read_text(errors="replace"), file


def test_an_empty_or_cut_request_is_no_failure_of_ours(
    stack: RunningStack, phone: CollectPhone, market: Market
) -> None:
    url = f"{stack.description.odk_url}/submission"
    body, content_type = make_multipart(fill(phone, market)[1].encode())
    headers = {"X-OpenRosa-Version": "1.0", "Content-Type": content_type}
    for part in (b"", body[:100], body[:-3], json.dumps({}).encode()):
        assert send("POST", url, headers, part).status == 400


def test_a_phone_that_scans_the_code_of_the_command_line_is_the_device(
    stack: RunningStack, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_PORT", str(stack.local_stack.port))
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(stack.local_stack.directory))
    client_id = f"odk-{market.campaign_id}"
    client = {"client_id": client_id, "roles": ["kiosk"], "campaigns": [market.campaign_id]}
    assert stack.send("admin", "POST", "/v1/clients", client).status_code == 201

    shown = CliRunner().invoke(main, ["clients", "enrol-odk", client_id, "--json"])
    settings = json.loads(zlib.decompress(b64decode(json.loads(shown.output)["result"]["odk_qr"])))
    phone = CollectPhone(settings["general"]["server_url"], send)
    phone.refresh_forms()
    capture_id, xml = fill(phone, market)
    instance = phone.finalize(xml)
    phone.send_all()

    assert set(phone.forms) == {market.campaign_id}
    assert instance.is_sent, instance.message
    assert stack.send("manager", "GET", f"/v1/captures/{capture_id}").json()["outcome"] == "created"


def test_twenty_phones_that_send_at_once_lose_nothing(
    stack: RunningStack, market: Market, phone: CollectPhone
) -> None:
    forms = [[fill(phone, market)[1] for _ in range(FORMS_OF_A_PHONE)] for _ in range(PHONES)]
    seconds: list[float] = []

    def send_forms(own: list[str]) -> list[str]:
        sender = CollectPhone(stack.description.odk_url, send)
        for xml in own:
            started = time.monotonic()
            sender.finalize(xml)
            sender.send_until_done()
            seconds.append(time.monotonic() - started)
        return [each.message for each in sender.instances if not each.is_sent]

    with ThreadPoolExecutor(PHONES) as pool:
        failed = [message for messages in pool.map(send_forms, forms) for message in messages]

    print(f"{len(seconds)} forms of {PHONES} phones: p95 {quantiles(seconds, n=20)[-1]:.2f} s")  # noqa: T201 - for -s
    assert failed == []
    listed = stack.send(
        "core", "GET", f"/v1/registrations?campaign_id={market.campaign_id}&day={DAY}&size=200"
    )
    assert len(listed.json()["registrations"]) == min(200, PHONES * FORMS_OF_A_PHONE)
