"""Webhooks of chats: proven by their provider, queued sealed and in order, and answered at once."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from chalice.test import HTTPResponse

from chalicelib.conversations.events import InboundEvent, SealedEvent
from chalicelib.conversations.store_items import unseal_event
from tests.edge.conftest import Edge, LogOutput, assert_problem

TELEGRAM, WHATSAPP = "/v1/channels/telegram/updates", "/v1/channels/whatsapp/webhook"
BOT_TOKEN, WEBHOOK_SECRET = "123456:invented", "the-secret-of-the-webhook"
APP_SECRET, VERIFY_TOKEN = "the-app-secret", "the-verify-token"
CHAT = 5_000_000_001  # Beyond 32 bits, as many are.
NAME = "Siti Aminah"

ListEvents = Callable[[], list[InboundEvent]]


@pytest.fixture
def list_events(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> ListEvents:
    """Configure both channels. Return a function that lists the queued events."""
    sqs, secrets = boto3.client("sqs"), boto3.client("secretsmanager")
    queue = sqs.create_queue(
        QueueName="chat-events.fifo", Attributes={"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
    )["QueueUrl"]
    accounts = {
        "TELEGRAM": {"bot_token": BOT_TOKEN, "webhook_secret": WEBHOOK_SECRET},
        "WHATSAPP": {
            "access_token": "invented",
            "app_secret": APP_SECRET,
            "verify_token": VERIFY_TOKEN,
            "phone_number_id": "100000000000001",
        },
    }
    for name, account in accounts.items():
        arn = secrets.create_secret(Name=name, SecretString=json.dumps(account))["ARN"]
        monkeypatch.setenv(f"DAFTAR_{name}_SECRET", arn)
    monkeypatch.setenv("DAFTAR_CHAT_EVENTS_QUEUE_URL", queue)
    edge.restart()

    def list_queued() -> list[InboundEvent]:
        received: list[Any] = []
        while True:
            batch = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            if not batch:
                break
            received += batch
        assert NAME not in json.dumps(received)
        assert str(CHAT) not in json.dumps(received)
        sealed = [SealedEvent.model_validate_json(each["Body"]) for each in received]
        return [unseal_event(each, edge.container.cipher) for each in sealed]

    return list_queued


def make_message(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an update with a message of a private chat."""
    sender = {"id": CHAT, "is_bot": False, "first_name": NAME}
    message = {
        "message_id": number,
        "date": 1_760_000_000,
        "chat": {"id": CHAT, "type": "private", "first_name": NAME},
        "from": sender,
        **fields,
    }
    return {"update_id": number, "message": message}


def post_update(edge: Edge, update: Any, *, secret: str = WEBHOOK_SECRET) -> HTTPResponse:
    return edge.send("POST", TELEGRAM, update, caller=None, X_Telegram_Bot_Api_Secret_Token=secret)


def sign(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post_webhook(edge: Edge, document: Any, *, signature: str | None = None) -> HTTPResponse:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return edge.send(
        "POST",
        WHATSAPP,
        body,
        caller=None,
        X_Hub_Signature_256=sign(body) if signature is None else signature,
    )


def make_webhook(*messages: dict[str, Any], **value: Any) -> dict[str, Any]:
    """Return a webhook with some messages of one person."""
    change = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "62215550000", "phone_number_id": "100000000000001"},
        "contacts": [{"profile": {"name": NAME}, "wa_id": "6282455507001", "user_id": "ID.1"}],
        "messages": list(messages),
        **value,
    }
    entry = {"id": "200000000000001", "changes": [{"field": "messages", "value": change}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def make_whatsapp_text(number: int = 1, text: str = NAME) -> dict[str, Any]:
    return {
        "id": f"wamid.{number}",
        "from": "6282455507001",
        "timestamp": "1760000000",
        "type": "text",
        "text": {"body": text},
    }


def test_an_update_is_queued_sealed_and_answered_with_204(
    edge: Edge, list_events: ListEvents, log_output: LogOutput
) -> None:
    response = post_update(edge, make_message(7, text=NAME))
    assert (response.status_code, response.body) == (204, b"")
    (event,) = list_events()
    assert (event.channel, event.account, event.sender, event.event_id) == (
        "telegram",
        "123456",
        str(CHAT),
        "7",
    )
    assert event.content.model_dump() == {"kind": "text", "text": NAME}
    assert NAME not in log_output.text
    assert str(CHAT) not in log_output.text


@pytest.mark.parametrize("secret", ["", "x", WEBHOOK_SECRET + "x", WEBHOOK_SECRET.upper(), "rahasia-é"])
def test_an_update_without_our_secret_is_refused_and_not_queued(
    secret: str, edge: Edge, list_events: ListEvents
) -> None:
    assert_problem(post_update(edge, make_message(text="x"), secret=secret), 403, "signature_invalid")
    assert list_events() == []


@pytest.mark.parametrize(
    "update",
    [
        b"",
        b"no json",
        b"[]",
        {"update_id": 1},
        {"update_id": 1, "edited_message": make_message(text="x")["message"]},
        make_message(text="x", chat={"id": -1, "type": "group"}),
        make_message(text="x" * 5000),
        {
            "update_id": 1,
            "my_chat_member": {"chat": {"id": 1, "type": "private"}, "new_chat_member": {"status": "member"}},
        },
    ],
)
def test_an_update_that_is_of_no_use_is_answered_and_dropped(
    update: Any, edge: Edge, list_events: ListEvents
) -> None:
    assert post_update(edge, update).status_code == 204
    assert list_events() == []


def test_every_kind_of_update_becomes_its_event(edge: Edge, list_events: ListEvents) -> None:
    query = {"id": "9", "from": {"id": CHAT}, "message": make_message()["message"], "data": "v1:nik:x:1"}
    kicked = {"chat": {"id": CHAT, "type": "private"}, "new_chat_member": {"status": "kicked"}}
    own = {"phone_number": "6281234567890", "first_name": NAME, "user_id": CHAT}
    for update in (
        make_message(1, text="/start@daftar_bot tanah-abang-2024"),
        make_message(2, contact=own),
        make_message(3, contact={**own, "user_id": CHAT + 1}),
        make_message(4, contact={"phone_number": "6281234567890"}),
        make_message(5, voice={"file_id": "x"}),
        {"update_id": 6, "callback_query": query},
        {"update_id": 7, "my_chat_member": kicked},
    ):
        assert post_update(edge, update).status_code == 204
    events = list_events()
    assert [event.content.kind for event in events] == [
        *("text", "contact", "contact", "contact", "media", "choice", "blocked")
    ]
    assert [getattr(event.content, "is_own", None) for event in events[1:4]] == [True, False, False]
    assert getattr(events[0].content, "text", None) == "/start tanah-abang-2024"
    assert events[5].callback_id == "9"


def test_an_update_that_is_delivered_again_at_once_is_queued_once(
    edge: Edge, list_events: ListEvents
) -> None:
    for _ in range(3):
        post_update(edge, make_message(7, text="x"))
    assert len(list_events()) == 1


def test_a_channel_without_a_secret_is_off(edge: Edge) -> None:
    assert_problem(post_update(edge, make_message(text="x")), 403, "signature_invalid")
    assert_problem(post_webhook(edge, make_webhook()), 403, "signature_invalid")


def test_the_verification_answers_the_bare_challenge(edge: Edge, list_events: ListEvents) -> None:
    query = f"hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444"
    response = edge.send("GET", f"{WHATSAPP}?{query}", caller=None)
    assert (response.status_code, response.body) == (200, b"1158201444")
    assert response.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1",
        f"hub.mode=unsubscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1",
        f"hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}",
        f"hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge={quote('<script>')}",
    ],
)
def test_another_verification_is_refused(query: str, edge: Edge, list_events: ListEvents) -> None:
    assert_problem(edge.send("GET", f"{WHATSAPP}?{query}", caller=None), 403, "signature_invalid")


def test_a_signed_webhook_is_queued_one_event_a_message(
    edge: Edge, list_events: ListEvents, log_output: LogOutput
) -> None:
    first, second = (
        make_webhook(make_whatsapp_text(1), make_whatsapp_text(1), make_whatsapp_text(2)),
        make_webhook(make_whatsapp_text(3)),
    )
    document = {**first, "entry": [*first["entry"], *second["entry"]]}
    assert post_webhook(edge, document).status_code == 204
    events = list_events()
    assert [event.event_id for event in events] == ["wamid.1", "wamid.2", "wamid.3"]
    assert {(event.sender, event.account) for event in events} == {("ID.1", "100000000000001")}
    assert NAME not in log_output.text


def test_a_signature_is_of_the_bytes_as_they_came(edge: Edge, list_events: ListEvents) -> None:
    body = json.dumps(make_webhook(make_whatsapp_text(1, "halo é 🙂")), ensure_ascii=False, indent=3).encode()
    assert post_webhook(edge, body).status_code == 204
    assert len(list_events()) == 1
    other = json.dumps(json.loads(body)).encode()
    assert_problem(post_webhook(edge, other, signature=sign(body)), 403, "signature_invalid")


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 66])
def test_a_webhook_with_another_signature_is_refused(
    signature: str, edge: Edge, list_events: ListEvents
) -> None:
    assert_problem(post_webhook(edge, make_webhook(), signature=signature), 403, "signature_invalid")
    assert list_events() == []


@pytest.mark.parametrize("document", [b"no json", b"[]", {"entry": "x"}, {"object": "page"}])
def test_a_signed_webhook_that_cannot_be_read_is_answered_and_dropped(
    document: Any, edge: Edge, list_events: ListEvents
) -> None:
    assert post_webhook(edge, document).status_code == 204
    assert list_events() == []


def test_a_message_that_cannot_be_read_does_not_stop_the_others(edge: Edge, list_events: ListEvents) -> None:
    odd: list[dict[str, Any]] = [{"type": "text"}, {"id": 7}, {"id": "wamid.9", "type": "edit", "from": "1"}]
    without_user = {"contacts": [{"profile": {}, "wa_id": "6282455507001"}]}
    assert post_webhook(edge, make_webhook(*odd, make_whatsapp_text(2), **without_user)).status_code == 204
    (event,) = list_events()
    assert (event.event_id, event.sender) == ("wamid.2", "6282455507001")


def test_a_delivery_report_is_queued(edge: Edge, list_events: ListEvents) -> None:
    status = {
        "id": "wamid.out",
        "status": "failed",
        "timestamp": "1760000000",
        "recipient_id": "6282455507001",
        "biz_opaque_callback_data": "abc",
        "errors": [{"code": 131_047, "title": "x"}],
        "pricing": {"billable": True, "category": "service", "pricing_model": "PMP"},
    }
    assert post_webhook(edge, make_webhook(statuses=[status])).status_code == 204
    (event,) = list_events()
    assert event.event_id == "wamid.out:failed"
    assert event.content.model_dump(exclude={"occurred_at"}) == {
        "kind": "delivery",
        "message_id": "wamid.out",
        "status": "failed",
        "tracker": "abc",
        "error_codes": (131_047,),
        "is_billable": True,
        "pricing_category": "service",
    }
