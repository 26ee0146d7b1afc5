"""Start from a snapshot (Lambda SnapStart): what each process must have of its own.

A snapshot is taken once for a version, after the imports, and started many times, days later. Imports build
no client and read no key (tested), so the snapshot holds neither. Should they ever, they are forgotten at its
start. What else is built on first use is built before the snapshot, so that no start pays for it.
"""

from typing import Protocol, TypeVar

from chalicelib.models import build_models
from chalicelib.randomness import reseed
from chalicelib.values import define_values

try:
    from snapshot_restore_py import register_after_restore, register_before_snapshot
except ImportError:  # Only Lambda's Python 3.12 and later have it, and only they have snapshots.
    register_after_restore = register_before_snapshot = None


class Forgetful(Protocol):
    """A container whose services can be built again."""

    def forget(self) -> None:
        """Forget what was built."""


class Completable(Protocol):
    """Something that imports and builds the rest of itself on first use."""

    def complete(self) -> None:
        """Import and build the rest."""


ForgetfulType = TypeVar("ForgetfulType", bound=Forgetful)
CompletableType = TypeVar("CompletableType", bound=Completable)


def forget_when_restored(owner: ForgetfulType) -> ForgetfulType:
    """Return `owner`, whose `forget` Lambda calls at each start, as it reseeds what makes processes pause."""
    if register_after_restore is not None:
        register_after_restore(reseed)
        register_after_restore(owner.forget)
    return owner


def complete_before_snapshot(part: CompletableType) -> CompletableType:
    """Return `part`, whose `complete` Lambda calls before a snapshot, with all values and models after it."""
    if register_before_snapshot is not None:
        # Called last first: the part brings more values and models.
        register_before_snapshot(build_models)
        register_before_snapshot(define_values)
        register_before_snapshot(part.complete)
    return part
