"""The calls of the Bot API that stories lead to are such as aiogram makes of them."""

from chalicelib.channels.telegram.rendering import BotCall, render_call
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Acknowledgement, OfficerMessage
from tests.support.chat_driver import CHAT, Person
from tests.support.chat_libraries import judge
from tests.support.transcripts import PLAYS, play_line, read_story, render_prompt


def make_content(message: Acknowledgement | OfficerMessage) -> OutboxContent:
    return OutboxContent(channel="telegram", account="bot", recipient=CHAT, language="id", message=message)


def list_calls() -> list[BotCall]:
    """Return the calls of all stories, and those that no prompt leads to."""
    calls = [
        render_call(make_content(Acknowledgement(callback_id="9"))),
        render_call(make_content(OfficerMessage(text="Silakan datang ke kantor cabang. _" * 200))),
    ]
    for story in [story for story, channel in PLAYS if channel == "telegram"]:
        person = Person("telegram")
        for line in read_story(story, "telegram"):
            if not line.startswith("(wait"):
                answered = play_line(person, line)
                if answered.prompt is not None:
                    calls.append(render_prompt(answered.prompt, answered.session.language))
    return calls


def test_aiogram_accepts_every_call() -> None:
    calls = list_calls()
    verdicts = judge("call", [{"method": each.method, "parameters": each.params} for each in calls])
    assert verdicts == [{"method": each.method} for each in calls]
    kinds = {next(iter(each.params.get("reply_markup", {"none": 0}))) for each in calls}
    assert kinds == {"inline_keyboard", "keyboard", "remove_keyboard", "none"}
