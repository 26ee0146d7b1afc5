"""The messages of every chat, kept in a file over restarts."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any


class App(StrEnum):
    """A messaging app."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"


class ButtonKind(StrEnum):
    """The effect of a button of a bot's message."""

    CALLBACK = "callback"
    """Delivers its data, with the message it stands under."""
    TEXT = "text"
    """Sends its own text, as a key of Telegram's reply keyboard does."""
    CONTACT = "contact"
    """Shares the user's own phone number."""
    URL = "url"
    """Opens an address; nothing is delivered."""


@dataclass(frozen=True)
class Button:
    """A button under a message. `data` is the callback data, the id of a choice or the address."""

    text: str
    kind: ButtonKind
    data: str = ""


@dataclass(frozen=True)
class ChatMessage:
    """One message of a chat. `sender` is `user` or `bot`, `tracker` the value that a sender gave it."""

    app: App
    user_id: str
    message_id: str
    sender: str
    text: str
    buttons: tuple[Button, ...] = ()
    sent_at: float = field(default_factory=time.time)
    edited_at: float | None = None
    tracker: str = ""

    def to_transcript(self) -> dict[str, Any]:
        """Return the message as `GET .../transcript` shows it."""
        return {
            "from": self.sender,
            "text": self.text,
            "buttons": [button.text for button in self.buttons],
            "links": {each.text: each.data for each in self.buttons if each.kind is ButtonKind.URL},
            "message_id": self.message_id,
            "sent_at": self.sent_at,
            "edited": self.edited_at is not None,
        }


class TranscriptStore:
    """All messages, by app and user. Each is in the file (readable by its owner only) before it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._chats: dict[tuple[App, str], dict[str, ChatMessage]] = defaultdict(dict)
        for line in path.read_text(encoding="utf-8").splitlines():
            self._keep(_parse(json.loads(line)))

    def put(self, message: ChatMessage) -> None:
        """Add a message, or replace the one with its id."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(message)) + "\n")
            self._keep(message)

    def edit(self, message: ChatMessage, text: str, buttons: tuple[Button, ...]) -> ChatMessage:
        """Replace a message's text and buttons. Return it."""
        edited = replace(message, text=text, buttons=buttons, edited_at=time.time())
        self.put(edited)
        return edited

    def find(self, app: App, user_id: str, message_id: str) -> ChatMessage | None:
        with self._lock:
            return self._chats[app, user_id].get(message_id)

    def list_chat(self, app: App, user_id: str) -> list[ChatMessage]:
        """Return the messages of a chat, oldest first."""
        with self._lock:
            return list(self._chats[app, user_id].values())

    def list_users(self) -> list[tuple[App, str]]:
        """Return the chats, the one with the newest message first."""
        with self._lock:
            chats = {key: [*chat.values()][-1].sent_at for key, chat in self._chats.items() if chat}
        return sorted(chats, key=chats.__getitem__, reverse=True)

    def count_messages(self) -> int:
        with self._lock:
            return sum(len(chat) for chat in self._chats.values())

    def find_button(self, app: App, user_id: str, text: str) -> tuple[ChatMessage, Button] | None:
        """Return the newest button with a text, and the message that it stands under."""
        for message in reversed(self.list_chat(app, user_id)):
            for button in message.buttons:
                if button.text == text:
                    return message, button
        return None

    def _keep(self, message: ChatMessage) -> None:
        self._chats[message.app, message.user_id][message.message_id] = message


def _parse(values: dict[str, Any]) -> ChatMessage:
    buttons = tuple(
        Button(each["text"], ButtonKind(each["kind"]), each["data"]) for each in values["buttons"]
    )
    return ChatMessage(**{**values, "app": App(values["app"]), "buttons": buttons})
