"""One text per event: whatever comes twice, late, at once, or never ends."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications.errors import Never, OutcomeUnknown, TryLater
from chalicelib.notifications.model import Text, TextState
from chalicelib.notifications.service import BeingSent, Notifier
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.messages import RegistrationReceived
from tests.builders import NOW
from tests.contracts.stored import REFERENCE, a_registration
from tests.fakes import FixedClock, InMemoryLedger, KnownRegistrations, ScriptedGateway

EVENT = RegistrationReceived(reference=REFERENCE, correlation_id="c-1")
AGAIN = timedelta(minutes=3)


class Stopped(Exception):
    """The end of a container in the middle of a send: nobody writes down how it went."""


class Stage:
    """A notifier, and what it works with."""

    def __init__(self, *answers: str | Exception, name: str = "Melati Kusumawati") -> None:
        self.clock = FixedClock(NOW)
        self.ledger = InMemoryLedger()
        self.gateway = ScriptedGateway(*answers)
        self.notifier = Notifier(
            registrations=KnownRegistrations(a_registration(name=name)),
            ledger=self.ledger,
            gateway=self.gateway,
            clock=self.clock,
        )

    def deliver(self) -> Text:
        return self.notifier.tell_received(EVENT)

    def deliver_again(self) -> Text:
        self.clock.forward(AGAIN)
        return self.deliver()

    def row(self) -> Text:
        (row,) = self.ledger.texts.values()
        return row


def test_a_worker_is_told_by_text() -> None:
    stage = Stage("gateway-1")
    text = stage.deliver()

    ((to, words),) = stage.gateway.sent
    assert to == "+6282455507001"
    assert words.startswith("BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima. No. daftar 7K4-M2Q-X9P.")
    assert (text.state, text.gateway_id, text.attempts) == (TextState.ACCEPTED, "gateway-1", 1)
    assert stage.row() == text


def test_a_row_of_the_ledger_holds_neither_words_nor_number_nor_name() -> None:
    stage = Stage()
    stage.deliver()
    for personal in ("Melati", "82455507001", "BPJAMSOSTEK"):
        assert personal not in repr(stage.row())


def test_an_event_told_once_is_not_told_again() -> None:
    stage = Stage()
    first = stage.deliver()
    for _ in range(5):
        assert stage.deliver_again() == first
    assert len(stage.gateway.sent) == 1


def test_a_text_not_taken_now_is_pending_and_goes_out_at_the_next_delivery() -> None:
    stage = Stage(TryLater("ThrottlingException"), "gateway-1")
    with pytest.raises(TryLater):
        stage.deliver()
    assert (stage.row().state, stage.row().reason) == (TextState.PENDING, "ThrottlingException")

    text = stage.deliver_again()

    assert (text.state, text.attempts, text.reason) == (TextState.ACCEPTED, 2, None)
    assert text.attempted_at == NOW + AGAIN
    assert stage.row() == text
    assert len(stage.gateway.sent) == 2


def test_a_text_refused_for_good_is_failed_and_never_tried_again() -> None:
    stage = Stage(Never("ValidationException:DESTINATION_COUNTRY_BLOCKED"))
    failed = stage.deliver()
    assert (failed.state, failed.reason) == (
        TextState.FAILED,
        "ValidationException:DESTINATION_COUNTRY_BLOCKED",
    )
    assert stage.deliver_again() == failed
    assert len(stage.gateway.sent) == 1


def test_a_text_that_may_have_gone_out_is_unknown_and_never_sent_again() -> None:
    stage = Stage(OutcomeUnknown("ReadTimeoutError"))
    unknown = stage.deliver()
    assert (unknown.state, unknown.reason) == (TextState.UNKNOWN, "ReadTimeoutError")
    assert stage.deliver_again() == unknown
    assert len(stage.gateway.sent) == 1


def test_a_second_delivery_while_the_first_is_sending_looks_again_later() -> None:
    stage = Stage("gateway-1")

    def deliver_the_same_event() -> None:
        with pytest.raises(BeingSent):
            stage.deliver()

    stage.gateway.during = deliver_the_same_event
    assert stage.deliver().state is TextState.ACCEPTED
    assert len(stage.gateway.sent) == 1


def test_of_two_deliveries_that_find_a_pending_text_one_sends_it() -> None:
    stage = Stage(TryLater("ThrottlingException"))
    with pytest.raises(TryLater):
        stage.deliver()
    stale = stage.row()

    class StaleLedger(InMemoryLedger):
        def begin(self, text: Text) -> Text:
            return stale

    stage.deliver_again()
    late = StaleLedger()
    late.texts = stage.ledger.texts
    notifier = Notifier(
        registrations=KnownRegistrations(a_registration()),
        ledger=late,
        gateway=stage.gateway,
        clock=stage.clock,
    )
    with pytest.raises(BeingSent):
        notifier.tell_received(EVENT)
    assert len(stage.gateway.sent) == 2


def test_an_attempt_that_was_stopped_is_unknown_after_a_minute() -> None:
    stage = Stage(Stopped())
    with pytest.raises(Stopped):
        stage.deliver()
    assert stage.row().state is TextState.ATTEMPTING

    stage.clock.forward(timedelta(seconds=59.999))
    with pytest.raises(BeingSent):
        stage.deliver()

    stage.clock.forward(timedelta(seconds=0.001))
    text = stage.deliver()
    assert (text.state, text.reason) == (TextState.UNKNOWN, "attempt_abandoned")
    assert stage.row() == text
    assert stage.deliver_again() == text
    assert len(stage.gateway.sent) == 1


def test_news_of_a_registration_that_is_not_there_begins_no_text() -> None:
    stage = Stage()
    with pytest.raises(RegistrationUnknown):
        stage.notifier.tell_received(RegistrationReceived(reference="B3D-F5H-J7M", correlation_id="c-1"))
    assert stage.ledger.texts == {}


def test_a_worker_is_told_in_the_language_of_the_registration() -> None:
    stage = Stage()
    Notifier(
        registrations=KnownRegistrations(a_registration(language="en")),
        ledger=stage.ledger,
        gateway=stage.gateway,
        clock=stage.clock,
    ).tell_received(EVENT)
    assert "not protected before you have paid" in stage.gateway.sent[0][1]


@given(
    answers=st.lists(
        st.sampled_from(["taken", TryLater("later"), Never("never"), OutcomeUnknown("unknown")]), max_size=6
    ),
    deliveries=st.integers(1, 8),
)
def test_at_most_one_send_is_ever_not_surely_refused(answers: list[str | Exception], deliveries: int) -> None:
    stage = Stage(*answers)
    for _ in range(deliveries):
        try:
            stage.deliver_again()
        except TryLater:
            continue
    used = answers[: len(stage.gateway.sent)]
    perhaps_sent = len(stage.gateway.sent) - sum(isinstance(each, TryLater | Never) for each in used)
    assert perhaps_sent <= 1
    assert stage.row().attempts == len(stage.gateway.sent)
