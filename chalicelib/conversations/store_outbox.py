"""The outbox of chats in the conversations table: how far each message has come.

The conversation puts a message there, in the transaction of its event; the sender adds its attempts.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.aws.table import Table
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import from_optional_timestamp, to_optional_timestamp
from chalicelib.conversations import store_items
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.sends import ChatSend, SendState
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.records import record_parser

# The conversation writes no revision.
_FIRST_REVISION = 1
_IS_UNCHANGED = (
    "attribute_exists(pk) AND (revision = :was OR (attribute_not_exists(revision) AND :was = :first))"
)


class DynamoChatOutbox:
    """Satisfies `service.ChatOutbox`."""

    def __init__(self, client: Any, table_name: str, cipher: FieldCipher) -> None:
        self._table = Table(client, table_name)
        self._cipher = cipher

    def find(self, chat_key: str, outbox_id: str) -> tuple[ChatSend, OutboxContent | None] | None:
        values = self._table.get(store_items.build_outbox_key(chat_key, outbox_id))
        if values is None:
            return None
        content = store_items.parse_outbox_content(values, self._cipher) if "sealed" in values else None
        return _parse_send(values, chat_key, outbox_id), content

    def update(self, changed: ChatSend, *, previous: ChatSend) -> bool:
        stored = {
            ":state": changed.state,
            ":revision": changed.revision,
            ":attempts": changed.attempts,
            ":touched_at": to_optional_timestamp(changed.touched_at) or "",
            ":reason": changed.reason or "",
            ":provider_id": changed.provider_id or "",
        }
        # Once a message is out, or never will be, nobody needs its content.
        removal = "" if changed.state in {SendState.PENDING, SendState.SENDING} else " REMOVE sealed"
        write = self._table.update(
            store_items.build_outbox_key(changed.chat_key, changed.outbox_id),
            "SET #state = :state, revision = :revision, attempts = :attempts, touched_at = :touched_at, "
            f"reason = :reason, provider_id = :provider_id{removal}",
            _IS_UNCHANGED,
            compared={**stored, ":was": previous.revision, ":first": _FIRST_REVISION},
            names={"#state": "state"},
        )
        return self._table.try_run(write)

    def record_opt_out(self, chat_key: str, *, now: datetime) -> None:
        key = store_items.build_chat_key(chat_key, "OPT_OUT")
        self._table.run(self._table.put({**key, "since": now.isoformat()}))


@record_parser
def _parse_send(values: Mapping[str, Any], chat_key: str, outbox_id: str) -> ChatSend:
    campaign_id, day = values.get("campaign_day") or ("", "")
    return ChatSend(
        chat_key=chat_key,
        outbox_id=outbox_id,
        channel=values["channel"],
        created_at=datetime.fromisoformat(values["created_at"]),
        state=SendState(values["state"]),
        revision=int(values.get("revision", _FIRST_REVISION)),
        attempts=int(values.get("attempts", 0)),
        touched_at=from_optional_timestamp(values.get("touched_at") or None),
        reason=values.get("reason") or None,
        provider_id=values.get("provider_id") or None,
        fingerprint=values.get("fingerprint"),
        campaign_day=CampaignDay(campaign_id, date.fromisoformat(day)) if campaign_id else None,
    )
