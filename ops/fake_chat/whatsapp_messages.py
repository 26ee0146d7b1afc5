"""The messages that the Cloud API accepts, with Meta's limits, and its errors.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ops.fake_chat.transcripts import Button, ButtonKind

TITLE_BY_CODE = {
    4: "Application request limit reached",
    100: "Invalid parameter",
    190: "Access token has expired",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131026: "Message undeliverable",
    131031: "Business account has been locked",
    131047: "Re-engagement message",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
}

Templates = Mapping[tuple[str, str], str]
"""The texts of approved templates by name and language, with parameters as `{{1}}`."""


class CloudApiError(Exception):
    """The API refuses a call."""

    def __init__(self, code: int, *, status: int = 400, details: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.body = {
            "error": {
                "message": f"(#{code}) {TITLE_BY_CODE[code]}",
                "type": "OAuthException",
                "code": code,
                "error_data": {"messaging_product": "whatsapp", "details": details or TITLE_BY_CODE[code]},
                "fbtrace_id": "A-local-trace",
            }
        }


class _Part(BaseModel):
    # Meta ignores what it does not know; a test of ours must not.
    model_config = ConfigDict(extra="forbid")


class _TextPart(_Part):
    body: str = Field(min_length=1, max_length=4096)
    preview_url: bool = False


class _Reply(_Part):
    id: str = Field(min_length=1, max_length=256)
    title: str = Field(min_length=1, max_length=20)


class _ReplyButton(_Part):
    type: Literal["reply"]
    reply: _Reply


class _Row(_Part):
    id: str = Field(min_length=1, max_length=200)
    title: str = Field(min_length=1, max_length=24)
    description: str | None = Field(default=None, max_length=72)


class _Section(_Part):
    title: str | None = Field(default=None, max_length=24)
    rows: list[_Row] = Field(min_length=1, max_length=10)


class _Body(_Part):
    text: str = Field(min_length=1, max_length=1024)


class _ReplyButtons(_Part):
    buttons: list[_ReplyButton] = Field(min_length=1, max_length=3)


class _Sections(_Part):
    button: str = Field(min_length=1, max_length=20)
    sections: list[_Section] = Field(min_length=1, max_length=10)


class _Link(_Part):
    display_text: str = Field(min_length=1, max_length=20)
    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=2000)


class _LinkAction(_Part):
    name: Literal["cta_url"]
    parameters: _Link


class _ContactAction(_Part):
    name: Literal["request_contact_info"]


class _ButtonInteractive(_Part):
    type: Literal["button"]
    body: _Body
    action: _ReplyButtons


class _ListInteractive(_Part):
    type: Literal["list"]
    body: _Body
    action: _Sections


class _LinkInteractive(_Part):
    type: Literal["cta_url"]
    body: _Body
    action: _LinkAction


class _ContactInteractive(_Part):
    type: Literal["request_contact_info"]
    body: _Body
    action: _ContactAction


Interactive = Annotated[
    _ButtonInteractive | _ListInteractive | _LinkInteractive | _ContactInteractive,
    Field(discriminator="type"),
]


class _Language(_Part):
    code: str


class _Parameter(_Part):
    type: Literal["text"]
    text: str = Field(min_length=1, max_length=1024)


class _Component(_Part):
    type: Literal["body"]
    parameters: list[_Parameter]


class _Template(_Part):
    name: str = Field(min_length=1, max_length=512, pattern=r"^[a-z0-9_]+$")
    language: _Language
    components: list[_Component] = []


class _Message(_Part):
    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual"] = "individual"
    to: str | None = None
    recipient: str | None = None
    biz_opaque_callback_data: str = Field(default="", max_length=512)


class TextMessage(_Message):
    """A message of text."""

    type: Literal["text"]
    text: _TextPart


class InteractiveMessage(_Message):
    """A message with buttons, a list, a link or a request for the phone."""

    type: Literal["interactive"]
    interactive: Interactive


class TemplateMessage(_Message):
    """A message by an approved template, which may come outside of the 24 hours."""

    type: Literal["template"]
    template: _Template


SentMessage = TextMessage | InteractiveMessage | TemplateMessage
MESSAGE_ADAPTER: TypeAdapter[SentMessage] = TypeAdapter(Annotated[SentMessage, Field(discriminator="type")])


class ApprovedTemplate(_Part):
    """A template as somebody enters it at Meta's business manager."""

    name: str = Field(min_length=1, max_length=512, pattern=r"^[a-z0-9_]+$")
    language: str = Field(min_length=2, max_length=10)
    text: str = Field(min_length=1, max_length=1024)


def show_message(message: SentMessage, templates: Templates) -> tuple[str, tuple[Button, ...]]:
    """Return the text and the buttons of a message as its reader sees them. Raise CloudApiError."""
    match message:
        case TextMessage():
            return message.text.body, ()
        case TemplateMessage():
            return _fill_template(message.template, templates), ()
        case _:
            return message.interactive.body.text, _list_buttons(message.interactive)


def _list_buttons(interactive: Any) -> tuple[Button, ...]:
    match interactive:
        case _ButtonInteractive():
            replies = [each.reply for each in interactive.action.buttons]
            return tuple(Button(each.title, ButtonKind.CALLBACK, each.id) for each in replies)
        case _ListInteractive():
            rows = [row for section in interactive.action.sections for row in section.rows]
            return tuple(Button(each.title, ButtonKind.CALLBACK, f"list:{each.id}") for each in rows)
        case _LinkInteractive():
            link = interactive.action.parameters
            return (Button(link.display_text, ButtonKind.URL, link.url),)
        case _:
            return (Button("Share contact", ButtonKind.CONTACT),)


def _fill_template(template: _Template, templates: Templates) -> str:
    values = [each.text for component in template.components for each in component.parameters]
    text = templates.get((template.name, template.language.code))
    if text is None:
        raise CloudApiError(132001, status=404)
    if text.count("{{") != len(values):
        raise CloudApiError(132000)
    for number, value in enumerate(values, start=1):
        text = text.replace(f"{{{{{number}}}}}", value)
    return text
