"""A campaign that does not come to rest is said to have left something, not waited for without an end."""

import time

import pytest

from bench.load.campaign import NotAtRest, await_condition


def test_what_never_comes_is_given_up_after_the_time() -> None:
    began_at = time.monotonic()
    with pytest.raises(NotAtRest, match="the SMS did not come within 1 s"):
        await_condition("the SMS", lambda: False, timeout_seconds=0.6)
    assert time.monotonic() - began_at < 10


def test_what_comes_later_is_waited_for() -> None:
    looks = iter([False, False, True])
    await_condition("the SMS", lambda: next(looks), timeout_seconds=60)
    assert next(looks, None) is None
