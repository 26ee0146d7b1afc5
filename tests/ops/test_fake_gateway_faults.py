"""Faults, receipts and prices of the fake SMS gateway."""

import time
from collections.abc import Iterator
from http.server import HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.pricing import PART_PRICE_MICROUSD, measure_sms
from ops.fake_sms.receipt_events import make_aws_event
from ops.fake_sms.receipt_settings import ReceiptSettings
from ops.fake_sms.twilio_account import ACCOUNT_SID, AUTH_TOKEN, sign_form
from ops.fake_sms.twilio_protocol import MESSAGES_PATH
from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background

_PHONE = "+6283100000001"
_TIMEOUT_SECONDS = 10


def _arm(gateway_url: str, **fault: object) -> None:
    httpx.post(f"{gateway_url}/faults", json=fault).raise_for_status()


def _list_bodies(gateway_url: str) -> list[str]:
    return [message["text"] for message in httpx.get(f"{gateway_url}/messages").json()]


def _send_as_aws(sms_client: Any) -> None:
    sms_client.send_text_message(DestinationPhoneNumber=_PHONE, MessageBody="Halo")


def _send_as_twilio(gateway_url: str, **changed: str | None) -> httpx.Response:
    form = {"To": _PHONE, "From": "BPJAMSOSTEK", "Body": "Halo"} | changed
    fields = {name: value for name, value in form.items() if value is not None}
    return httpx.post(gateway_url + MESSAGES_PATH, data=fields, auth=(ACCOUNT_SID, AUTH_TOKEN))


@pytest.mark.parametrize(
    ("mode", "code", "reason"),
    [
        ("throttle", "ThrottlingException", None),
        ("server_error", "InternalServerException", None),
        ("reject", "ConflictException", "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"),
        ("opted_out", "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        ("spend_limit", "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
    ],
)
def test_a_fault_is_answered_with_an_error_of_aws(
    mode: str, code: str, reason: str | None, sms_client: Any, gateway_url: str
) -> None:
    _arm(gateway_url, mode=mode, times=1)
    with pytest.raises(ClientError) as refused:
        _send_as_aws(sms_client)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response.get("Reason") == reason
    assert _list_bodies(gateway_url) == []


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("throttle", 429, 20429),
        ("server_error", 500, 20500),
        ("reject", 400, 21612),
        ("opted_out", 400, 21610),
        ("spend_limit", 403, 20005),
    ],
)
def test_a_fault_is_answered_with_an_error_of_twilio(
    mode: str, status: int, code: int, gateway_url: str
) -> None:
    _arm(gateway_url, mode=mode, times=1)
    answer = _send_as_twilio(gateway_url)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert _list_bodies(gateway_url) == []


@pytest.mark.parametrize(
    ("mode", "accepted"), [("timeout_after_accept", ["Halo"]), ("timeout_before_accept", [])]
)
def test_a_time_out_closes_the_connection(
    mode: str, accepted: list[str], sms_client: Any, gateway_url: str
) -> None:
    _arm(gateway_url, mode=mode, seconds=0)
    with pytest.raises(BotoCoreError):
        _send_as_aws(sms_client)
    with pytest.raises(httpx.RemoteProtocolError):
        _send_as_twilio(gateway_url)
    assert _list_bodies(gateway_url) == accepted * 2


def test_a_time_out_lasts_as_long_as_configured(gateway_url: str) -> None:
    _arm(gateway_url, mode="timeout_before_accept", seconds=0.2)
    started_at = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        _send_as_twilio(gateway_url)
    assert time.monotonic() - started_at >= 0.2


def test_a_fault_is_used_up_and_the_next_one_follows(sms_client: Any, gateway_url: str) -> None:
    _arm(gateway_url, mode="throttle", times=2)
    _arm(gateway_url, mode="server_error", times=1)
    codes = []
    for _ in range(4):
        try:
            _send_as_aws(sms_client)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes == ["ThrottlingException", "ThrottlingException", "InternalServerException"]
    assert _list_bodies(gateway_url) == ["Halo"]
    assert httpx.get(f"{gateway_url}/faults").json() == {
        "armed": [],
        "hits": {"throttle": 2, "server_error": 1},
    }


def test_a_share_hits_the_same_requests_in_any_order(gateway_url: str) -> None:
    phones = [f"+62831{number:08}" for number in range(200)]

    def find_hit_phones(numbers: list[str]) -> set[str]:
        httpx.delete(f"{gateway_url}/faults")
        _arm(gateway_url, mode="throttle", share=0.1, seed=7)
        with httpx.Client(auth=(ACCOUNT_SID, AUTH_TOKEN)) as client:
            answers = {
                to: client.post(gateway_url + MESSAGES_PATH, data={"To": to, "From": "X", "Body": "Halo"})
                for to in numbers
            }
        return {to for to, answer in answers.items() if answer.status_code == 429}

    first = find_hit_phones(phones)
    assert 10 <= len(first) <= 30
    assert find_hit_phones(phones[::-1]) == first


def test_armed_faults_are_listed_and_disarmed(sms_client: Any, gateway_url: str) -> None:
    _arm(gateway_url, mode="throttle", times=3, share=0.5)
    _arm(gateway_url, mode="timeout_after_accept")
    assert httpx.get(f"{gateway_url}/faults").json()["armed"] == [
        {"mode": "throttle", "times": 3, "seconds": 0, "share": 0.5},
        {"mode": "timeout_after_accept", "times": None, "seconds": 20, "share": 1},
    ]
    assert httpx.delete(f"{gateway_url}/faults").json() == {"armed": [], "hits": {}}
    _send_as_aws(sms_client)
    assert _list_bodies(gateway_url) == ["Halo"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("faults", '{"mode": "explode"}', "'timeout_after_accept', 'timeout_before_accept', 'throttle'"),
        ("faults", '{"times": 1}', "mode: Field required"),
        ("faults", '{"mode": "throttle", "times": 0}', "times: "),
        ("faults", '{"mode": "throttle", "seconds": -1}', "seconds: "),
        ("faults", '{"mode": "throttle", "share": 2}', "share: "),
        ("faults", '{"mode": "throttle", "often": 1}', "often: "),
        ("faults", "{", "Invalid JSON"),
        ("receipts", '{"order": "sideways"}', "'normal', 'late', 'twice', 'reversed' or 'never'"),
        ("receipts", '{"seconds": -1}', "seconds: "),
        ("receipts", "[]", "not an object"),
        ("receipts", "{", "not JSON"),
    ],
)
def test_invalid_settings_are_refused_with_a_message(
    path: str, body: str, message: str, gateway_url: str
) -> None:
    answer = httpx.post(f"{gateway_url}/{path}", content=body)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "0831"}, 21211),
        ({"From": None}, 21603),
        ({"Body": " "}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "receipts"}, 21609),
        ({"ValidityPeriod": "36001"}, 20001),
    ],
)
def test_a_request_that_twilio_refuses_is_refused(
    changed: dict[str, str | None], code: int, gateway_url: str
) -> None:
    answer = _send_as_twilio(gateway_url, **changed)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert _list_bodies(gateway_url) == []


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !", "Bearer QUM6eA==", "Basic QUM6eA=="], ids=range(5)
)
def test_wrong_credentials_are_refused(authorization: str, gateway_url: str) -> None:
    answer = httpx.post(
        gateway_url + MESSAGES_PATH, headers={"Authorization": authorization}, data={"To": _PHONE}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_other_resources_of_twilio_are_unknown(gateway_url: str) -> None:
    url = f"{gateway_url}/2010-04-01/Accounts.json"
    answer = httpx.post(url, data={"To": _PHONE}, auth=(ACCOUNT_SID, AUTH_TOKEN))
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


class _CallbackServer(HTTPServer):
    """Records status callbacks: path, signature, form."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _CallbackHandler)
        self.callbacks: list[tuple[str, str, dict[str, str]]] = []


class _CallbackHandler(RequestHandler):
    server: _CallbackServer
    # One connection for each callback: the server has one thread.
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.read_body().decode(), keep_blank_values=True))
        self.server.callbacks.append((self.path, self.headers["X-Twilio-Signature"], form))
        self.send(204, "text/plain", b"")


@pytest.fixture
def listener() -> Iterator[_CallbackServer]:
    server = _CallbackServer()
    with serve_in_background(server):
        yield server


def _await_statuses(gateway_url: str, listener: _CallbackServer) -> list[str]:
    """Return the reported statuses, once no receipt is waiting."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while (receipts := httpx.get(f"{gateway_url}/receipts").json())["waiting"] or not receipts["reported"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [form["MessageStatus"] for _, _, form in listener.callbacks]


@pytest.mark.parametrize(
    ("order", "statuses"),
    [
        ("normal", ["sent", "delivered"]),
        ("late", ["sent", "delivered"]),
        ("twice", ["sent", "sent", "delivered", "delivered"]),
        ("reversed", ["delivered", "sent"]),
        (["twice", "reversed"], ["delivered", "delivered", "sent", "sent"]),
    ],
)
def test_receipts_come_in_the_configured_order(
    order: str | list[str], statuses: list[str], gateway_url: str, listener: _CallbackServer
) -> None:
    httpx.post(f"{gateway_url}/receipts", json={"order": order, "seconds": 0.1}).raise_for_status()
    url = f"http://127.0.0.1:{listener.server_port}/receipts?sms_id=m-1"
    sid = _send_as_twilio(gateway_url, StatusCallback=url).json()["sid"]
    assert _await_statuses(gateway_url, listener) == statuses
    for path, signature, form in listener.callbacks:
        assert path == "/receipts?sms_id=m-1"
        assert form["MessageSid"] == sid
        assert signature == sign_form(url, form)


def test_a_callback_to_the_public_url_is_sent_to_the_api_and_signed_for_the_public_url(
    gateway_url: str, listener: _CallbackServer
) -> None:
    api = f"http://127.0.0.1:{listener.server_port}/stage"
    settings = {"public_url": "https://api.daftar.example", "api_url": api}
    httpx.post(f"{gateway_url}/receipts", json=settings).raise_for_status()
    _send_as_twilio(gateway_url, StatusCallback="https://api.daftar.example/receipts?sms_id=m-1")
    assert _await_statuses(gateway_url, listener) == ["sent", "delivered"]
    path, signature, form = listener.callbacks[0]
    assert path == "/stage/receipts?sms_id=m-1"
    assert signature == sign_form("https://api.daftar.example/receipts?sms_id=m-1", form)


def test_no_receipts_come_with_the_order_never(gateway_url: str) -> None:
    httpx.post(f"{gateway_url}/receipts", json={"order": "never"}).raise_for_status()
    _send_as_twilio(gateway_url, StatusCallback="http://127.0.0.1:9/")
    assert httpx.get(f"{gateway_url}/receipts").json()["waiting"] == 0


def test_an_sms_accepted_before_a_time_out_has_receipts(gateway_url: str, listener: _CallbackServer) -> None:
    _arm(gateway_url, mode="timeout_after_accept", seconds=0)
    with pytest.raises(httpx.RemoteProtocolError):
        _send_as_twilio(gateway_url, StatusCallback=f"http://127.0.0.1:{listener.server_port}/")
    assert _await_statuses(gateway_url, listener) == ["sent", "delivered"]


def test_settings_that_are_not_named_stay(gateway_url: str) -> None:
    httpx.post(f"{gateway_url}/receipts", json={"topic_arn": "arn:aws:sns:ap-southeast-3:0:t"})
    settings = httpx.post(f"{gateway_url}/receipts", json={"order": "twice"}).json()
    assert (settings["topic_arn"], settings["order"]) == ("arn:aws:sns:ap-southeast-3:0:t", ["twice"])


def test_an_event_of_aws_has_parts_price_and_context() -> None:
    sms = ReceivedSms(to=_PHONE, text="Halo", context={"sms_id": "m-1"}, parts=2, price_microusd=80_000)
    event = make_aws_event(sms, "delivered")
    assert {name: event[name] for name in ("eventType", "isFinal", "messageId", "context")} == {
        "eventType": "TEXT_DELIVERED",
        "isFinal": True,
        "messageId": sms.message_id,
        "context": {"sms_id": "m-1"},
    }
    assert (event["totalMessageParts"], event["totalMessagePrice"]) == (2, 0.08)
    assert not make_aws_event(sms, "sent")["isFinal"]


def test_aws_sends_events_only_for_sms_of_a_configuration_set(sms_client: Any, gateway_url: str) -> None:
    httpx.post(
        f"{gateway_url}/receipts", json={"order": "late", "topic_arn": "arn:aws:sns:ap-southeast-3:0:t"}
    )
    _send_as_aws(sms_client)
    assert httpx.get(f"{gateway_url}/receipts").json()["waiting"] == 0
    sms_client.send_text_message(
        DestinationPhoneNumber=_PHONE, MessageBody="Halo", ConfigurationSetName="daftar"
    )
    assert httpx.get(f"{gateway_url}/receipts").json()["waiting"] == 2


def test_failed_is_reported_if_configured_as_final_state() -> None:
    assert [state for _, state in ReceiptSettings(final="failed").plan()] == ["sent", "failed"]
    assert make_aws_event(ReceivedSms(to=_PHONE, text="Halo"), "failed")["eventType"] == "TEXT_UNREACHABLE"


@pytest.mark.parametrize(
    ("body", "encoding", "parts"),
    [
        ("x" * 160, "GSM", 1),
        ("x" * 161, "GSM", 2),
        ("x" * 306, "GSM", 2),
        ("x" * 307, "GSM", 3),
        ("€" * 80, "GSM", 1),
        ("x" * 152 + "€" * 76 + "x", "GSM", 2),
        ("x" * 152 + "€" * 76 + "xx", "GSM", 3),
        ("ç" * 70, "Unicode", 1),
        ("ç" * 71, "Unicode", 2),
        ("😀" * 35, "Unicode", 1),
        ("😀" * 66, "Unicode", 2),
        ("😀" * 67, "Unicode", 3),
    ],
)
def test_the_gateway_counts_parts(body: str, encoding: str, parts: int) -> None:
    size = measure_sms(body)
    assert (size.encoding, size.parts) == (encoding, parts)


def test_the_account_sums_sms_parts_and_prices_by_day_and_campaign(sms_client: Any, gateway_url: str) -> None:
    for body, campaign in [("x" * 161, "a"), ("Halo", "a"), ("Halo", "b")]:
        context = {"campaign_id": campaign}
        sms_client.send_text_message(DestinationPhoneNumber=_PHONE, MessageBody=body, Context=context)
    account = httpx.get(f"{gateway_url}/account", params={"zone": "Asia/Jakarta"}).json()
    assert (account["texts"], account["parts"]) == (3, 4)
    assert account["price_microusd"] == 4 * PART_PRICE_MICROUSD
    assert [(row["campaign_id"], row["texts"], row["parts"]) for row in account["days"]] == [
        ("a", 2, 3),
        ("b", 1, 1),
    ]
    assert httpx.get(f"{gateway_url}/account?zone=Mars/Base").status_code == 400
