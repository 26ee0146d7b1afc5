"""Errors that a command shows to the operator as one sentence."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class OperationError(Exception):
    """An operation failed or was done in part; the message says what failed and why, on one line.

    `fields` are the invalid fields of a request to the API: `field`, `code` and `message` each. `result` is
    what was done before.
    """

    default_code: ClassVar[str] = "operation_failed"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Sequence[Mapping[str, str]] = (),
        result: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.fields = fields
        self.result = result


class StackUnavailable(OperationError):
    """The stack is not up, does not exist, or does not answer."""

    default_code = "stack_unavailable"
