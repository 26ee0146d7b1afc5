"""Shut down on Ctrl-C, SIGTERM or a closed terminal, with an undisturbed clean-up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SHUTDOWN_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Shutdown(BaseException):
    """A signal asked the process to stop. Not an Exception, so that no handler takes it for a failure."""


@contextmanager
def shutdown_on_signal() -> Iterator[None]:
    """Raise Shutdown at the first such signal inside the block, and ignore later ones during the clean-up.

    The handlers are set explicitly, because a shell starts background jobs with SIGINT ignored.
    """

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        for each in _SHUTDOWN_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Shutdown

    before = {each: signal.signal(each, stop) for each in _SHUTDOWN_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
