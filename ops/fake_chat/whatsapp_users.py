"""WhatsApp users: each act of one is a webhook to the business."""

import time
from typing import Any

from ops.fake_chat.faults import InvalidRequest
from ops.fake_chat.transcripts import App, ButtonKind, ChatMessage, TranscriptStore
from ops.fake_chat.user_acts import Contact, UserAct
from ops.fake_chat.whatsapp_api import CloudApi, WhatsAppUser

_MEDIA: dict[str, dict[str, Any]] = {
    "photo": {
        "type": "image",
        "image": {"mime_type": "image/jpeg", "sha256": "c2hhMjU2", "id": "1003383421387256"},
    },
    "voice": {
        "type": "audio",
        "audio": {"mime_type": "audio/ogg", "sha256": "c2hhMjU2", "id": "1003383421387257", "voice": True},
    },
    "sticker": {
        "type": "sticker",
        "sticker": {"mime_type": "image/webp", "sha256": "c2hhMjU2", "id": "1", "animated": False},
    },
    "location": {"type": "location", "location": {"latitude": -6.186, "longitude": 106.811}},
}  # fmt: skip


class WhatsAppUsers:
    """Acts as users: each act is a webhook."""

    def __init__(self, api: CloudApi, transcripts: TranscriptStore) -> None:
        self._api = api
        self._transcripts = transcripts

    def act(self, user_id: str, act: UserAct) -> dict[str, Any]:
        """Do what `act` says. Return the webhook's body. Raise InvalidRequest."""
        if not (user_id.isdecimal() or user_id.startswith("ID.")):
            raise InvalidRequest("a WhatsApp user is a phone's digits, or ID. and digits for one without")
        if act.button is not None:
            return self._press(user_id, act.button)
        if act.contact is not None:
            return self._share_contact(user_id, act.contact)
        if act.media is not None:
            return self._write(user_id, f"[{act.media}]", _MEDIA[act.media])
        if act.blocks is not None:
            # A business is not told: its messages are not delivered any more.
            (self._api.blocked.add if act.blocks else self._api.blocked.discard)(user_id)
            return {}
        return self._write(user_id, act.text or "", {"type": "text", "text": {"body": act.text}})

    def _press(self, user_id: str, text: str) -> dict[str, Any]:
        found = self._transcripts.find_button(App.WHATSAPP, user_id, text)
        if found is None:
            raise InvalidRequest(f"there is no button {text!r}")
        message, button = found
        if button.kind is ButtonKind.URL:
            return {"opens": button.data}
        if button.kind is ButtonKind.CONTACT:
            raise InvalidRequest("this button shares a contact: send one")
        kind = "list_reply" if button.data.startswith("list:") else "button_reply"
        reply = {"id": button.data.removeprefix("list:"), "title": button.text}
        content = {"type": "interactive", "interactive": {"type": kind, kind: reply}}
        return self._write(user_id, text, {**content, "context": {"id": message.message_id}})

    def _share_contact(self, user_id: str, contact: Contact) -> dict[str, Any]:
        phones = [{"phone": contact.phone_number, "wa_id": contact.phone_number.lstrip("+"), "type": "CELL"}]
        name = {"formatted_name": f"User {user_id[-4:]}", "first_name": "User"}
        origin = {"origin": "contact_request"} if contact.own else {}
        content = {"type": "contacts", "contacts": [{"name": name, "phones": phones, **origin}]}
        return self._write(user_id, f"[contact {contact.phone_number}]", content)

    def _write(self, user_id: str, shown: str, content: dict[str, Any]) -> dict[str, Any]:
        user = WhatsAppUser(user_id)
        written = ChatMessage(App.WHATSAPP, user_id, self._api.make_message_id(), "user", shown)
        self._transcripts.put(written)
        phone = {} if user.phone is None else {"from": user.phone}
        message = {
            "id": written.message_id,
            "from_user_id": user.business_scoped_id,
            **phone,
            "timestamp": str(int(time.time())),
            **content,
        }
        return self._api.send_webhook(user, {"messages": [message]})
