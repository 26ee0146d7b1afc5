"""The fake WhatsApp: the Cloud API as Daftar calls it, and webhooks as Meta sends them."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.fake_chat.accounts import ACCESS_TOKEN, APP_SECRET, PHONE_NUMBER_ID
from ops.fake_chat.transcripts import App, ChatMessage, TranscriptStore
from tests.support.fake_chat import FakeChat, run_fake_chat
from tests.support.polling import wait_until

_ANI = "6283100000001"
_WITHOUT_PHONE = "ID.700000000001"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chats.jsonl"


@pytest.fixture
def chat(file: Path) -> Iterator[FakeChat]:
    with run_fake_chat(file) as running:
        yield running


def _send(chat: FakeChat, content: dict[str, Any], *, token: str = ACCESS_TOKEN) -> httpx.Response:
    body = {"messaging_product": "whatsapp", "to": _ANI, **content}
    headers = {"Authorization": f"Bearer {token}"}
    return chat.request("POST", f"/v23.0/{PHONE_NUMBER_ID}/messages", json=body, headers=headers)


def _text(text: str = "Halo") -> dict[str, Any]:
    return {"type": "text", "text": {"body": text}, "biz_opaque_callback_data": "m-1"}


def _interactive(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": "Pilih"}, "action": action},
    }


_BUTTONS = _interactive(
    "button", {"buttons": [{"type": "reply", "reply": {"id": "v1:consent:yes:1", "title": "Setuju"}}]}
)
_LIST = _interactive(
    "list", {"button": "Pilih", "sections": [{"rows": [{"id": "v1:job:porter:2", "title": "Kuli"}]}]}
)
_LINK = _interactive(
    "cta_url",
    {"name": "cta_url", "parameters": {"display_text": "Isi formulir", "url": "https://daftar.example/app"}},
)


def _await_values(chat: FakeChat, name: str, count: int) -> list[dict[str, Any]]:
    """Return the messages or statuses that came, once there are `count`."""

    def find() -> list[dict[str, Any]]:
        values = [update["entry"][0]["changes"][0]["value"] for update in chat.webhook.updates]
        found = [each for value in values for each in value.get(name, ())]
        return found if len(found) >= count else []

    return wait_until(f"{count} {name}", find, timeout_seconds=20)


def test_a_text_of_a_user_comes_signed_over_the_raw_body(chat: FakeChat) -> None:
    chat.act("whatsapp", _ANI, text="Halo 😀")
    [message] = _await_values(chat, "messages", 1)
    assert message["from"] == _ANI
    assert message["from_user_id"].startswith("ID.")
    assert message["text"] == {"body": "Halo 😀"}
    [received] = chat.webhook.received
    signature = hmac.new(APP_SECRET.encode(), received.body, hashlib.sha256).hexdigest()
    assert received.headers["X-Hub-Signature-256"] == f"sha256={signature}"


def test_a_user_without_a_phone_has_an_id_of_the_business_only(chat: FakeChat) -> None:
    chat.act("whatsapp", _WITHOUT_PHONE, text="Halo")
    [message] = _await_values(chat, "messages", 1)
    assert "from" not in message
    assert message["from_user_id"] == _WITHOUT_PHONE
    answer = _send(chat, {**_text(), "to": None, "recipient": _WITHOUT_PHONE})
    assert answer.json()["contacts"] == [{"input": _WITHOUT_PHONE, "user_id": _WITHOUT_PHONE}]
    assert chat.get_transcript("whatsapp", _WITHOUT_PHONE)[-1]["text"] == "Halo"


def test_a_sent_message_is_reported_with_our_own_value_and_its_price(chat: FakeChat) -> None:
    chat.act("whatsapp", _ANI, text="Halo")
    message_id = _send(chat, _text()).json()["messages"][0]["id"]
    sent, delivered = _await_values(chat, "statuses", 2)
    assert (sent["status"], delivered["status"]) == ("sent", "delivered")
    assert sent["id"] == delivered["id"] == message_id
    assert sent["biz_opaque_callback_data"] == "m-1"
    assert sent["pricing"] == {
        "billable": True,
        "pricing_model": "PMP",
        "type": "regular",
        "category": "service",
    }


@pytest.mark.parametrize(
    ("content", "button", "reply"),
    [
        (_BUTTONS, "Setuju", {"button_reply": {"id": "v1:consent:yes:1", "title": "Setuju"}}),
        (_LIST, "Kuli", {"list_reply": {"id": "v1:job:porter:2", "title": "Kuli"}}),
    ],
)
def test_a_press_on_a_button_or_a_row_brings_its_id(
    content: dict[str, Any], button: str, reply: dict[str, Any], chat: FakeChat
) -> None:
    chat.act("whatsapp", _ANI, text="Halo")
    assert _send(chat, content).is_success
    chat.act("whatsapp", _ANI, button=button)
    interactive = _await_values(chat, "messages", 2)[-1]["interactive"]
    assert interactive == {"type": next(iter(reply)), **reply}


def test_a_link_opens_and_is_in_the_transcript(chat: FakeChat) -> None:
    chat.act("whatsapp", _ANI, text="Halo")
    assert _send(chat, _LINK).is_success
    shown = chat.get_transcript("whatsapp", _ANI)[-1]
    assert shown["buttons"] == ["Isi formulir"]
    assert shown["links"] == {"Isi formulir": "https://daftar.example/app"}
    assert chat.act("whatsapp", _ANI, button="Isi formulir") == {"opens": "https://daftar.example/app"}


def test_a_message_outside_of_the_window_fails_by_a_status(chat: FakeChat, file: Path) -> None:
    _send(chat, _text())
    [status] = _await_values(chat, "statuses", 1)
    assert status["status"] == "failed"
    assert status["errors"][0]["code"] == 131047
    assert chat.get_transcript("whatsapp", _ANI) == []


def test_the_window_ends_a_day_after_the_users_last_message(tmp_path: Path) -> None:
    kept = TranscriptStore(tmp_path / "old.jsonl")
    kept.put(ChatMessage(App.WHATSAPP, _ANI, "m1", "user", "Halo", sent_at=0))
    with run_fake_chat(tmp_path / "old.jsonl") as chat:
        _send(chat, _text())
        assert _await_values(chat, "statuses", 1)[0]["errors"][0]["code"] == 131047


def test_a_template_comes_at_any_time_filled_in(chat: FakeChat) -> None:
    approved = {"name": "status", "language": "id", "text": "Status {{1}}: {{2}}"}
    chat.request("POST", "/whatsapp/templates", json=approved).raise_for_status()
    template = {
        "name": "status",
        "language": {"code": "id"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}
        ],
    }
    assert _send(chat, {"type": "template", "template": template}).is_success
    assert chat.get_transcript("whatsapp", _ANI)[-1]["text"] == "Status A: B"
    assert _await_values(chat, "statuses", 1)[0]["pricing"]["category"] == "utility"
    missing = {"type": "template", "template": {**template, "name": "other"}}
    assert _send(chat, missing).json()["error"]["code"] == 132001
    short = {"type": "template", "template": {**template, "components": []}}
    assert _send(chat, short).json()["error"]["code"] == 132000


@pytest.mark.parametrize(
    "content",
    [
        _text(""),
        _text("x" * 4097),
        _interactive(
            "button",
            {"buttons": [{"type": "reply", "reply": {"id": str(n), "title": "Ya"}} for n in range(4)]},
        ),
        _interactive("button", {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "x" * 21}}]}),
        _interactive(
            "list",
            {"button": "Pilih", "sections": [{"rows": [{"id": str(n), "title": "a"} for n in range(11)]}]},
        ),
        _interactive(
            "cta_url", {"name": "cta_url", "parameters": {"display_text": "Isi", "url": "javascript:1"}}
        ),
        {"type": "image", "image": {}},
    ],
)
def test_a_message_over_metas_limits_is_refused(content: dict[str, Any], chat: FakeChat) -> None:
    answer = _send(chat, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("throttle", 400, 130429),
        ("server_error", 500, 131000),
        ("blocked", 403, 131031),
        ("reject", 400, 100),
    ],
)
def test_an_armed_fault_answers_with_metas_error(mode: str, status: int, code: int, chat: FakeChat) -> None:
    chat.arm(mode=mode, app="whatsapp", times=1)
    answer = _send(chat, _text())
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_user_who_blocked_the_business_is_undeliverable(chat: FakeChat) -> None:
    chat.act("whatsapp", _ANI, text="Halo")
    chat.act("whatsapp", _ANI, blocks=True)
    assert _send(chat, _text()).is_success
    assert _await_values(chat, "statuses", 1)[0]["errors"][0]["code"] == 131026


def test_a_failed_webhook_comes_again_and_others_pass_it(chat: FakeChat) -> None:
    chat.webhook.answers.append((500, b""))
    chat.act("whatsapp", _ANI, text="satu")
    chat.act("whatsapp", _ANI, text="dua")
    texts = [each["text"]["body"] for each in _await_values(chat, "messages", 3)]
    assert sorted(texts) == ["dua", "satu", "satu"]


def test_a_wrong_token_is_refused(chat: FakeChat) -> None:
    answer = _send(chat, _text(), token="other")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)


def test_a_webhook_that_does_not_repeat_the_challenge_is_not_subscribed(chat: FakeChat) -> None:
    subscription = {"url": f"http://127.0.0.1:{chat.webhook.server_port}", "verify_token": "other"}
    answer = chat.request("POST", "/whatsapp/webhook", json=subscription)
    assert answer.status_code == 400
    assert "could not be verified" in answer.json()["message"]
