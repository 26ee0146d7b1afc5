"""The phone of an application that was taken over is told nothing from then on: it may be a stranger's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from chalicelib.callers import Channel, Disclosure
from chalicelib.notifications.bodies import may_request, render_body
from chalicelib.registrations.model import LifecycleState, Registration
from chalicelib.registrations.reported_events import PaymentCode, VerificationResult
from chalicelib.registrations.takeovers import find_takeover
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.registration_builders import make_capture_metadata, make_registration

Step = Callable[[LifecycleState], LifecycleState]

CODE = PaymentCode(code="8808123456", amount=50_400, expires_on=date(2024, 11, 8))
STEPS: dict[str, Step] = {
    "new": lambda lifecycle: lifecycle,
    "with a code": lambda lifecycle: lifecycle.with_payment_code(CODE, occurred_at=NOW, client_id="core"),
    "mismatched": lambda lifecycle: lifecycle.with_verification(
        VerificationResult(result="mismatch"), occurred_at=NOW, client_id="core"
    ),
}

# `PAYMENT_LATE` is a text for `ACTIVE`, and no SMS is stored with it.
PURPOSES = [each for each in Purpose if each is not Purpose.PAYMENT_LATE]


def take_over(step: Step) -> Registration:
    """Return an application that a bot made, after a step and after an officer took it over."""
    metadata = make_capture_metadata(
        campaign_id="senen-2024", channel=Channel.BOT, disclosure=Disclosure.PUBLIC
    )
    squatted = make_registration(capture_metadata=metadata)
    takeover = find_takeover(replace(squatted, lifecycle=step(squatted.lifecycle)), make_capture_metadata(2))
    assert takeover is not None
    return takeover.ended


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_no_sms_has_a_body_and_none_may_be_requested(purpose: Purpose, step: Step) -> None:
    ended = take_over(step)
    for version in range(ended.lifecycle.version + 1):
        assert render_body(purpose, version, ended, local_now=NOW) is None
    assert not may_request(purpose, ended, local_now=NOW)
