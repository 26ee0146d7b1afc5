"""The answers to captures that are sent one by one: to a device, and to a bot."""

from pydantic import Field

from chalicelib.contributions.model import Quote
from chalicelib.models import FrozenModel
from chalicelib.registrations.captures import Answer, IdentityField, Outcome, Suggestion
from chalicelib.registrations.transitions import Status

NEUTRAL_OUTCOME = "accepted"

DIFFERS = Field(
    default=(),
    description="Of a worker who is registered already: the fields in which this capture is not what is"
    " recorded. Nothing recorded is changed.",
)
SUGGESTION = Field(
    default=None,
    description="`correction`: the civil registry did not match what is recorded, and this capture differs."
    " Have the registration corrected: `POST /v1/registrations/{reference}/corrections`.",
)


class AnswerView(FrozenModel):
    """The answer to a field officer's device."""

    capture_id: str
    outcome: Outcome
    reference: str
    status: Status
    received_at: str
    quote: Quote
    differs: tuple[IdentityField, ...] = DIFFERS
    suggestion: Suggestion | None = SUGGESTION

    @classmethod
    def from_answer(cls, answer: Answer) -> "AnswerView":
        """Return the view of a stored answer, which always gives the same bytes."""
        return cls(**vars(answer), suggestion=answer.suggestion)


class NeutralAnswerView(FrozenModel):
    """The answer to a bot: the same whether or not the worker is known.

    The reference travels by SMS alone.
    """

    capture_id: str
    outcome: str = NEUTRAL_OUTCOME
    quote: Quote
