"""Whatever is delivered again, and in whatever order: one session, one registration, each answer once."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.conversations.events import InboundEvent
from chalicelib.conversations.model import Session
from chalicelib.conversations.outcomes import NotRegistered, Registered
from chalicelib.conversations.questions import Context
from chalicelib.conversations.service import ConversationService, EffectContext, EffectResult
from chalicelib.conversations.submitting import DraftSubmitter
from chalicelib.crypto.hashing import HashKey, KeyedHash
from tests.support.builders import NOW
from tests.support.chat_driver import make_context, make_event, make_rules
from tests.support.fakes.chats import InMemoryConversations
from tests.support.fakes.clock import FixedClock

TEXTS = (
    *("halo", "setuju", "3171064504850003", "0812-3456-7890", "Siti Aminah", "Jl. Kebon Kacang 3", "10240"),
    *("kuli panggul", "Blok A", "2,5 juta", "tidak", "tidak", "3", "kirim", "terima kasih"),
)
EVENTS = tuple(make_event(text, number=number) for number, text in enumerate(TEXTS))


_REGISTERED = Registered(49_200)


class CountingSubmitter(DraftSubmitter):
    """Registers without intake: counts captures by their ids, as intake does."""

    def __init__(self, hashing: KeyedHash, outcome: Registered | NotRegistered) -> None:
        self._outcome = outcome
        super().__init__(intake=None, rules=make_rules(), hashing=hashing, clock=FixedClock(NOW))  # type: ignore[arg-type]
        self.capture_ids: set[str] = set()

    def register(
        self, session: Session, event: InboundEvent, event_key: str, *, now: datetime
    ) -> Registered | NotRegistered:
        """Count the capture of an event."""
        self.capture_ids.add(str(self.make_capture_id(event_key)))
        return self._outcome


class Chats:
    """A service over stores in memory. `sent` are the ids that were passed on, repeats too."""

    def __init__(self, outcome: Registered | NotRegistered = _REGISTERED) -> None:
        hashing = KeyedHash(lambda: HashKey(bytes(32)))
        self.store, self.submitter = InMemoryConversations(), CountingSubmitter(hashing, outcome)
        self.sent: list[str] = []
        self.service = ConversationService(
            conversations=self.store,
            build_context=self._build_context,
            submitter=self.submitter,
            effects={"opt_out": self._ignore, "opt_in": self._ignore},
            send=lambda chat_key, outbox_ids: self.sent.extend(outbox_ids),
            hashing=hashing,
            clock=FixedClock(NOW),
        )

    def deliver(self, events: Sequence[InboundEvent]) -> None:
        """Deliver events one after another."""
        for event in events:
            self.service.handle(event)

    @staticmethod
    def _build_context(event: InboundEvent, now: datetime) -> Context:
        return make_context("telegram", now=now)

    @staticmethod
    def _ignore(effect: object, chat: EffectContext) -> EffectResult:
        return EffectResult()


def deliver_once(count: int = len(EVENTS)) -> Chats:
    chats = Chats()
    chats.deliver(EVENTS[:count])
    return chats


@st.composite
def repeated(draw: st.DrawFn) -> tuple[int, list[InboundEvent]]:
    """Return the first events in order, each again at any later time."""
    count = draw(st.integers(min_value=0, max_value=len(EVENTS)))
    deliveries: list[InboundEvent] = []
    for number in range(count):
        deliveries.append(EVENTS[number])
        again = draw(st.lists(st.integers(min_value=0, max_value=number), max_size=2))
        deliveries += [EVENTS[each] for each in again]
    return count, deliveries


@settings(max_examples=30)
@given(repeated())
def test_repeated_deliveries_leave_session_messages_and_registration_as_they_are(
    given_events: tuple[int, list[InboundEvent]],
) -> None:
    count, deliveries = given_events
    once, again = deliver_once(count), Chats()
    again.deliver(deliveries)
    assert again.store.sessions == once.store.sessions
    assert again.store.messages == once.store.messages
    assert again.submitter.capture_ids == once.submitter.capture_ids
    assert list(dict.fromkeys(again.sent)) == once.sent, "the sender gets an id again, and knows it"


def test_the_story_registers_one_worker() -> None:
    chats = deliver_once()
    assert len(chats.submitter.capture_ids) == 1
    assert chats.store.links == list(chats.submitter.capture_ids)


@pytest.mark.parametrize(
    "outcome", [NotRegistered(is_over_limit=True), Registered(49_200, is_captured=False)]
)
def test_the_chat_is_not_kept_for_a_capture_that_is_not(outcome: Registered | NotRegistered) -> None:
    chats = Chats(outcome)
    chats.deliver(EVENTS)
    assert chats.submitter.capture_ids
    assert chats.store.links == []


@settings(max_examples=30)
@given(st.permutations([*EVENTS, *EVENTS]))
def test_no_order_of_deliveries_registers_twice_or_leaves_the_chat_without_a_way_on(
    deliveries: list[InboundEvent],
) -> None:
    chats = Chats()
    chats.deliver(deliveries)
    assert len(chats.submitter.capture_ids) <= 1
    answered = len(chats.store.events)
    assert answered == len(EVENTS)
    before = len(chats.submitter.capture_ids)
    numbers = iter(range(100, 200))
    chats.deliver([make_event(text, number=next(numbers)) for text in ("ulang", "ya", "mulai", *TEXTS[1:])])
    assert len(chats.submitter.capture_ids) == before + 1
