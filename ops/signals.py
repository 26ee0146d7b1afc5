"""Stopping on request: Ctrl-C, SIGTERM or a closed terminal, and then cleaning up undisturbed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SHUTDOWN_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Shutdown(BaseException):
    """We were asked to stop. Not an Exception: nothing may take it for a failure and carry on."""


@contextmanager
def shutdown_on_signal() -> Iterator[None]:
    """Within it the first such signal raises Stopped and later ones are ignored, so that cleaning up ends.

    The handlers are set explicitly, because a shell starts its background jobs with SIGINT ignored.
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
