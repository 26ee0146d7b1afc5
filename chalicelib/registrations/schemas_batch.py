"""The answer to a batch of captures."""

from typing import Any

from pydantic import BaseModel

from chalicelib.contributions.model import Quote
from chalicelib.registrations.captures import Answer, IdentityField, Suggestion
from chalicelib.registrations.schemas_answers import DIFFERS, SUGGESTION
from chalicelib.registrations.transitions import Status


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
