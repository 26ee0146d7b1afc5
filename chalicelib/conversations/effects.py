"""Effects of conversations: opt-outs, and the state of a registration. Pure."""

from datetime import datetime
from typing import Protocol

from chalicelib.contributions.service import FUND_ZONE
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.model import Effect, TextRef
from chalicelib.conversations.service import EffectContext, EffectResult, StoreWrite
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.messaging.opt_outs import OptOutStore
from chalicelib.rupiah import format_rupiah
from chalicelib.statuses.schemas import AskForStatus
from chalicelib.statuses.service import StatusService


class ChatOptOuts(Protocol):
    """The store of chats that want no messages but answers."""

    def build_opt_out_write(self, chat_key: str, *, now: datetime) -> StoreWrite:
        """Return the write that stores an opt-out."""

    def build_opt_in_write(self, chat_key: str) -> StoreWrite:
        """Return the write that ends an opt-out."""


class OptOutEffects:
    """Stores that a person wants no messages any more, or wants them again."""

    def __init__(self, *, conversations: ChatOptOuts, opt_outs: OptOutStore, hashing: KeyedHash) -> None:
        self._conversations = conversations
        self._opt_outs = opt_outs
        self._hashing = hashing

    def opt_out(self, effect: Effect, chat: EffectContext) -> EffectResult:
        """Store the opt-out of a chat, and that of its phone where the channel proves it."""
        event = chat.event
        if event.phone is not None and CAPABILITIES[event.channel].proves_phone:
            phone_hash = self._hashing.digest("phone", event.phone)
            self._opt_outs.record(phone_hash, occurred_at=event.received_at, source=event.channel)
        write = self._conversations.build_opt_out_write(chat.chat_key, now=chat.now)
        return EffectResult(writes=(write,))

    def opt_in(self, effect: Effect, chat: EffectContext) -> EffectResult:
        """End the opt-out of a chat. That of a phone is lifted by the operator alone, as gateways ask for."""
        return EffectResult(writes=(self._conversations.build_opt_in_write(chat.chat_key),))


class StatusEffect:
    """Tells the state of a registration to whoever knows its reference and its phone number."""

    def __init__(self, statuses: StatusService) -> None:
        self._statuses = statuses

    def look_up(self, effect: Effect, chat: EffectContext) -> EffectResult:
        """Return the state in words, with what is to be paid. Whatever does not match gets one answer."""
        asked = AskForStatus(reference=effect.args["reference"], phone=effect.args["phone"][:40])
        status = self._statuses.find_status(asked)
        notices = [TextRef(key="status", args={"state": status.state})]
        if status.active_until is not None:
            until = TextRef(key="date", args={"date": status.active_until.isoformat()})
            notices.append(TextRef(key="active_until", args={"date": until}))
        code = status.payment_code
        if code is not None and code.expires_on >= chat.now.astimezone(FUND_ZONE).date():
            due = TextRef(key="date", args={"date": code.expires_on.isoformat()})
            args: dict[str, str | TextRef] = {
                "code": code.code,
                "amount": format_rupiah(code.amount),
                "date": due,
            }
            notices.append(TextRef(key="payment_code", args=args))
        return EffectResult(notices=tuple(notices))
