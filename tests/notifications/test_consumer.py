"""The queue's messages: read, told, and told apart in log and metrics without naming anyone."""

import pytest
from pydantic import ValidationError

from chalicelib.notifications import consumer
from chalicelib.notifications.errors import Never, TryLater
from chalicelib.notifications.service import Notifier
from chalicelib.registrations.messages import RegistrationReceived
from tests.builders import NOW
from tests.contracts.stored import REFERENCE, a_registration
from tests.fakes import FixedClock, InMemoryLedger, KnownRegistrations, ScriptedGateway
from tests.logs import logged

BODY = RegistrationReceived(reference=REFERENCE, correlation_id="c-1").model_dump_json()


def handle(body: str, *answers: str | Exception) -> None:
    notifier = Notifier(
        registrations=KnownRegistrations(a_registration()),
        ledger=InMemoryLedger(),
        gateway=ScriptedGateway(*answers),
        clock=FixedClock(NOW),
    )
    consumer.handler(notifier)(body)


@pytest.mark.parametrize(("answer", "state"), [("gateway-1", "accepted"), (Never("no"), "failed")])
def test_each_text_is_counted_and_logged_by_its_state(answer: str | Exception, state: str) -> None:
    with logged() as lines:
        handle(BODY, answer)

    (metric,) = lines.metrics()
    assert (metric["Texts"], metric["state"]) == ([1.0], state)
    (told,) = lines.saying("worker told")
    assert (told["state"], told["correlation_id"]) == (state, "c-1")


def test_a_text_not_taken_now_is_counted_as_pending_and_comes_again() -> None:
    with logged() as lines, pytest.raises(TryLater):
        handle(BODY, TryLater("ThrottlingException"))
    (metric,) = lines.metrics()
    assert metric["state"] == "pending"


def test_neither_log_nor_metrics_name_the_worker() -> None:
    with logged() as lines:
        handle(BODY)
    assert lines
    for personal in ("Melati", "82455507001", "7K4-M2Q-X9P"):
        assert personal not in str(lines)


def test_a_message_that_nobody_can_read_is_not_swallowed() -> None:
    with pytest.raises(ValidationError):
        handle("{}")
