"""Registration of the worker of a draft, by the intake that every channel uses, as one of the public."""

import json
from datetime import datetime
from uuid import UUID

from chalicelib.callers import EVERY_CAMPAIGN, Caller, Channel, Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clock import Clock, to_timestamp
from chalicelib.contributions.service import FUND_ZONE
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.events import ChannelName, InboundEvent
from chalicelib.conversations.form import FORMS, build_capture_fields
from chalicelib.conversations.model import Session
from chalicelib.conversations.outcomes import NotRegistered, Registered
from chalicelib.conversations.rules import FormRules
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import nik
from chalicelib.registrations.errors import (
    CaptureErased,
    CaptureReused,
    InvalidValue,
    PhoneCapReached,
    WorkerCapturesReached,
)
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.messages import SubmitRegistration

_UUID_DIGITS = 32
_WITHOUT = dict.fromkeys(("phone", "address", "postal_code"))
_UUID_VERSION = 5  # RFC 9562: made of a hash.


def build_caller(channel: ChannelName) -> Caller:
    """Return the caller as which a channel registers workers: one of the public, as a bot is."""
    return Caller(
        client_id=f"chat-{channel}",
        roles=frozenset({Role.BOT}),
        channel=Channel(channel),
        campaigns=frozenset({EVERY_CAMPAIGN}),
    )


class DraftSubmitter:
    """Sends drafts to intake."""

    def __init__(self, *, intake: IntakeService, rules: FormRules, hashing: KeyedHash, clock: Clock) -> None:
        self._intake = intake
        self._rules = rules
        self._hashing = hashing
        self._clock = clock

    def make_capture_id(self, event_key: str) -> UUID:
        """Return the id of the capture that an event makes: a repeated delivery makes the same one."""
        digest = self._hashing.digest("chat capture", event_key)
        return UUID(hex=digest[:_UUID_DIGITS], version=_UUID_VERSION)

    def find_nik(self, session: Session) -> str | None:
        """Return the NIK of a draft, or None if it has none."""
        try:
            typed = session.answers["nik"]
            return nik.parse(typed, capture_day=self._clock().astimezone(FUND_ZONE).date())[0]
        except (KeyError, InvalidValue):
            return None

    def register(
        self, session: Session, event: InboundEvent, event_key: str, *, now: datetime
    ) -> Registered | NotRegistered:
        """Register the worker of a draft. Whatever is known of the worker, the answer is the same.

        Raise TryAgain.
        """
        fields = build_capture_fields(session.answers, FORMS[session.form_id])
        document = {
            **fields,
            "capture_id": str(self.make_capture_id(event_key)),
            "campaign_id": session.campaign_id,
            "captured_at": to_timestamp(now),
            "consent": {
                "text_version": session.answers["consent"],
                "given_at": to_timestamp(session.consented_at or now),
                "method": CAPABILITIES[event.channel].consent_method,
                "language": session.language,
            },
        }
        # A version of the form may not ask for what a worker may be without.
        document["worker"] = {**_WITHOUT, **document["worker"], "language": session.language}
        command = SubmitRegistration.model_validate_json(json.dumps(document), strict=True)
        try:
            result = self._intake.submit(
                command, caller=build_caller(event.channel), correlation_id=event_key[:_UUID_DIGITS]
            )
        except CaptureReused:
            # An earlier delivery was stored.
            return Registered(self._rules.compute_price(fields) or 0)
        except (CaptureErased, WorkerCapturesReached):
            # It was stored and erased since, or the worker is known too well: nobody may learn which.
            return Registered(self._rules.compute_price(fields) or 0, is_captured=False)
        except RulesBroken as refusal:
            return NotRegistered(refusal.broken_rules)
        except CampaignUnknown:
            return NotRegistered((BrokenRule("campaign_id", "campaign_closed"),))
        except (ClientCapReached, PhoneCapReached):
            return NotRegistered(is_over_limit=True)
        return Registered(result.answer.quote.total)
