"""The answers to captures: to a device, to a bot, and to a batch. A cold start needs these alone."""

from typing import Any

from pydantic import BaseModel, Field

from chalicelib.contributions.model import Quote
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


class AnswerView(BaseModel):
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


class NeutralAnswerView(BaseModel):
    """The answer to a bot: the same whether or not the worker is known.

    The reference travels by SMS alone.
    """

    capture_id: str
    outcome: str = NEUTRAL_OUTCOME
    quote: Quote


class VerdictView(BaseModel):
    """The result of one item of a batch.

    `problem` is there where it was not taken in.
    """

    capture_id: str | None
    outcome: str
    reference: str | None = None
    status: Status | None = None
    received_at: str | None = None
    quote: Quote | None = None
    differs: tuple[IdentityField, ...] = DIFFERS
    suggestion: Suggestion | None = SUGGESTION
    problem: dict[str, Any] | None = None

    @classmethod
    def from_answer(cls, answer: Answer) -> "VerdictView":
        return cls(**vars(answer), suggestion=answer.suggestion)


class VerdictsView(BaseModel):
    """The results of a batch, in the order of its items."""

    results: list[VerdictView]
