"""Many chats at once, with throttles, lost answers, repeated entries and dying workers."""

import random
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from chalicelib.conversations.messages import OutboxEntry
from chalicelib.conversations.sends import SendState
from chalicelib.refusals import TryAgain
from tests.support.chat_outbox import ChatOutboxHarness, WorkerKilled, make_text, run_outbox

_CHATS, _MESSAGES, _WORKERS = 12, 4, 6
_MAX_RECEIVES = 60


class FifoQueue:
    """A queue that gives out one message of a group at a time, and the first again if it failed."""

    def __init__(self, entries: list[OutboxEntry]) -> None:
        self._groups: dict[str, deque[OutboxEntry]] = {}
        for entry in entries:
            self._groups.setdefault(entry.chat_key, deque()).append(entry)
        self._free = deque(self._groups)
        self._lock = threading.Lock()

    def drain(self, handle: Callable[[OutboxEntry], None]) -> None:
        """Pass every entry to `handle` until it does not raise."""
        while True:
            with self._lock:
                if not self._free:
                    return
                group = self._free.popleft()
                entry = self._groups[group][0]
            is_done = _try_often(handle, entry)
            with self._lock:
                assert is_done, "a message never got through"
                self._groups[group].popleft()
                if self._groups[group]:
                    self._free.append(group)


def _try_often(handle: Callable[[OutboxEntry], None], entry: OutboxEntry) -> bool:
    for _ in range(_MAX_RECEIVES):
        try:
            handle(entry)
        except (TryAgain, WorkerKilled):
            continue
        return True
    return False


def _make_handler(harness: ChatOutboxHarness) -> Callable[[OutboxEntry], None]:
    """Return a worker that dies in every tenth message, before the attempt or after its start."""
    draw, lock = random.Random(7), threading.Lock()  # noqa: S311 - no secret

    def handle(entry: OutboxEntry) -> None:
        with lock:
            fate = draw.random()
        if fate < 0.05:
            raise WorkerKilled
        if fate < 0.1:
            found = harness.outbox.find(entry.chat_key, entry.outbox_id)
            if found is not None and found[0].state is SendState.PENDING:
                started = found[0].start_attempt(harness.clock())
                harness.outbox.update(started, previous=found[0])
                raise WorkerKilled
        harness.sender.send(entry)

    return handle


def test_each_message_comes_at_most_once_and_in_order_of_its_chat(tmp_path: Path) -> None:
    with run_outbox(tmp_path) as harness:
        users = [str(2000 + number) for number in range(_CHATS)]
        entries = []
        for user in users:
            harness.chat.act("telegram", user, text="/start")
            for number in range(_MESSAGES):
                harness.put(f"{number}", make_text(f"pesan {number}"), to=user)
                entry = OutboxEntry(chat_key=harness.name_chat("telegram", user), outbox_id=str(number))
                # An event that is delivered twice passes its messages on twice.
                entries += [entry, entry] if number % 2 else [entry]
        harness.chat.arm(mode="throttle", share=0.2, seconds=1, seed=1)
        harness.chat.arm(mode="timeout_after_accept", share=0.05, seconds=0, seed=2)
        harness.chat.arm(mode="server_error", share=0.1, seed=3)
        queue, handle = FifoQueue(entries), _make_handler(harness)

        def handle_and_age(entry: OutboxEntry) -> None:
            # Time passes between two receipts, so that attempts of dead workers time out.
            try:
                handle(entry)
            except TryAgain:
                harness.clock.advance(timedelta(seconds=20))
                raise

        with ThreadPoolExecutor(_WORKERS) as pool:
            for worker in [pool.submit(queue.drain, handle_and_age) for _ in range(_WORKERS)]:
                worker.result()

        for user in users:
            texts = harness.list_texts(to=user)
            assert texts == sorted(set(texts)), user
            states = {
                number: harness.read_item(str(number), to=user)["state"]["S"] for number in range(_MESSAGES)
            }
            assert set(states.values()) <= {"sent", "unknown"}
            sent = {f"pesan {number}" for number, state in states.items() if state == "sent"}
            assert sent <= set(texts)
