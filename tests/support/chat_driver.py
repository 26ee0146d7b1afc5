"""A person with a phone, as tests need one: events in, rendered replies out, with the pure engine alone."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.engine import step
from chalicelib.conversations.events import (
    ChannelName,
    Choice,
    Contact,
    Content,
    InboundEvent,
    Media,
    TypedText,
)
from chalicelib.conversations.form import FORMS, Form, build_capture_fields
from chalicelib.conversations.layout import render_option
from chalicelib.conversations.model import Effect, Prompt, Session, Step
from chalicelib.conversations.outcomes import NotRegistered, Registered, conclude
from chalicelib.conversations.questions import Context
from chalicelib.conversations.rules import IntakeRules
from chalicelib.conversations.submitting import build_caller
from chalicelib.devices.consent_texts import load_consent_texts
from tests.support.builders import NOW
from tests.support.device_builders import make_checker
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.summaries import make_due_list
from tests.support.registration_builders import CAMPAIGN_ID, make_campaign

PHONE = "+6281234567890"
CHAT = "700000001"


def make_rules(channel: ChannelName = "telegram", *, now: datetime = NOW) -> IntakeRules:
    """Return the rules of intake for the campaign at Pasar Tanah Abang."""
    clock = FixedClock(now)
    return IntakeRules(
        checker=make_checker(now=now),
        campaigns=CampaignService(
            campaigns=InMemoryCampaigns(make_campaign()), get_due_list=make_due_list, clock=clock
        ),
        quotes=QuoteService(rules=load_rules(), clock=clock),
        caller=build_caller(channel),
        clock=clock,
    )


def make_context(
    channel: ChannelName = "telegram", *, now: datetime = NOW, form: Form | None = None
) -> Context:
    """Return the context of a step."""
    capabilities = CAPABILITIES[channel]
    return Context(
        form=form or FORMS[capabilities.form_id],
        capabilities=capabilities,
        rules=make_rules(channel, now=now),
        now=now,
        default_campaign=CAMPAIGN_ID,
        consent_version=load_consent_texts()[0].version,
        proven_phone=PHONE if capabilities.proves_phone else None,
    )


def make_event(
    content: Content | str, *, channel: ChannelName = "telegram", number: int = 1, now: datetime = NOW
) -> InboundEvent:
    """Return the event of a message; a string is a text."""
    return InboundEvent(
        channel=channel,
        account="bot",
        sender=PHONE if CAPABILITIES[channel].proves_phone else CHAT,
        event_id=str(number),
        received_at=now,
        content=TypedText(text=content) if isinstance(content, str) else content,
        phone=PHONE if CAPABILITIES[channel].proves_phone else None,
    )


@dataclass
class Person:
    """A person in one chat. `outcome` is what intake answers to a registration: usually that it was taken."""

    channel: ChannelName = "telegram"
    outcome: Callable[[Session], Registered | NotRegistered] | None = None
    context: Context = field(init=False)
    session: Session | None = None
    prompt: Prompt | None = None
    effects: list[Effect] = field(default_factory=list)
    registered: list[Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = make_context(self.channel)

    def send(self, content: Content | str) -> Step:
        """Send an event, let intake answer a registration, and return the last step."""
        event = make_event(content, channel=self.channel, now=self.context.now)
        answered = step(self.session, event, self.context)
        self.effects += answered.effects
        if any(effect.kind == "register" for effect in answered.effects):
            self.registered.append(answered.session)
            answered = conclude(answered.session, self._register(answered.session), self.context)
        self.session = answered.session
        self.prompt = answered.prompt or self.prompt
        return answered

    def _register(self, session: Session) -> Registered | NotRegistered:
        if self.outcome is not None:
            return self.outcome(session)
        fields = build_capture_fields(session.answers, self.context.form)
        return Registered(self.context.rules.compute_price(fields) or 0)

    def say(self, *texts: str) -> Step:
        """Send texts one after another, and return the last step."""
        return [self.send(text) for text in texts][-1]

    def tap(self, label: str) -> Step:
        """Tap the button with a label of the last prompt."""
        return self.send(Choice(choice_id=self.find_choice_id(label)))

    def find_choice_id(self, label: str) -> str:
        """Return the id of the button with a label of the last prompt."""
        assert self.prompt is not None
        assert self.session is not None
        for option in self.prompt.options:
            if render_option(option, self.session.language) == label:
                return self.prompt.build_choice_id(option)
        raise AssertionError(f"no button {label}")

    def share_contact(self, *, is_own: bool = True) -> Step:
        """Share a contact card."""
        return self.send(Contact(phone=PHONE, is_own=is_own))

    def send_photo(self) -> Step:
        """Send something that is no text."""
        return self.send(Media())

    def wait(self, duration: timedelta) -> None:
        """Let time pass."""
        self.context = replace(self.context, now=self.context.now + duration)
