"""Start from a snapshot (Lambda SnapStart): what each process must have of its own.

A snapshot is taken once for a version, after the imports, and started many times, days later. Imports build
no client and read no key (tested), so the snapshot holds neither. Should they ever, they are forgotten at its
start.
"""

import random
from collections.abc import Callable

try:
    from snapshot_restore_py import register_after_restore
except ImportError:  # Only Lambda's Python 3.12 and later have it, and only they have snapshots.
    register_after_restore = None


def refresh_when_restored(forget: Callable[[], None]) -> None:
    """Have Lambda call `forget`, and make the random numbers of this process its own, at each start.

    Tokens, codes and ids come from the operating system and are safe without it. The SDK's pauses between
    attempts come from `random`: started from one snapshot, all processes would pause alike.
    """
    if register_after_restore is not None:
        register_after_restore(random.seed)
        register_after_restore(forget)
