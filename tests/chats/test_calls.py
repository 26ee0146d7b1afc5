"""The calls of the Bot API are ones that aiogram knows, field by field."""

from chalicelib.channels.telegram.rendering import render_call
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Acknowledgement
from tests.support.chat_libraries import judge
from tests.support.chat_outbox import Message, make_prompt, make_text


def _list_messages() -> list[Message]:
    prompt = make_prompt("agree", "disagree", "language")
    contact = make_prompt("none", asks_contact=True)
    return [
        prompt,
        contact,
        make_prompt("agree", removes_keyboard=True),
        make_prompt(link="https://daftar.example/app#self=x"),
        make_text("Halo"),
        Acknowledgement(callback_id="1"),
    ]


def test_every_call_is_one_of_the_bot_api() -> None:
    contents = [
        OutboxContent(channel="telegram", account="1", recipient="1001", language="id", message=message)
        for message in _list_messages()
    ]
    calls = [render_call(content) for content in contents]
    judged = judge("call", [{"method": call.method, "parameters": call.params} for call in calls])
    assert [each.get("method") for each in judged] == [*["sendMessage"] * 5, "answerCallbackQuery"], judged
