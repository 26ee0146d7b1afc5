"""Errors that a command shows to the operator as one sentence."""


class OperationError(Exception):
    """An operation failed; the message tells the operator what failed and why."""
