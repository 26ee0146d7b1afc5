"""A store in which another writer acts between a read and a write."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

Store = TypeVar("Store")


class _ConcurrentlyWritten:
    def __init__(self, store: object, method: str, writes: list[Callable[[], object]]) -> None:
        self._store = store
        self._method = method
        self._writes = iter(writes)

    def __getattr__(self, name: str) -> Any:
        # `next` gives each write to one of the threads that ask at the same time.
        if name == self._method and (write := next(self._writes, None)) is not None:
            write()
        return getattr(self._store, name)


def with_concurrent_writes(store: Store, method: str, *writes: Callable[[], object]) -> Store:
    """Return `store`, in which each of `writes` happens right before one call of `method`."""
    return cast("Store", _ConcurrentlyWritten(store, method, list(writes)))
