"""The error that stores share for concurrent writes."""


class WriteConflict(Exception):
    """A concurrent write changed the item first; read it again."""
