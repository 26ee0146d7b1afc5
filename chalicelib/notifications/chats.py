"""Notifications in the chat that a worker came by. What the chat does not take goes to the phone. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.messaging.errors import AccountFailure, PermanentFailure
from chalicelib.messaging.gateways import ChatTarget, Gateway, GatewayAcceptance, OutgoingSms
from chalicelib.notifications.model import Sms
from chalicelib.registrations.model import Registration
from chalicelib.sms_purposes import Purpose

# The answer in the chat has said that the registration was received, to known workers and to new ones alike.
# The reference goes by SMS alone: a second message in the chat would tell its sender that the NIK was new.
_PHONE_ONLY = frozenset({Purpose.RECEIVED, Purpose.ALREADY_REGISTERED})


class Chats(Protocol):
    """Knows the chats in which captures were made."""

    def find_target(self, capture_id: str, *, now: datetime) -> ChatTarget | None:
        """Return the chat of a capture; None without one, or if the person wants no messages there."""


class ChatTargets:
    """Chooses the SMS that go to a chat. `timeout` is how long it is tried there."""

    def __init__(self, chats: Chats, *, timeout: timedelta) -> None:
        self._chats = chats
        self._timeout = timeout

    def find(self, sms: Sms, registration: Registration, now: datetime) -> ChatTarget | None:
        """Return the chat that an SMS goes to now, None for the phone."""
        is_for_phone = sms.purpose in _PHONE_ONLY or sms.request_version is not None
        if is_for_phone or sms.is_chat_over or sms.is_resent or now >= sms.begun_at + self._timeout:
            return None
        return self._chats.find_target(registration.capture_metadata.capture_id, now=now)

    def find_chat_key(self, registration: Registration, now: datetime) -> str | None:
        """Return the key of the chat that a registration came by, or None."""
        target = self._chats.find_target(registration.capture_metadata.capture_id, now=now)
        return None if target is None else target.chat_key


class ChatFirstGateway:
    """Satisfies `gateways.Gateway`: asks the worker's chat first, and the SMS gateways if that says no.

    A chat that may accept the message later, or perhaps has, is not passed over: nobody is told twice.
    `on_refused` is called with the chat that took no message, and the error.
    """

    def __init__(
        self,
        gateway: Gateway,
        chats: Mapping[str, Gateway],
        *,
        on_refused: Callable[[ChatTarget, PermanentFailure | AccountFailure], None],
    ) -> None:
        self._gateway = gateway
        self._chats = chats
        self._on_refused = on_refused

    @property
    def name(self) -> str:
        return self._gateway.name

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send one SMS. Raise as the gateways do; a chat's refusal is none of the phone."""
        chat = None if outgoing.chat is None else self._chats.get(outgoing.chat.channel)
        if chat is not None and outgoing.chat is not None:
            try:
                return chat.send(outgoing)
            except (PermanentFailure, AccountFailure) as error:
                self._on_refused(outgoing.chat, error)
        return self._gateway.send(outgoing)
