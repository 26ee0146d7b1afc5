"""The context of a Lambda invocation."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from chalicelib.shares import Share


class LambdaContext(Protocol):
    """The part of Lambda's context object that functions use."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""


def get_context(event: Any) -> LambdaContext:
    """Return the context of the invocation that Chalice's `event` belongs to."""
    context: LambdaContext = event.context
    return context


def get_run(event: Any) -> "tuple[LambdaContext, Share]":
    """Return the context and the share of the run that Chalice's `event` of a schedule starts."""
    # Imported here because the API, which has no shares, imports this module too.
    from chalicelib.shares import get_share  # noqa: PLC0415

    return get_context(event), get_share(event)
