"""The context of a Lambda invocation."""

from typing import Protocol


class LambdaContext(Protocol):
    """What functions use of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""
