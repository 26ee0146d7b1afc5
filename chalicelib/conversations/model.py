"""Sessions and prompts of a conversation, free of languages and channels. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime

from chalicelib.languages import WorkerLanguage
from chalicelib.models import FrozenModel

_CHOICE_FORMAT = "v1"

Answers = Mapping[str, Any]
"""The answers of a draft by field; the value None says that the person has none."""


class TextRef(FrozenModel):
    """A text of the catalogue by its key, with its arguments: values, or texts themselves."""

    key: str
    args: Mapping[str, "str | TextRef"] = {}


class Option(FrozenModel):
    """One answer to choose. `token` is what is typed for it where there are no buttons."""

    value: str
    label: TextRef
    token: str


class Prompt(FrozenModel):
    """One message to the person: notices, then a question with its options.

    `field` and `draft` name what a tap on an option answers. `link` is an address to open. `closes` tells a
    channel with sessions that the conversation is over for now.
    """

    kind: Literal["prompt"] = "prompt"
    notices: tuple[TextRef, ...] = ()
    question: TextRef | None = None
    field: str = ""
    draft: int = 1
    options: tuple[Option, ...] = ()
    asks_contact: bool = False
    removes_keyboard: bool = False
    link: str | None = None
    page: int = 0
    closes: bool = False

    def build_choice_id(self, option: Option) -> str:
        """Return the id of the button for an option: at most 64 bytes."""
        return f"{_CHOICE_FORMAT}:{self.field}:{option.value}:{self.draft}"


class OfficerMessage(FrozenModel):
    """A message of an officer to the person, in the officer's own words."""

    kind: Literal["text"] = "text"
    text: str


class Acknowledgement(FrozenModel):
    """The end of the wait that a channel shows after a tap on a button."""

    kind: Literal["acknowledge"] = "acknowledge"
    callback_id: str


@dataclass(frozen=True)
class TappedChoice:
    """The parts of a button's id."""

    field: str
    value: str
    draft: int


def parse_choice_id(choice_id: str) -> TappedChoice | None:
    """Return the parts of a button's id, or None if it is not of our making."""
    parts = choice_id.split(":")
    if len(parts) != 4 or parts[0] != _CHOICE_FORMAT or not parts[3].isdecimal():  # noqa: PLR2004
        return None
    return TappedChoice(field=parts[1], value=parts[2], draft=int(parts[3]))


class Session(FrozenModel):
    """The state of one chat: the answers of its draft, and what interrupts its questions.

    The question to ask follows from it. `detour` is a question outside the form, `focus` a field that is
    asked again. `draft` counts the registrations of the chat, so that a button of an earlier one is known.
    `notices` are those of the last prompt, whose other pages may be asked for. `dialled_history` is all that
    was typed in the last USSD session.
    """

    form_id: str
    form_version: int
    language: WorkerLanguage = "id"
    campaign_id: str = ""
    draft: int = 1
    answers: Mapping[str, Any] = {}
    consented_at: AwareDatetime | None = None
    consent_version: str = ""
    focus: str | None = None
    detour: str | None = None
    candidates: tuple[str, ...] = ()
    status_reference: str | None = None
    is_finished: bool = False
    page: int = 0
    notices: tuple[TextRef, ...] = ()
    failures: int = 0
    dialled_session: str = ""
    dialled_history: str = ""
    shows_contact_keyboard: bool = False
    media_answered_at: AwareDatetime | None = None
    replies: int = 0
    replies_since: AwareDatetime | None = None
    touched_at: AwareDatetime


@dataclass(frozen=True)
class Effect:
    """Something to do outside the conversation, by its kind."""

    kind: str
    args: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """The answer to one event. Without a `prompt` nothing is said."""

    session: Session
    prompt: Prompt | None
    effects: tuple[Effect, ...] = ()
