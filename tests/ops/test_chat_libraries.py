"""The fake chat speaks as the providers do: aiogram and pywa read what it sends, and accept its answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.fake_chat.accounts import ACCESS_TOKEN, APP_SECRET, PHONE_NUMBER_ID
from tests.support.chat_libraries import judge, judge_webhooks
from tests.support.fake_chat import FakeChat, run_fake_chat
from tests.support.polling import wait_until


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[FakeChat]:
    with run_fake_chat(tmp_path / "chats.jsonl") as running:
        yield running


def _await_count(chat: FakeChat, count: int) -> None:
    wait_until(f"{count} updates", lambda: len(chat.webhook.received) >= count, timeout_seconds=30)


def test_aiogram_reads_every_kind_of_update(chat: FakeChat) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Ya", "callback_data": "v1:consent:yes:3"}]]}
    chat.act("telegram", "1001", text="/start")
    chat.call("sendMessage", chat_id=1001, text="Setuju?", reply_markup=keyboard).raise_for_status()
    _await_count(chat, 1)
    acts: list[dict[str, Any]] = [
        {"button": "Ya"},
        {"contact": {"phone_number": "+6283100000001", "own": True}},
        *({"media": media} for media in ("photo", "voice", "sticker", "location")),
        {"blocks": True},
    ]
    for count, act in enumerate(acts, start=2):
        chat.act("telegram", "1001", **act)
        _await_count(chat, count)
    read = judge("update", chat.webhook.updates)
    assert [each.get("type") for each in read] == [
        *("message", "callback_query", "message"),
        *["message"] * 4,
        "my_chat_member",
    ], read
    assert {each["user"] for each in read} == {1001}
    assert (read[0]["text"], read[1]["data"], read[2]["contact"]) == ("/start", "v1:consent:yes:3", 1001)


def test_pywa_checks_the_signature_and_reads_every_webhook(chat: FakeChat) -> None:
    ani = "6283100000001"
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}

    def send(interactive: dict[str, Any]) -> None:
        body = {
            "messaging_product": "whatsapp",
            "to": ani,
            "type": "interactive",
            "interactive": {"body": {"text": "Pilih"}, **interactive},
            "biz_opaque_callback_data": "m-1",
        }
        path = f"/v23.0/{PHONE_NUMBER_ID}/messages"
        chat.request("POST", path, json=body, headers=headers).raise_for_status()

    chat.act("whatsapp", ani, text="Halo 😀")
    button = {"type": "reply", "reply": {"id": "v1:consent:yes:1", "title": "Setuju"}}
    send({"type": "button", "action": {"buttons": [button]}})
    row = {"id": "v1:job:porter:2", "title": "Kuli"}
    send({"type": "list", "action": {"button": "Pilih", "sections": [{"rows": [row]}]}})
    chat.act("whatsapp", ani, button="Setuju")
    chat.act("whatsapp", ani, button="Kuli")
    for media in ("photo", "voice", "sticker", "location"):
        chat.act("whatsapp", ani, media=media)
    chat.act("whatsapp", ani, contact={"phone_number": "+6283100000001", "own": True})
    chat.act("whatsapp", "ID.700000000001", text="Halo")
    chat.act("whatsapp", ani, blocks=True)
    send({"type": "button", "action": {"buttons": [button]}})
    _await_count(chat, 14)
    read = judge_webhooks(chat.webhook.received, APP_SECRET)
    assert [each for each in read if "error_of_library" in each] == []
    assert sorted(each["status"] for each in read if "status" in each) == [
        *("delivered", "delivered", "failed"),
        *("sent", "sent"),
    ]
    assert {each["tracker"] for each in read if "status" in each} == {"m-1"}
    assert [each["error"] for each in read if each.get("status") == "failed"] == [131026]
    chosen = {(each["data"], each["title"]) for each in read if "data" in each}
    assert chosen == {("v1:consent:yes:1", "Setuju"), ("v1:job:porter:2", "Kuli")}
    assert "ID.700000000001" in {each["user"] for each in read}
