"""Outcomes of attempts."""

import pytest

from chalicelib.messaging.attempts import Outcome, OutcomeType, make_attempt
from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import GatewayAcceptance


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TransientFailure("r", gateway="aws"), Outcome(OutcomeType.REJECTED, "r", "aws")),
        (CircuitOpen("r"), Outcome(OutcomeType.REJECTED, "r", is_counted=False)),
        (AccountFailure("r"), Outcome(OutcomeType.REJECTED, "r", is_account_failure=True)),
        (PermanentFailure("r"), Outcome(OutcomeType.FAILED, "r")),
        (PermanentFailure("r", opted_out=True), Outcome(OutcomeType.FAILED, "r", opted_out=True)),
        (OutcomeUnknown("r"), Outcome(OutcomeType.UNKNOWN, "r")),
    ],
    ids=repr,
)
def test_error_of_a_gateway_gives_the_outcome(error: GatewayError, outcome: Outcome) -> None:
    def send() -> None:
        raise error

    assert make_attempt(send) == outcome


def test_acceptance_gives_the_outcome() -> None:
    accepted = Outcome(OutcomeType.ACCEPTED, gateway="aws", gateway_id="g-1")

    assert make_attempt(lambda: GatewayAcceptance("aws", "g-1")) == accepted
    assert make_attempt(lambda: None) == Outcome(OutcomeType.ACCEPTED)


def test_other_exceptions_are_raised() -> None:
    def send() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        make_attempt(send)
