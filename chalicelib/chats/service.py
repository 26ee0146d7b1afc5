"""Sending of the messages that conversations put out: each at most once, in the order of its chat.

A message of the queue only names an item of the outbox; the next step follows from the item. A started
attempt is stored before the provider is called. If the worker process dies after that, the message is
`unknown` and not sent again: no provider knows a repeat, and the person's next message is answered anyway.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.chats.prices import find_price
from chalicelib.clock import Clock
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.events import ChannelName, DeliveryReport
from chalicelib.conversations.messages import OutboxContent, OutboxEntry
from chalicelib.conversations.model import Acknowledgement
from chalicelib.conversations.sends import ChatSend, SendState, parse_tracker
from chalicelib.messaging.attempts import Outcome, OutcomeType, make_attempt
from chalicelib.messaging.gateways import GatewayAcceptance
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped, SendRateLimiter
from chalicelib.refusals import TryAgain

_MAX_SLOT_WAIT = timedelta(seconds=4)

# How long a channel rests after its provider accepted nothing from the account.
_ACCOUNT_STOP = timedelta(minutes=1)

_RETRY_SECONDS = 2
_MAX_WRITE_ATTEMPTS = 5


class ChatProvider(Protocol):
    """A provider of chats."""

    @property
    def name(self) -> str:
        """Return the name of its channel."""

    def send(self, content: OutboxContent, tracker: str) -> GatewayAcceptance:
        """Send one message. Raise a GatewayError."""


class ChatOutbox(Protocol):
    """Stores how far each message has come."""

    def find(self, chat_key: str, outbox_id: str) -> tuple[ChatSend, OutboxContent | None] | None:
        """Return a message, and its content until it is out; None if there is none."""

    def update(self, changed: ChatSend, *, previous: ChatSend) -> bool:
        """Store the next revision. Return False if the item has changed, or is gone."""

    def record_opt_out(self, chat_key: str, *, now: datetime) -> None:
        """Store that the person wants no messages but answers."""


class DialogueLedger(Protocol):
    """Counts the messages of dialogues."""

    def add_dialogue_message(
        self, campaign_day: CampaignDay, channel: str, *, price: int, chat_key: str
    ) -> None:
        """Count one message that a channel accepted, with its price in rupiah."""


class ChatSender:
    """Sends messages. `limiters` and `providers` are by channel; a channel without them is off."""

    def __init__(
        self,
        *,
        outbox: ChatOutbox,
        providers: Mapping[str, ChatProvider],
        limiters: Mapping[str, SendRateLimiter],
        ledger: DialogueLedger,
        clock: Clock,
        wait: Callable[[timedelta], None],
    ) -> None:
        self._outbox = outbox
        self._providers = providers
        self._limiters = limiters
        self._ledger = ledger
        self._clock = clock
        self._wait = wait

    def send(self, entry: OutboxEntry) -> ChatSend | None:
        """Send a message unless it was, or may have been, sent. Return its state, None if it is gone.

        Raise TryAgain if it must wait, and with it the later messages of the chat.
        """
        found = self._outbox.find(entry.chat_key, entry.outbox_id)
        if found is None:
            return None
        message, content = found
        if message.state is SendState.SENDING:
            return self._recover(message)
        if message.state is not SendState.PENDING or content is None:
            return message
        provider = self._providers.get(content.channel)
        if provider is None:
            return self._store(message.abandon("channel_off"), message)
        if message.is_expired(self._clock()):
            return self._store(message.abandon("expired"), message)
        self._wait_for_slot(content.channel)
        started = self._store(message.start_attempt(self._clock()), message)
        return self._attempt(started, content, provider)

    def record_report(self, report: DeliveryReport) -> ChatSend | None:
        """Store what a provider reports of a message. Return its state, None if it is not of the outbox."""
        named = parse_tracker(report.tracker or "")
        for _ in range(_MAX_WRITE_ATTEMPTS):
            found = None if named is None else self._outbox.find(*named)
            if found is None:
                return None
            message, _content = found
            reason = str(report.error_codes[0]) if report.error_codes else None
            changed = message.apply_report(has_failed=report.status == "failed", reason=reason)
            if changed is message or self._outbox.update(changed, previous=message):
                return changed
        raise TryAgain("the message changed meanwhile")

    def _attempt(self, started: ChatSend, content: OutboxContent, provider: ChatProvider) -> ChatSend:
        outcome = make_attempt(lambda: provider.send(content, started.tracker))
        ended = self._store(started.apply_outcome(outcome), started)
        if outcome.opted_out:
            self._outbox.record_opt_out(started.chat_key, now=self._clock())
        if outcome.is_account_failure:
            stop = SendingStop(outcome.reason, self._clock() + _ACCOUNT_STOP)
            self._limiters[content.channel].stop(stop)
        if outcome.outcome_type is OutcomeType.REJECTED:
            raise TryAgain(outcome.reason, retry_after_seconds=_choose_delay(outcome))
        if ended.state is SendState.SENT and not isinstance(content.message, Acknowledgement):
            self._count(ended)
        return ended

    def _count(self, message: ChatSend) -> None:
        """Count a message that is out. If the process dies here it stays uncounted: it is not sent again."""
        if message.campaign_day is not None:
            price = find_price(message.channel, "service", self._clock().date())
            self._ledger.add_dialogue_message(
                message.campaign_day, message.channel, price=price, chat_key=message.chat_key
            )

    def _recover(self, message: ChatSend) -> ChatSend:
        if not message.has_timed_out(self._clock()):
            raise TryAgain("another process is sending it", retry_after_seconds=_RETRY_SECONDS)
        return self._store(message.give_up_attempt(), message)

    def _wait_for_slot(self, channel: ChannelName) -> None:
        now = self._clock()
        try:
            slot = self._limiters[channel].reserve(
                timedelta(seconds=1) / CAPABILITIES[channel].messages_per_second,
                now=now,
                max_wait=_MAX_SLOT_WAIT,
            )
        except RateLimited:
            raise TryAgain("rate_limited", retry_after_seconds=_RETRY_SECONDS) from None
        except SendingStopped as stopped:
            seconds = (stopped.ends_at - now).total_seconds() if stopped.ends_at else 0
            raise TryAgain("stopped", retry_after_seconds=max(_RETRY_SECONDS, int(seconds) + 1)) from None
        self._wait(max(slot - now, timedelta(0)))

    def _store(self, changed: ChatSend, previous: ChatSend) -> ChatSend:
        if not self._outbox.update(changed, previous=previous):
            raise TryAgain("the message changed meanwhile", retry_after_seconds=_RETRY_SECONDS)
        return changed


def _choose_delay(outcome: Outcome) -> int:
    return outcome.retry_after_seconds or _RETRY_SECONDS
