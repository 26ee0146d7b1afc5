"""Telling workers: one text per event, however often the event is announced."""

from datetime import timedelta
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.notifications import gsm7
from chalicelib.notifications.errors import Never, OutcomeUnknown, StopEverything, TryLater
from chalicelib.notifications.gateways import Gateway, Outgoing
from chalicelib.notifications.model import Text, TextState, message_id
from chalicelib.notifications.templates import Purpose, template
from chalicelib.registrations.messages import RegistrationReceived
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone

# Longer than the sending function may run: an attempt this old can have no one working on it any more.
_ATTEMPT_ENDS_WITHIN = timedelta(seconds=60)

# A confirmation that arrives a day late only confuses.
_DEADLINE = timedelta(days=1)


class BeingSent(Exception):
    """Another delivery of the same message is sending this text right now; look again later."""


class Ledger(Protocol):
    """Where texts are kept. Every write is conditional on the state that was read."""

    def begin(self, text: Text) -> Text | None:
        """Store a text whose first attempt begins now; the text that stands there already, or None if it
        was stored.
        """

    def move(self, text: Text, *, was: Text) -> bool:
        """Store a text's next state; False if it has moved meanwhile."""


class Registrations(Protocol):
    """What telling needs of registrations."""

    def get(self, known_reference: str) -> Registration:
        """Raises RegistrationUnknown."""


class Notifier:
    """Sends the texts that events call for."""

    def __init__(
        self, *, registrations: Registrations, ledger: Ledger, gateway: Gateway, clock: Clock
    ) -> None:
        self._registrations = registrations
        self._ledger = ledger
        self._gateway = gateway
        self._clock = clock

    def tell_received(self, event: RegistrationReceived) -> Text:
        """Tell a worker that the registration has arrived. Returns the text as the ledger has it now.

        An event already told, or whose text may have gone out, sends nothing. Raises BeingSent, TryLater or
        StopEverything, after which the same event is to be delivered again.
        """
        registration = self._registrations.get(event.reference)
        wording = template(Purpose.RECEIVED)
        words = wording.render(
            registration.worker.language,
            name=registration.worker.name,
            reference=registration.reference,
        )
        if not gsm7.is_gsm7(words) or gsm7.septets(words) > gsm7.SEGMENT_SEPTETS:
            raise ValueError(f"{wording.purpose} does not fit one part")
        text = Text(
            message_id=message_id(registration.reference, wording.purpose, wording.version),
            registration=registration.reference,
            campaign_id=registration.taken.campaign_id,
            purpose=wording.purpose,
            template_version=wording.version,
            state=TextState.ATTEMPTING,
            attempts=1,
            attempted_at=self._clock(),
            correlation_id=event.correlation_id,
        )
        standing = self._ledger.begin(text)
        if standing is not None:
            if standing.state is not TextState.PENDING:
                return self._settled(standing)
            text = standing.attempted_again(self._clock())
            if not self._ledger.move(text, was=standing):
                raise BeingSent(text.message_id)
        return self._attempt(text, to=registration.worker.phone, words=words)

    def _settled(self, text: Text) -> Text:
        if text.state is not TextState.ATTEMPTING:
            return text
        if self._clock() < text.attempted_at + _ATTEMPT_ENDS_WITHIN:
            raise BeingSent(text.message_id)
        # Whoever began this attempt was stopped before it could say how it ended.
        return self._moved(text, TextState.UNKNOWN, reason="attempt_abandoned")

    def _attempt(self, text: Text, *, to: Phone, words: str) -> Text:
        outgoing = Outgoing(
            to=to,
            words=words,
            message_id=text.message_id,
            correlation_id=text.correlation_id,
            parts=text.parts,
            deadline=text.attempted_at + _DEADLINE,
            purpose=text.purpose,
        )
        try:
            accepted = self._gateway.send(outgoing)
        except (TryLater, StopEverything) as later:
            self._moved(text, TextState.PENDING, reason=later.reason)
            raise
        except Never as never:
            return self._moved(text, TextState.FAILED, reason=never.reason)
        except OutcomeUnknown as unknown:
            return self._moved(text, TextState.UNKNOWN, reason=unknown.reason)
        return self._moved(text, TextState.ACCEPTED, gateway_id=accepted.gateway_id)

    def _moved(
        self, text: Text, state: TextState, *, gateway_id: str | None = None, reason: str | None = None
    ) -> Text:
        moved = text.moved(state, gateway_id=gateway_id, reason=reason)
        self._ledger.move(moved, was=text)
        return moved
