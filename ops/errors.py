"""Errors that a command shows to the operator as one sentence."""


class OperationError(Exception):
    """An operation failed; the message says what failed and why."""
