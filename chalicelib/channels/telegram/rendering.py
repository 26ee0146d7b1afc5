"""Prompts as calls of Telegram's Bot API (https://core.telegram.org/bots/api). Pure.

Texts are sent without `parse_mode`: a lone `_` of a person's name would make Telegram refuse the message.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.layout import render_body, render_numbered, render_option, shorten
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Acknowledgement, OfficerMessage, Prompt, TextRef
from chalicelib.conversations.texts import render_text
from chalicelib.languages import WorkerLanguage

_CAPABILITIES = CAPABILITIES["telegram"]
# So many columns are still readable on a small phone.
_SHORT_LABEL, _COLUMNS = 12, 3


@dataclass(frozen=True)
class BotCall:
    """A call of a method of the Bot API, with its parameters."""

    method: str
    params: dict[str, Any]


def render_call(content: OutboxContent) -> BotCall:
    """Return the call that sends a message."""
    match content.message:
        case Acknowledgement(callback_id=callback_id):
            return BotCall("answerCallbackQuery", {"callback_query_id": callback_id})
        case OfficerMessage(text=text):
            return _send(content, text[: _CAPABILITIES.max_length])
        case Prompt() as prompt:
            return _render_prompt(content, prompt)


def _render_prompt(content: OutboxContent, prompt: Prompt) -> BotCall:
    language = content.language
    if prompt.asks_contact:
        return _send(content, render_body(prompt, language), _build_contact_keyboard(prompt, language))
    if prompt.removes_keyboard:
        # A message has one keyboard: this takes the button for the contact away, and options are numbered.
        return _send(content, render_numbered(prompt, language), {"remove_keyboard": True})
    body = render_body(prompt, language)
    text = body if prompt.link is None else f"{body}\n{prompt.link}"
    return _send(content, text, _build_buttons(prompt, language) if prompt.options else None)


def _send(content: OutboxContent, text: str, markup: dict[str, Any] | None = None) -> BotCall:
    params: dict[str, Any] = {"chat_id": int(content.recipient), "text": text}
    if markup is not None:
        params["reply_markup"] = markup
    return BotCall("sendMessage", params)


def _build_contact_keyboard(prompt: Prompt, language: WorkerLanguage) -> dict[str, Any]:
    share = {"text": render_text(TextRef(key="share_contact"), language), "request_contact": True}
    others = [{"text": render_option(option, language)} for option in prompt.options]
    return {
        "keyboard": [[share], *([other] for other in others)],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


def _build_buttons(prompt: Prompt, language: WorkerLanguage) -> dict[str, Any]:
    buttons = [
        {
            "text": shorten(render_option(option, language), _CAPABILITIES.max_button_length),
            "callback_data": prompt.build_choice_id(option),
        }
        for option in prompt.options
    ]
    is_short = all(len(button["text"]) <= _SHORT_LABEL for button in buttons)
    columns = _COLUMNS if is_short else 1
    rows = [buttons[start : start + columns] for start in range(0, len(buttons), columns)]
    return {"inline_keyboard": rows}
