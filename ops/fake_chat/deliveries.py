"""The delivery of updates to our webhooks, with the retries and the order of each provider.

Telegram: the updates of one chat are one queue, and one that fails blocks it. WhatsApp: a webhook that fails
is sent again later, and the others pass it.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

import httpx

from ops.fake_chat.faults import DELIVERY_MODES, FaultInjector, FaultMode
from ops.fake_chat.transcripts import App

_WORKERS = 16
_REQUEST_SECONDS = 30
_MAX_RETRY_AFTER_SECONDS = 3600
_ATTEMPTS_BEFORE_LONG_WAIT = 7

# Not the generator that all of a process share: Hypothesis fails a test during which that one is used.
_chance = Random()  # noqa: S311 - no secret


@dataclass(frozen=True)
class Delivery:
    """One POST to a webhook. Those of one `lane` follow each other."""

    app: App
    user_id: str
    lane: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    attempt: int = 0
    is_checked: bool = False


class WebhookSender:
    """Posts updates from threads of its own until a 2xx answers them.

    `on_answer` is called with each 2xx answer. The first retry comes at once, then they double from
    `retry_seconds` to a random 60 to 120 s.
    """

    def __init__(self, faults: FaultInjector, *, retry_seconds: float = 2.0) -> None:
        self.retry_seconds = retry_seconds
        self.on_answer: Callable[[Delivery, httpx.Response], None] = lambda *_: None
        self._faults = faults
        self._lanes: dict[str, deque[Delivery]] = defaultdict(deque)
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="webhooks")
        self._client = httpx.Client(timeout=_REQUEST_SECONDS, trust_env=False)
        self._timers: set[threading.Timer] = set()
        self._counts = dict.fromkeys(("delivered", "failed"), 0)
        self._is_closed = False

    def send(self, delivery: Delivery) -> None:
        """Deliver an update after those of its lane."""
        with self._lock:
            self._lanes[delivery.lane].append(delivery)
        self._start(delivery.lane)

    def describe(self) -> dict[str, int]:
        """Return the number of delivered updates, of failed attempts, and of waiting updates."""
        with self._lock:
            waiting = sum(map(len, self._lanes.values())) + len(self._busy) + len(self._timers)
            return {**self._counts, "waiting": waiting}

    def close(self) -> None:
        """Give up what waits."""
        with self._lock:
            self._is_closed = True
            timers, self._timers = self._timers, set()
        for timer in timers:
            timer.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _start(self, lane: str) -> None:
        with self._lock:
            if lane in self._busy or not self._lanes[lane] or self._is_closed:
                return
            self._busy.add(lane)
        with suppress(RuntimeError):  # It was closed in the meantime.
            self._pool.submit(self._run, lane)

    def _run(self, lane: str) -> None:
        with self._lock:
            delivery = self._lanes[lane].popleft()
        wait = self._deliver(delivery)
        if wait is not None and delivery.app is App.TELEGRAM:
            # The lane stays busy: nothing passes the update that failed.
            again = replace(delivery, attempt=delivery.attempt + 1, is_checked=True)
            self._later(wait, lambda: self._retry_first(again))
            return
        if wait is not None:
            again = replace(delivery, attempt=delivery.attempt + 1, is_checked=True)
            self._later(wait, lambda: self.send(again))
        self._release(lane)

    def _retry_first(self, delivery: Delivery) -> None:
        with self._lock:
            self._lanes[delivery.lane].appendleft(delivery)
        self._release(delivery.lane)

    def _release(self, lane: str) -> None:
        with self._lock:
            self._busy.discard(lane)
        self._start(lane)

    def _deliver(self, delivery: Delivery) -> float | None:
        """Post an update. Return the seconds until it must be sent again, or None if it need not."""
        fault = None
        if not delivery.is_checked:
            fault = self._faults.take(DELIVERY_MODES, delivery.app, delivery.user_id)
        if fault is not None and fault.mode is FaultMode.OUT_OF_ORDER:
            # In a lane of its own, so that the later ones pass it.
            late = replace(delivery, lane=f"{delivery.lane}#{_chance.random()}", is_checked=True)
            self._later(fault.wait_seconds, lambda: self.send(late))
            return None
        wait = self._post(delivery)
        if fault is not None:
            copy = replace(delivery, lane=f"{delivery.lane}#{_chance.random()}", is_checked=True)
            self._later(fault.wait_seconds, lambda: self.send(copy))
        return wait

    def _post(self, delivery: Delivery) -> float | None:
        try:
            response = self._client.post(delivery.url, content=delivery.body, headers=delivery.headers)
        except httpx.HTTPError:
            response = None
        if response is not None and response.is_success:
            self._counts["delivered"] += 1
            self.on_answer(delivery, response)
            return None
        self._counts["failed"] += 1
        asked = "" if response is None else response.headers.get("Retry-After", "")
        if asked.isdecimal():
            return float(min(int(asked), _MAX_RETRY_AFTER_SECONDS))
        if delivery.attempt == 0:
            return 0
        if delivery.attempt >= _ATTEMPTS_BEFORE_LONG_WAIT:
            return _chance.uniform(30, 60) * self.retry_seconds
        return float(2 ** (delivery.attempt - 1)) * self.retry_seconds

    def _later(self, seconds: float, run: Callable[[], None]) -> None:
        def fire() -> None:
            with self._lock:
                self._timers.discard(timer)
                is_closed = self._is_closed
            if not is_closed:
                run()

        timer = threading.Timer(seconds, fire)
        timer.daemon = True
        with self._lock:
            if self._is_closed:
                return
            self._timers.add(timer)
        timer.start()
