"""Conflicts between concurrent writers."""


class WriteConflict(Exception):
    """Another writer came first: nothing was stored, and a retry may succeed."""
