"""Telegram users: each act of one is an update to their bot."""

import itertools
import json
import time
from typing import Any

from ops.fake_chat.deliveries import Delivery, WebhookSender
from ops.fake_chat.faults import InvalidRequest
from ops.fake_chat.telegram_api import BOT_USER, BotApi, describe_message, make_user
from ops.fake_chat.transcripts import App, Button, ButtonKind, ChatMessage, TranscriptStore
from ops.fake_chat.user_acts import Contact, UserAct

_MEDIA: dict[str, dict[str, Any]] = {
    "photo": {"photo": [{"file_id": "f1", "file_unique_id": "u1", "width": 90, "height": 60}]},
    "voice": {"voice": {"file_id": "f2", "file_unique_id": "u2", "duration": 3}},
    "sticker": {
        "sticker": {
            "file_id": "f3", "file_unique_id": "u3", "type": "regular", "width": 512, "height": 512,
            "is_animated": False, "is_video": False,
        }
    },
    "location": {"location": {"latitude": -6.186, "longitude": 106.811}},
}  # fmt: skip


class TelegramUsers:
    """Acts as users: each act is an update, delivered to the bot's webhook."""

    def __init__(self, api: BotApi, transcripts: TranscriptStore, webhooks: WebhookSender) -> None:
        self._api = api
        self._transcripts = transcripts
        self._webhooks = webhooks
        self._update_ids = itertools.count(int(time.time()) * 1000)

    def act(self, user_id: str, act: UserAct) -> dict[str, Any]:
        """Do what `act` says. Return the update. Raise InvalidRequest."""
        if not user_id.isdecimal():
            raise InvalidRequest("a Telegram user's id is a number")
        if act.button is not None:
            return self._press(user_id, act.button)
        if act.contact is not None:
            return self._share_contact(user_id, act.contact)
        if act.media is not None:
            return self._write(user_id, f"[{act.media}]", _MEDIA[act.media])
        if act.blocks is not None:
            return self._set_blocked(user_id, is_blocked=act.blocks)
        return self._write(user_id, act.text or "", {"text": act.text})

    def _press(self, user_id: str, text: str) -> dict[str, Any]:
        found = self._transcripts.find_button(App.TELEGRAM, user_id, text)
        if found is None:
            raise InvalidRequest(f"there is no button {text!r}")
        message, button = found
        match button.kind:
            case ButtonKind.CALLBACK:
                return self._send_callback(user_id, message, button)
            case ButtonKind.TEXT:
                return self._write(user_id, text, {"text": text})
            case ButtonKind.CONTACT:
                raise InvalidRequest("this button shares a contact: send one")
            case ButtonKind.URL:
                return {"opens": button.data}

    def _send_callback(self, user_id: str, message: ChatMessage, button: Button) -> dict[str, Any]:
        query = {
            "id": self._api.open_callback(user_id),
            "from": make_user(user_id),
            "message": describe_message(message),
            "chat_instance": f"-{user_id}",
            "data": button.data,
        }
        pressed = ChatMessage(App.TELEGRAM, user_id, f"q{query['id']}", "user", button.text)
        self._transcripts.put(pressed)
        # Callback queries are another queue than messages: the two are not ordered.
        return self._send_update(user_id, "callback_query", query, lane="callbacks")

    def _share_contact(self, user_id: str, contact: Contact) -> dict[str, Any]:
        owner = {"user_id": int(user_id)} if contact.own else {}
        content = {"phone_number": contact.phone_number, "first_name": f"User {user_id}", **owner}
        return self._write(user_id, f"[contact {contact.phone_number}]", {"contact": content})

    def _set_blocked(self, user_id: str, *, is_blocked: bool) -> dict[str, Any]:
        (self._api.blocked.add if is_blocked else self._api.blocked.discard)(user_id)
        member, kicked = {"status": "member", "user": BOT_USER}, {"status": "kicked", "user": BOT_USER}
        content = {
            "chat": {"id": int(user_id), "type": "private", "first_name": f"User {user_id}"},
            "from": make_user(user_id),
            "date": int(time.time()),
            "old_chat_member": member if is_blocked else kicked | {"until_date": 0},
            "new_chat_member": kicked | {"until_date": 0} if is_blocked else member,
        }
        return self._send_update(user_id, "my_chat_member", content)

    def _write(self, user_id: str, shown: str, content: dict[str, Any]) -> dict[str, Any]:
        message = ChatMessage(App.TELEGRAM, user_id, self._api.make_message_id(), "user", shown)
        self._transcripts.put(message)
        described = {**describe_message(message), **content}
        if "text" not in content:
            del described["text"]
        elif shown.startswith("/"):
            length = len(shown.split(maxsplit=1)[0])
            described["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return self._send_update(user_id, "message", described)

    def _send_update(
        self, user_id: str, kind: str, content: dict[str, Any], lane: str = "messages"
    ) -> dict[str, Any]:
        update = {"update_id": next(self._update_ids), kind: content}
        webhook = self._api.webhook
        if webhook.url and (not webhook.allowed_updates or kind in webhook.allowed_updates):
            headers = {"Content-Type": "application/json"}
            if webhook.secret_token:
                headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret_token
            self._webhooks.send(
                Delivery(
                    app=App.TELEGRAM,
                    user_id=user_id,
                    lane=f"telegram {lane} {user_id}",
                    url=webhook.url,
                    body=json.dumps(update).encode(),
                    headers=headers,
                )
            )
        return update
