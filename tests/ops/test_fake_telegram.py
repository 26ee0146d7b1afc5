"""The fake Telegram: the Bot API as Daftar calls it, and updates as Telegram delivers them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.fake_chat.accounts import TELEGRAM_WEBHOOK_SECRET
from ops.fake_chat.transcripts import TranscriptStore
from tests.support.fake_chat import FakeChat, run_fake_chat
from tests.support.polling import wait_until

_ANI = "1001"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chats.jsonl"


@pytest.fixture
def chat(file: Path) -> Iterator[FakeChat]:
    with run_fake_chat(file) as running:
        yield running


def _await_updates(chat: FakeChat, count: int) -> list[dict[str, Any]]:
    return wait_until(
        f"{count} updates",
        lambda: chat.webhook.updates if len(chat.webhook.updates) >= count else [],
        timeout_seconds=20,
    )


def _list_texts(updates: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in updates]


def _read_error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["description"]


def test_a_text_of_a_user_comes_as_an_update_with_the_secret(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="/start tanah-abang-2024")
    [update] = _await_updates(chat, 1)
    assert update["message"]["from"]["id"] == update["message"]["chat"]["id"] == 1001
    assert update["message"]["text"] == "/start tanah-abang-2024"
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    [received] = chat.webhook.received
    assert received.headers["X-Telegram-Bot-Api-Secret-Token"] == TELEGRAM_WEBHOOK_SECRET


def test_the_transcript_shows_both_sides_with_the_buttons(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    keyboard = {"inline_keyboard": [[{"text": "Ya", "callback_data": "v1:consent:yes:3"}]]}
    chat.call("sendMessage", chat_id=1001, text="Setuju?", reply_markup=keyboard)
    assert [
        {name: each[name] for name in ("from", "text", "buttons")}
        for each in chat.get_transcript("telegram", _ANI)
    ] == [
        {"from": "user", "text": "halo", "buttons": []},
        {"from": "bot", "text": "Setuju?", "buttons": ["Ya"]},
    ]


def test_a_press_on_a_button_brings_its_data_once_and_waits_for_an_answer(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    keyboard = {"inline_keyboard": [[{"text": "Ya", "callback_data": "v1:consent:yes:3"}]]}
    chat.call("sendMessage", chat_id=1001, text="Setuju?", reply_markup=keyboard)
    chat.act("telegram", _ANI, button="Ya")
    query = _await_updates(chat, 2)[-1]["callback_query"]
    assert query["data"] == "v1:consent:yes:3"
    assert query["message"]["text"] == "Setuju?"
    assert chat.call("answerCallbackQuery", callback_query_id=query["id"]).json() == {
        "ok": True,
        "result": True,
    }
    again = chat.call("answerCallbackQuery", callback_query_id=query["id"])
    assert _read_error(again)[0] == 400
    assert "query is too old" in _read_error(again)[1]


def test_a_shared_contact_names_its_owner_only_if_it_is_the_users_own(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, contact={"phone_number": "+6283100000001", "own": True})
    chat.act("telegram", _ANI, contact={"phone_number": "+6283100000002", "own": False})
    own, others = (update["message"]["contact"] for update in _await_updates(chat, 2))
    assert own["user_id"] == 1001
    assert "user_id" not in others


@pytest.mark.parametrize("media", ["photo", "voice", "sticker", "location"])
def test_a_medium_comes_without_a_text(media: str, chat: FakeChat) -> None:
    chat.act("telegram", _ANI, media=media)
    [update] = _await_updates(chat, 1)
    assert media in update["message"]
    assert "text" not in update["message"]


def test_an_update_that_fails_blocks_its_chat_until_it_is_accepted(chat: FakeChat) -> None:
    chat.webhook.answers.extend([(500, b""), (403, b""), (302, b"")])
    for text in ("satu", "dua"):
        chat.act("telegram", _ANI, text=text)
    assert _list_texts(_await_updates(chat, 5)) == ["satu", "satu", "satu", "satu", "dua"]


def test_another_chat_passes_one_whose_update_fails(chat: FakeChat) -> None:
    chat.webhook.answers.extend([(500, b"")])
    chat.act("telegram", _ANI, text="satu")
    chat.act("telegram", "1002", text="dua")
    assert sorted(_list_texts(_await_updates(chat, 3))) == ["dua", "satu", "satu"]


def test_a_method_in_the_answer_to_an_update_is_executed(chat: FakeChat) -> None:
    chat.webhook.answers.append((200, b'{"method": "sendMessage", "chat_id": 1001, "text": "Halo"}'))
    chat.act("telegram", _ANI, text="/start")
    wait_until("the answer", lambda: len(chat.get_transcript("telegram", _ANI)) == 2, timeout_seconds=20)
    assert chat.get_transcript("telegram", _ANI)[-1]["text"] == "Halo"


def test_an_armed_fault_delivers_an_update_twice(chat: FakeChat) -> None:
    chat.arm(mode="deliver_twice", app="telegram")
    chat.act("telegram", _ANI, text="satu")
    first, second = _await_updates(chat, 2)
    assert first == second


def test_an_armed_fault_lets_the_next_update_come_first(chat: FakeChat) -> None:
    chat.arm(mode="out_of_order", times=1, seconds=0.3)
    for text in ("satu", "dua"):
        chat.act("telegram", _ANI, text=text)
    assert _list_texts(_await_updates(chat, 2)) == ["dua", "satu"]


def test_a_user_who_blocks_the_bot_tells_it_and_gets_nothing(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    chat.act("telegram", _ANI, blocks=True)
    member = _await_updates(chat, 2)[-1]["my_chat_member"]
    assert member["new_chat_member"]["status"] == "kicked"
    refused = chat.call("sendMessage", chat_id=1001, text="Halo")
    assert _read_error(refused) == (403, "Forbidden: bot was blocked by the user")
    chat.act("telegram", _ANI, blocks=False)
    assert chat.call("sendMessage", chat_id=1001, text="Halo").is_success


def test_an_edit_replaces_the_text_and_the_buttons(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    sent = chat.call("sendMessage", chat_id=1001, text="Nama?").json()["result"]
    edited = {"chat_id": 1001, "message_id": sent["message_id"], "text": "Nama: Ani"}
    assert chat.call("editMessageText", **edited).is_success
    assert chat.get_transcript("telegram", _ANI)[-1]["text"] == "Nama: Ani"
    assert _read_error(chat.call("editMessageText", **edited))[1].startswith(
        "Bad Request: message is not modified"
    )


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"chat_id": 9}, "chat not found"),
        ({"text": " "}, "message text is empty"),
        ({"text": "x" * 4097}, "message is too long"),
        (
            {"reply_markup": {"inline_keyboard": [[{"text": "Ya", "callback_data": "x" * 65}]]}},
            "BUTTON_DATA_INVALID",
        ),
    ],
)
def test_a_message_that_telegram_would_refuse_is_refused(
    changed: dict[str, Any], error: str, chat: FakeChat
) -> None:
    chat.act("telegram", _ANI, text="halo")
    answer = chat.call("sendMessage", **{"chat_id": 1001, "text": "Halo", **changed})
    assert _read_error(answer) == (400, f"Bad Request: {error}")


def test_more_than_a_burst_to_one_chat_must_wait(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    answers = [chat.call("sendMessage", chat_id=1001, text="Halo") for _ in range(8)]
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert throttled
    assert throttled[0].json()["parameters"] == {"retry_after": 1}


def test_an_armed_throttle_names_the_seconds_to_wait(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    chat.arm(mode="throttle", times=1, seconds=7)
    answer = chat.call("sendMessage", chat_id=1001, text="Halo")
    assert _read_error(answer) == (429, "Too Many Requests: retry after 7")
    assert answer.json()["parameters"] == {"retry_after": 7}
    assert chat.call("sendMessage", chat_id=1001, text="Halo").is_success


def test_a_lost_answer_leaves_the_message_in_the_chat(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    chat.arm(mode="timeout_after_accept", times=1, seconds=0)
    with pytest.raises(httpx.RemoteProtocolError):
        chat.call("sendMessage", chat_id=1001, text="Halo")
    assert chat.get_transcript("telegram", _ANI)[-1]["text"] == "Halo"


def test_another_token_and_an_unknown_method_are_refused(chat: FakeChat) -> None:
    assert chat.request("POST", "/bot1:other/getMe").status_code == 401
    assert chat.call("sendPhoto").status_code == 404


def test_chats_are_kept_in_a_file_that_only_its_owner_can_read(chat: FakeChat, file: Path) -> None:
    chat.act("telegram", _ANI, text="halo")
    kept = TranscriptStore(file)
    assert [message.text for _, user in kept.list_users() for message in kept.list_chat(_, user)] == ["halo"]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "act", [{}, {"text": "a", "button": "b"}, {"button": "Tidak ada"}, {"text": ""}, {"media": "film"}]
)
def test_an_act_that_no_user_could_do_is_refused(act: dict[str, Any], chat: FakeChat) -> None:
    assert chat.request("POST", f"/telegram/users/{_ANI}/messages", json=act).status_code == 400


def test_the_page_of_phones_and_its_lists_answer(chat: FakeChat) -> None:
    chat.act("telegram", _ANI, text="halo")
    assert chat.request("GET", "/users").json() == [{"app": "telegram", "user_id": _ANI}]
    assert "<main" in chat.request("GET", "/").text
    assert chat.request("GET", "/nowhere").status_code == 404
