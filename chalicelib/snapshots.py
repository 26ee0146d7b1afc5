"""Start from a snapshot (Lambda SnapStart): what each process must have of its own.

A snapshot is taken once for a version, after the imports, and started many times, days later. Imports build
no client and read no key (tested), so the snapshot holds neither. Should they ever, they are forgotten at its
start.
"""

from typing import Protocol, TypeVar

from chalicelib.randomness import reseed

try:
    from snapshot_restore_py import register_after_restore
except ImportError:  # Only Lambda's Python 3.12 and later have it, and only they have snapshots.
    register_after_restore = None


class Forgetful(Protocol):
    """A container whose services can be built again."""

    def forget(self) -> None:
        """Forget what was built."""


ForgetfulType = TypeVar("ForgetfulType", bound=Forgetful)


def forget_when_restored(owner: ForgetfulType) -> ForgetfulType:
    """Return `owner`, whose `forget` Lambda calls at each start, as it reseeds what makes processes pause."""
    if register_after_restore is not None:
        register_after_restore(reseed)
        register_after_restore(owner.forget)
    return owner
