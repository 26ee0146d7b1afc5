"""The Twilio-compatible gateway against the fake gateway, and that against Twilio's own SDK."""

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
SMS_ID = SmsId("0123456789abcdef0123456789abcdef")
ACCOUNT = TwilioAccount(ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture
def fake_gateway_url(tmp_path: Path) -> Iterator[str]:
    with run_fake_gateway(tmp_path / "sms.jsonl") as url:
        httpx.post(f"{url}/receipts", json={"order": "never"}).raise_for_status()
        yield url


def make_gateway(url: str, account: TwilioAccount = ACCOUNT) -> TwilioGateway:
    return TwilioGateway(
        url=url,
        get_account=lambda: account,
        originator="BPJAMSOSTEK",
        public_url="https://api.daftar.example/api",
        clock=lambda: NOW,
    )


def make_outgoing(**changes: Any) -> OutgoingSms:
    return OutgoingSms(
        **{
            "phone": Phone("+6282455507001"),
            "body": "BPJAMSOSTEK: Halo",
            "sms_id": SMS_ID,
            "correlation_id": "c0ffee00",
            "parts": 1,
            "deadline": NOW + timedelta(hours=1),
            "purpose": "received",
            "campaign_id": "tanah-abang-2024",
            **changes,
        }
    )


def read_accepted(url: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = httpx.get(f"{url}/messages").json()
    return messages


def test_sms_is_sent_with_its_id_in_the_callback_url(fake_gateway_url: str) -> None:
    sent = make_gateway(fake_gateway_url).send(make_outgoing())
    [message] = read_accepted(fake_gateway_url)
    assert (sent.gateway, sent.gateway_id) == ("twilio", message["message_id"])
    assert (message["to"], message["text"], message["sender"]) == (
        "+6282455507001",
        "BPJAMSOSTEK: Halo",
        "BPJAMSOSTEK",
    )
    assert message["context"] == {"sms_id": SMS_ID}


def test_base_url_may_have_a_path_of_its_own(fake_gateway_url: str) -> None:
    with pytest.raises(OutcomeUnknown):
        # The fake gateway answers like AWS there, not like Twilio.
        make_gateway(f"{fake_gateway_url}/compatible/").send(make_outgoing())
    assert make_gateway(f"{fake_gateway_url}/").send(make_outgoing())


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
def test_answers_are_classified_by_their_next_step(
    mode: str, error: type[GatewayError], reason: str, fake_gateway_url: str
) -> None:
    httpx.post(f"{fake_gateway_url}/faults", json={"mode": mode, "seconds": 0}).raise_for_status()
    with pytest.raises(error) as raised:
        make_gateway(fake_gateway_url).send(make_outgoing())
    assert (raised.value.reason, raised.value.gateway) == (reason, "twilio")
    assert getattr(raised.value, "opted_out", False) is (mode == "opted_out")


@pytest.mark.parametrize(
    ("account", "reason"),
    [(TwilioAccount(ACCOUNT_SID, "wrong"), "20003"), (TwilioAccount("AC1", AUTH_TOKEN), "20003")],
    ids=["token", "account"],
)
def test_bad_credentials_are_an_account_failure(
    account: TwilioAccount, reason: str, fake_gateway_url: str
) -> None:
    with pytest.raises(AccountFailure, match=reason):
        make_gateway(fake_gateway_url, account).send(make_outgoing())


def test_failed_connection_is_a_transient_failure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(TransientFailure):
        make_gateway(url).send(make_outgoing())


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
    ids=["no id", "not an object", "HTML", "truncated", "not HTTP", "400", "404", "429", "503"],
)
def test_answers_of_other_servers_are_classified_as_unknown_unless_surely_not_sent(
    answer: bytes, error: type[GatewayError]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(error):
            make_gateway(f"http://127.0.0.1:{server.getsockname()[1]}").send(make_outgoing())
        thread.join()


@pytest.mark.parametrize(
    ("time_left", "validity"),
    [(timedelta(minutes=5), "300"), (timedelta(days=2), "36000"), (timedelta(0), "1")],
)
def test_validity_period_ends_at_the_deadline_within_the_limits_of_twilio(
    time_left: timedelta, validity: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        received: list[bytes] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while b"StatusCallback=" not in b"".join(received):
                    received.append(connection.recv(65_536))

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(OutcomeUnknown):
            make_gateway(f"http://127.0.0.1:{server.getsockname()[1]}").send(
                make_outgoing(deadline=NOW + time_left)
            )
        thread.join()
    assert f"ValidityPeriod={validity}&".encode() in b"".join(received)


def test_failure_to_read_the_account_is_a_transient_failure() -> None:
    def fail() -> TwilioAccount:
        raise EndpointConnectionError(endpoint_url="secrets")

    gateway = TwilioGateway(
        url="http://127.0.0.1:9", get_account=fail, originator="X", public_url="https://x", clock=lambda: NOW
    )
    with pytest.raises(TransientFailure, match="EndpointConnectionError"):
        gateway.send(make_outgoing())


def test_repr_of_the_account_hides_its_token() -> None:
    assert AUTH_TOKEN not in repr(ACCOUNT)


class RedirectedHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's HTTP client with the host of the fake gateway."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        """Send the request to the fake gateway."""
        return super().request(method, self._url + urlsplit(url).path, *rest, **more)


def test_twilio_sdk_sends_through_the_fake_gateway(fake_gateway_url: str) -> None:
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=RedirectedHttpClient(fake_gateway_url))
    message = client.messages.create(
        to="+6282455507001", from_="BPJAMSOSTEK", body="Halo", validity_period=60
    )
    assert (message.status, message.num_segments, message.error_code) == ("queued", "1", None)
    assert message.date_created is not None
    assert [message["message_id"] for message in read_accepted(fake_gateway_url)] == [message.sid]


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [("opted_out", 400, 21610), ("throttle", 429, 20429), ("spend_limit", 403, 20005)],
)
def test_twilio_sdk_reads_errors_of_the_fake_gateway(
    mode: str, status: int, code: int, fake_gateway_url: str
) -> None:
    httpx.post(f"{fake_gateway_url}/faults", json={"mode": mode}).raise_for_status()
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=RedirectedHttpClient(fake_gateway_url))
    with pytest.raises(TwilioRestException) as raised:
        client.messages.create(to="+6282455507001", from_="BPJAMSOSTEK", body="Halo")
    assert (raised.value.status, raised.value.code) == (status, code)
