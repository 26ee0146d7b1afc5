"""The context of a Lambda invocation."""

from typing import Any, Protocol


class LambdaContext(Protocol):
    """The part of Lambda's context object that functions use."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""


def get_context(event: Any) -> LambdaContext:
    """Return the context of the invocation that Chalice's `event` belongs to."""
    context: LambdaContext = event.context
    return context
