"""Prompts as messages of WhatsApp's Cloud API. Pure.

https://developers.facebook.com/docs/whatsapp/cloud-api/messages
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.layout import render_body, render_numbered, render_option, shorten
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Acknowledgement, OfficerMessage, Option, Prompt, TextRef
from chalicelib.conversations.texts import render_text
from chalicelib.languages import WorkerLanguage

_CAPABILITIES = CAPABILITIES["whatsapp"]
_MAX_TEXT_LENGTH = 4096

Message = Mapping[str, Any]


def render_message(content: OutboxContent) -> Message | None:
    """Return the message without its address, or None where WhatsApp has nothing to show."""
    match content.message:
        case Acknowledgement():
            return None
        case OfficerMessage(text=text):
            return render_plain(text)
        case Prompt() as prompt:
            return _render_prompt(prompt, content.language)


def render_plain(text: str) -> Message:
    """Return a message of text alone."""
    return {"type": "text", "text": {"body": text[:_MAX_TEXT_LENGTH]}}


def render_template(name: str, language: WorkerLanguage, text: str) -> Message:
    """Return a message by an approved template with one parameter: what may come after 24 hours."""
    # A parameter has no line breaks.
    parameter = {"type": "text", "text": " ".join(text.split())}
    return {
        "type": "template",
        "template": {
            "name": name,
            "language": {"code": language},
            "components": [{"type": "body", "parameters": [parameter]}],
        },
    }


def _render_prompt(prompt: Prompt, language: WorkerLanguage) -> Message:
    body = render_body(prompt, language)
    if len(body) > _CAPABILITIES.max_length:
        # Only a message of text is longer; its options are numbered.
        return render_plain(render_numbered(prompt, language))
    if prompt.link is not None:
        # Beside its link a message has no buttons: the options are numbered.
        options = [f"{each.token}. {render_option(each, language)}" for each in prompt.options]
        return _interact("cta_url", "\n".join([body, *options]), _build_link(prompt.link, language))
    if not prompt.options:
        return render_plain(body)
    if len(prompt.options) <= _CAPABILITIES.max_buttons:
        return _interact("button", body, _build_buttons(prompt, language))
    if len(prompt.options) <= _CAPABILITIES.max_rows:
        return _interact("list", body, _build_list(prompt, language))
    return render_plain(render_numbered(prompt, language))


def _interact(kind: str, body: str, action: Mapping[str, Any]) -> Message:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": body}, "action": action}}


def _build_link(url: str, language: WorkerLanguage) -> Mapping[str, Any]:
    label = shorten(render_text(TextRef(key="open_form"), language), _CAPABILITIES.max_button_length)
    return {"name": "cta_url", "parameters": {"display_text": label, "url": url}}


def _build_buttons(prompt: Prompt, language: WorkerLanguage) -> Mapping[str, Any]:
    return {
        "buttons": [
            {
                "type": "reply",
                "reply": _build_choice(prompt, option, language, _CAPABILITIES.max_button_length),
            }
            for option in prompt.options
        ]
    }


def _build_list(prompt: Prompt, language: WorkerLanguage) -> Mapping[str, Any]:
    label = render_text(TextRef(key="choose"), language)
    rows = [
        _build_choice(prompt, option, language, _CAPABILITIES.max_row_length) for option in prompt.options
    ]
    return {"button": shorten(label, _CAPABILITIES.max_button_length), "sections": [{"rows": rows}]}


def _build_choice(prompt: Prompt, option: Option, language: WorkerLanguage, limit: int) -> Mapping[str, str]:
    title = shorten(render_option(option, language), limit)
    return {"id": prompt.build_choice_id(option), "title": title}
