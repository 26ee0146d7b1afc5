"""Conversations in DynamoDB: one transaction an event."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, TransactionFailed, Write
from chalicelib.campaigns.model import CampaignDay
from chalicelib.conversations import store_items
from chalicelib.conversations.messages import ChatLink, ChatRecord, OutboxContent
from chalicelib.conversations.service import EventSeen, HandledEvent, SessionChanged, StoredSession, Turn
from chalicelib.crypto.encryption import FieldCipher

_BY_WORKER = "by_worker"
_IS_NEW = "attribute_not_exists(pk)"


class DynamoConversations:
    """Satisfies `service.Conversations`."""

    def __init__(self, client: Any, table_name: str, cipher: FieldCipher) -> None:
        self._table = Table(client, table_name)
        self._cipher = cipher

    def find_session(self, chat_key: str, *, now: datetime) -> StoredSession:
        values = self._table.get(store_items.build_chat_key(chat_key, "SESSION"))
        if values is None:
            return StoredSession(None, 0)
        # DynamoDB deletes an expired item up to some days late.
        is_expired = values["expires_at"] <= now.timestamp()
        session = None if is_expired else store_items.parse_session(values, self._cipher)
        worker_key = None if is_expired else values.get("worker_key")
        return StoredSession(session, int(values["revision"]), worker_key)

    def find_event(self, chat_key: str, event_key: str) -> HandledEvent | None:
        values = self._table.get(store_items.build_chat_key(chat_key, f"EVENT#{event_key}"))
        if values is None:
            return None
        return HandledEvent(tuple(values["outbox_ids"]), store_items.parse_reply(values, self._cipher))

    def has_opted_out(self, chat_key: str) -> bool:
        return self._table.get(store_items.build_chat_key(chat_key, "OPT_OUT")) is not None

    def commit(self, turn: Turn, writes: Sequence[Write] = ()) -> None:
        session = store_items.build_session_values(turn, self._cipher)
        is_next = "revision = :revision" if turn.revision else f"{_IS_NEW} OR revision = :revision"
        transaction = [
            self._table.put(store_items.build_event_values(turn, self._cipher), _IS_NEW),
            self._table.put(session, is_next, compared={":revision": turn.revision}),
            *(
                self.build_outbox_write(
                    *(turn.chat_key, outbox_id, content),
                    now=turn.now,
                    worker_key=turn.worker_key,
                    campaign_day=turn.campaign_day,
                )
                for outbox_id, content in turn.messages
            ),
            *writes,
        ]
        try:
            self._table.transact(transaction)
        except TransactionFailed as failed:
            if 0 in failed.current:
                raise EventSeen(turn.event_key) from None
            raise SessionChanged(turn.chat_key) from None

    def build_outbox_write(
        self,
        chat_key: str,
        outbox_id: str,
        content: OutboxContent,
        *,
        now: datetime,
        worker_key: str | None,
        campaign_day: CampaignDay | None = None,
        fingerprint: str | None = None,
    ) -> Write:
        """Return the write that puts a message out, once. Its id must be unique in the chat."""
        values = store_items.build_outbox_values(
            *(chat_key, outbox_id, content, self._cipher),
            now=now,
            worker_key=worker_key,
            campaign_day=campaign_day,
            fingerprint=fingerprint,
        )
        return self._table.put(values, _IS_NEW)

    def build_link_write(
        self,
        capture_id: str,
        link: ChatLink,
        *,
        now: datetime,
        worker_key: str | None,
        retention: timedelta = store_items.LINK_RETENTION,
    ) -> Write:
        """Return the write that names the chat of a capture; a repeat of it changes nothing."""
        return self._table.put(
            store_items.build_link_values(
                *(capture_id, link, self._cipher), now=now, worker_key=worker_key, retention=retention
            )
        )

    def put_link(self, capture_id: str, link: ChatLink, *, now: datetime, worker_key: str) -> None:
        """Store the chat of a capture. It may be repeated."""
        self._table.run(self.build_link_write(capture_id, link, now=now, worker_key=worker_key))

    def build_hand_off_write(
        self, link: ChatLink, item_id: str, *, now: datetime, worker_key: str | None
    ) -> Write:
        """Return the write that keeps where a person who wants to talk to somebody is answered."""
        return self._table.put(
            store_items.build_hand_off_values(link, item_id, self._cipher, now=now, worker_key=worker_key)
        )

    def find_hand_off(self, chat_key: str, *, now: datetime) -> ChatLink | None:
        """Return where a person is answered, or None if nobody asked for that for a week."""
        values = self._table.get(store_items.build_chat_key(chat_key, "HAND_OFF"))
        if values is None or values["expires_at"] <= now.timestamp():
            return None
        return store_items.parse_link(values, self._cipher)

    def build_opt_out_write(self, chat_key: str, *, now: datetime) -> Write:
        key = store_items.build_chat_key(chat_key, "OPT_OUT")
        return self._table.put({**key, "since": now.isoformat()})

    def build_opt_in_write(self, chat_key: str) -> Write:
        return self._table.delete(store_items.build_chat_key(chat_key, "OPT_OUT"))

    def find_link(self, capture_id: str) -> ChatLink | None:
        """Return the chat that a capture was made in, or None."""
        values = self._table.get(store_items.build_link_key(capture_id))
        return None if values is None else store_items.parse_link(values, self._cipher)

    def erase_link(self, capture_id: str) -> None:
        """Forget the chat of a capture. It may be repeated."""
        self._table.run(self._table.delete(store_items.build_link_key(capture_id)))

    def iter_worker_records(self, worker_key: str) -> Iterator[ChatRecord]:
        """Yield what chats hold on a worker; the newest may be missing for a moment."""
        for values in self._iter_worker_items(worker_key):
            record = store_items.parse_worker_record(values, self._cipher)
            if record is not None:
                yield record

    def erase_worker(self, worker_key: str) -> None:
        """Delete drafts of a worker and messages about the worker. Events that were handled stay known.

        The chat of a capture is forgotten with the capture. It may be repeated.
        """
        for values in list(self._iter_worker_items(worker_key)):
            key = {"pk": values["pk"], "sk": values["sk"]}
            is_same, compared = "worker_key = :worker", {":worker": worker_key}
            if values["sk"].startswith("EVENT#"):
                self._table.try_run(
                    self._table.update(key, "REMOVE sealed, worker_key", is_same, compared=compared)
                )
            elif values["sk"] != "LINK":
                self._table.try_run(self._table.delete(key, is_same, compared=compared))
            if values["sk"] == "SESSION":
                # The person may have asked to talk to somebody before the NIK was known.
                self._table.run(self._table.delete({**key, "sk": "HAND_OFF"}))

    def _iter_worker_items(self, worker_key: str) -> Iterator[Values]:
        keys = list(self._table.query("worker_key = :worker", {":worker": worker_key}, index=_BY_WORKER))
        yield from self._table.get_many([{"pk": each["pk"], "sk": each["sk"]} for each in keys])
