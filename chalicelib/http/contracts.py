"""The contract of an endpoint: who may call it, with what, and what it answers."""

from collections.abc import Mapping

from pydantic import BaseModel

from chalicelib.callers import Role
from chalicelib.refusals import Refusal
from chalicelib.values import Value

# By status, the body of a successful answer: a model as JSON, a media type, or None for no body.
Responses = Mapping[int, type[BaseModel] | str | None]


class Contract(Value):
    """The requests and answers of an endpoint, from which the API's description is generated.

    `roles` is None if anybody may call it. `refusals` leaves out those of every endpoint of its kind;
    `other_media_types` are those of a successful answer beside JSON. A body without a model has a
    `body_media_type`. Problems are JSON unless there is a `problem_media_type`.
    """

    roles: frozenset[Role] | None
    responses: Responses
    body_model: type[BaseModel] | None = None
    query_model: type[BaseModel] | None = None
    refusals: tuple[type[Refusal], ...] = ()
    headers: tuple[str, ...] = ()
    other_media_types: tuple[str, ...] = ()
    body_media_type: str | None = None
    problem_media_type: str | None = None
