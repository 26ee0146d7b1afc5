"""The Twilio-compatible gateway against the stand-in, and the stand-in against Twilio's own SDK."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from chalicelib.messaging.errors import (
    AccountFailure,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import OutgoingSms
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.twilio import TwilioAccount, TwilioGateway
from chalicelib.registrations.phone import Phone
from ops.fake_sms.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.support.fake_gateway import run_fake_gateway

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
MESSAGE = SmsId("0123456789abcdef0123456789abcdef")
OURS = TwilioAccount(ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture
def fake_gateway_url(tmp_path: Path) -> Iterator[str]:
    with run_fake_gateway(tmp_path / "sms.jsonl") as url:
        httpx.post(f"{url}/receipts", json={"order": "never"}).raise_for_status()
        yield url


def a_gateway(url: str, account: TwilioAccount = OURS) -> TwilioGateway:
    return TwilioGateway(
        url=url,
        get_account=lambda: account,
        originator="BPJAMSOSTEK",
        public_url="https://api.daftar.example/api",
        clock=lambda: NOW,
    )


def outgoing(**changes: Any) -> OutgoingSms:
    return OutgoingSms(
        **{
            "phone": Phone("+6282455507001"),
            "body": "BPJAMSOSTEK: Halo",
            "sms_id": MESSAGE,
            "correlation_id": "c0ffee00",
            "parts": 1,
            "deadline": NOW + timedelta(hours=1),
            "purpose": "received",
            "campaign_id": "tanah-abang-2024",
            **changes,
        }
    )


def accepted(url: str) -> list[dict[str, Any]]:
    return httpx.get(f"{url}/messages").json()


def test_text_is_handed_over_with_its_id_in_the_callback_url(fake_gateway_url: str) -> None:
    sent = a_gateway(fake_gateway_url).send(outgoing())
    [text] = accepted(fake_gateway_url)
    assert (sent.gateway, sent.gateway_id) == ("twilio", text["message_id"])
    assert (text["to"], text["text"], text["sender"]) == (
        "+6282455507001",
        "BPJAMSOSTEK: Halo",
        "BPJAMSOSTEK",
    )
    assert text["context"] == {"sms_id": MESSAGE}


def test_base_url_may_have_a_path_of_its_own(fake_gateway_url: str) -> None:
    with pytest.raises(OutcomeUnknown):
        # The stand-in answers in AWS's terms there: whoever that was, it was not Twilio.
        a_gateway(f"{fake_gateway_url}/compatible/").send(outgoing())
    assert a_gateway(f"{fake_gateway_url}/").send(outgoing())


@pytest.mark.parametrize(
    ("mode", "error", "reason"),
    [
        ("throttle", TransientFailure, "20429"),
        ("server_error", TransientFailure, "20500"),
        ("reject", PermanentFailure, "21612"),
        ("opted_out", PermanentFailure, "21610"),
        ("spend_limit", AccountFailure, "20005"),
        ("timeout_after_accept", OutcomeUnknown, "RemoteDisconnected"),
        ("timeout_before_accept", OutcomeUnknown, "RemoteDisconnected"),
    ],
)
def test_each_refusal_says_what_to_do_next(
    mode: str, error: type[GatewayError], reason: str, fake_gateway_url: str
) -> None:
    httpx.post(f"{fake_gateway_url}/faults", json={"mode": mode, "seconds": 0}).raise_for_status()
    with pytest.raises(error) as refused:
        a_gateway(fake_gateway_url).send(outgoing())
    assert (refused.value.reason, refused.value.gateway) == (reason, "twilio")
    assert getattr(refused.value, "opted_out", False) is (mode == "opted_out")


@pytest.mark.parametrize(
    ("account", "reason"),
    [(TwilioAccount(ACCOUNT_SID, "wrong"), "20003"), (TwilioAccount("AC1", AUTH_TOKEN), "20003")],
    ids=["token", "account"],
)
def test_bad_credentials_stop_everything(account: TwilioAccount, reason: str, fake_gateway_url: str) -> None:
    with pytest.raises(AccountFailure, match=reason):
        a_gateway(fake_gateway_url, account).send(outgoing())


def test_gateway_that_cannot_be_reached_was_surely_not_asked() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
    with pytest.raises(TransientFailure):
        a_gateway(url).send(outgoing())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", OutcomeUnknown),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]", OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html", OutcomeUnknown),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{", OutcomeUnknown),
        (b"nonsense\r\n\r\n", OutcomeUnknown),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", OutcomeUnknown),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", AccountFailure),
        (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", TransientFailure),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", OutcomeUnknown),
    ],
    ids=["no id", "no object", "a page", "cut off", "no HTTP", "400", "404", "429", "503"],
)
def test_whatever_answers_instead_is_classed_with_care(answer: bytes, error: type[GatewayError]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(error):
            a_gateway(f"http://127.0.0.1:{server.getsockname()[1]}").send(outgoing())
        thread.join()


@pytest.mark.parametrize(
    ("left", "asked"), [(timedelta(minutes=5), "300"), (timedelta(days=2), "36000"), (timedelta(0), "1")]
)
def test_text_is_worth_as_long_as_its_deadline(left: timedelta, asked: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while b"StatusCallback=" not in b"".join(heard):
                    heard.append(connection.recv(65_536))

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(OutcomeUnknown):
            a_gateway(f"http://127.0.0.1:{server.getsockname()[1]}").send(outgoing(deadline=NOW + left))
        thread.join()
    assert f"ValidityPeriod={asked}&".encode() in b"".join(heard)


def test_account_that_cannot_be_looked_up_now_sent_nothing() -> None:
    def away() -> TwilioAccount:
        raise EndpointConnectionError(endpoint_url="secrets")

    gateway = TwilioGateway(
        url="http://127.0.0.1:9", get_account=away, originator="X", public_url="https://x", clock=lambda: NOW
    )
    with pytest.raises(TransientFailure, match="EndpointConnectionError"):
        gateway.send(outgoing())


def test_account_shows_its_token_to_nobody() -> None:
    assert AUTH_TOKEN not in repr(OURS)


class Redirected(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's HTTP client, with another host in place of Twilio's."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        """Ask the stand-in."""
        return super().request(method, self._url + urlsplit(url).path, *rest, **more)


def test_twilios_own_sdk_sends_through_the_stand_in(fake_gateway_url: str) -> None:
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=Redirected(fake_gateway_url))
    message = client.messages.create(
        to="+6282455507001", from_="BPJAMSOSTEK", body="Halo", validity_period=60
    )
    assert (message.status, message.num_segments, message.error_code) == ("queued", "1", None)
    assert message.date_created is not None
    assert [text["message_id"] for text in accepted(fake_gateway_url)] == [message.sid]


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [("opted_out", 400, 21610), ("throttle", 429, 20429), ("spend_limit", 403, 20005)],
)
def test_twilios_own_sdk_reads_the_stand_ins_refusals(
    mode: str, status: int, code: int, fake_gateway_url: str
) -> None:
    httpx.post(f"{fake_gateway_url}/faults", json={"mode": mode}).raise_for_status()
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=Redirected(fake_gateway_url))
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(to="+6282455507001", from_="BPJAMSOSTEK", body="Halo")
    assert (refused.value.status, refused.value.code) == (status, code)
