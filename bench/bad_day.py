"""A bad day: a gateway, tables and queues misbehave and a sender is killed. Who was texted, and how often.

Nobody waits for the clock: once nothing moves any more, an hour passes.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.functions import told
from bench.ledger import Ledger, is_settled
from bench.market import capture_of, open_campaign
from bench.throttling import throttling
from ops.api import API
from ops.dead_letters.queues import DeadLetters
from ops.dead_letters.redriving import redrive
from ops.stack import LocalStack
from tests.e2e.waiting import until

_DEVICES = 8
_PAUSE_SECONDS = 0.2
_PATIENCE_SECONDS = 1800
_QUIET_LOOKS = 5

# What the gateway does to requests, and to receipts.
_FAULTS = (
    {"mode": "timeout_after_accept", "share": 0.05, "seconds": 0},
    {"mode": "throttle", "share": 0.10},
    {"mode": "server_error", "share": 0.05},
)
_RECEIPTS = {"order": ["twice", "reversed"]}
# What tables and queues do to requests of the functions.
_REFUSED, _UNANSWERED = 0.10, 0.02
FUNCTIONS = ("APIHandler", "OnRegistrationChanges", "OnNotifications", "OnReceipts", "QueueDueTexts")


@dataclass(frozen=True)
class BadDay:
    """What came of it.

    `twice` counts workers with two texts; `twice_without_cause` those of them whose first attempt was not
    unknown. Parts are those of the ledger and those that the gateway itself counted.
    """

    workers: int
    untexted: int
    twice: int
    twice_without_cause: int
    killed: int
    parts: int
    gateways_parts: int
    faults: dict[str, int]
    requests: dict[str, int]
    redriven: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether everybody was texted, nobody twice without cause, and the ledger counts as the gateway."""
        return not (self.untexted or self.twice_without_cause) and self.parts == self.gateways_parts

    def __str__(self) -> str:
        """The figures, in a sentence each."""
        return (
            f"{self.workers} workers, {self.untexted} untexted, {self.twice} texted twice after an unknown"
            f" outcome, {self.twice_without_cause} without; gateway {self.faults}, tables and queues"
            f" {self.requests}, {self.killed} senders killed, {self.redriven} dead letters redriven,"
            f" {self.parts} parts in the ledger and {self.gateways_parts} at the gateway,"
            f" {self.seconds:.0f} s"
        )


class _Run:
    """One such day on a stack that is up."""

    def __init__(self, stack: LocalStack, campaign_id: str, workers: int, first: int) -> None:
        self._stack = stack
        self._description = stack.describe()
        self._campaign_id = campaign_id
        self._numbers = range(first, first + workers)
        self._aws = stack.emulator.client
        self.ledger = Ledger(stack, campaign_id)
        self.killed = self.redriven = 0

    def register(self) -> None:
        """Every worker once, as devices do that try again until they are answered."""
        with ThreadPoolExecutor(_DEVICES) as devices:
            for answer in devices.map(self._register, self._numbers):
                if not answer.is_success:
                    raise AssertionError(answer.text)

    def _register(self, number: int) -> httpx.Response:
        capture = capture_of(number, campaign_id=self._campaign_id)
        with closing(self._api("van-1")) as api:
            return api.send("POST", "/v1/registrations", json.dumps(capture))

    def _api(self, client: str) -> API:
        token = self._description.token_of(client)
        if token is None:
            raise AssertionError(f"no client {client}")
        return API(self._description.api_url, token)

    def kill_a_sender(self) -> None:
        """Once texts go out, end one sender without a word."""
        until(
            "texts to go out", lambda: len(self.texts()) >= len(self._numbers) // 4, seconds=_PATIENCE_SECONDS
        )
        name = self._description.outputs["OnNotificationsName"]
        for environment in Path("/proc").glob("[0-9]*/environ"):
            try:
                known = environment.read_bytes().split(b"\0")
            except OSError:
                continue
            ours = f"AWS_LAMBDA_FUNCTION_NAME={name}".encode() in known
            if ours and f"GATEWAY_PORT={self._stack.port}".encode() in known:
                os.kill(int(environment.parent.name), signal.SIGKILL)
                self.killed += 1
                return

    def settle(self) -> None:
        """Let hours pass until every worker's text has come to something."""
        until("the bad day to end", self._is_settled, seconds=_PATIENCE_SECONDS)

    def _is_settled(self) -> bool:
        self._await_quiet()
        rows = self.ledger.rows()
        if len(rows) == len(self._numbers) and all(is_settled(row) for row in rows):
            return True
        self._redrive()
        self.ledger.let_an_hour_pass()
        return False

    def _redrive(self) -> None:
        for queue in ("NotificationsDeadLetters", "ReceiptsDeadLetters"):
            letters = DeadLetters(self._stack.stage(), queue)
            with letters.held() as held:
                for letter in held:
                    redrive(letter, self._stack.stage())
                    letters.remove(letter)
                    self.redriven += 1

    def _await_quiet(self) -> None:
        """Until nothing has been under way for some looks on end."""
        quiet = 0
        while quiet < _QUIET_LOOKS:
            time.sleep(_PAUSE_SECONDS)
            quiet = 0 if self._under_way() else quiet + 1

    def _under_way(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs, waiting = self._aws("sqs"), 0
        for queue in ("NotificationsQueue", "ReceiptsQueue"):
            url = self._description.outputs[f"{queue}Url"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            waiting += sum(int(each) for each in found.values())
        return waiting + int(self._gateway("receipts")["waiting"])

    def texts(self) -> list[dict[str, Any]]:
        """What the gateway took of the campaign's texts."""
        texts: list[dict[str, Any]] = self._gateway("messages")
        return [text for text in texts if text["context"].get("campaign_id") == self._campaign_id]

    def faults(self) -> dict[str, int]:
        """How often the gateway misbehaved."""
        hits: dict[str, int] = self._gateway("faults")["hits"]
        return hits

    def _gateway(self, what: str) -> Any:
        return httpx.get(f"{self._description.gateway_url}/{what}", trust_env=False).json()


def bad_day(
    stack: LocalStack, campaign_id: str, *, workers: int, first: int, functions: Sequence[str] = FUNCTIONS
) -> BadDay:
    """Register so many workers while everything misbehaves, and count what came of it.

    `first` is the number of the first worker: no other may have it. Tables and queues misbehave to
    `functions` only.
    """
    run = _Run(stack, campaign_id, workers, first)
    open_campaign(stack.describe(), campaign_id)
    began = time.monotonic()
    with ExitStack() as day:
        day.enter_context(_misbehaving(stack))
        spoilt = day.enter_context(throttling(stack.emulator.url, refused=_REFUSED, unanswered=_UNANSWERED))
        outputs = stack.describe().outputs
        names = [outputs[f"{each}Name"] for each in functions]
        urls = {f"AWS_ENDPOINT_URL_{service}": spoilt.url for service in ("DYNAMODB", "SQS")}
        day.enter_context(told(stack.emulator.client("lambda"), names, **urls))
        with ThreadPoolExecutor(1) as killer:
            killing = killer.submit(run.kill_a_sender)
            run.register()
            killing.result()
        run.settle()
        faults, requests = run.faults(), dict(spoilt.counted)
    rows = {row["message_id"]: row for row in run.ledger.rows()}
    texts = run.texts()
    taken = Counter(text["context"]["message_id"] for text in texts)
    sends = [send for row in rows.values() for send in row["sends"].values()]
    twice = [row for message_id, row in rows.items() if taken[message_id] > 1]
    return BadDay(
        workers=workers,
        untexted=workers - len(taken),
        twice=len(twice),
        twice_without_cause=sum(not row["is_resent"] or taken[row["message_id"]] > 2 for row in twice),  # noqa: PLR2004 - one more than once more
        killed=run.killed,
        parts=sum(int(send["parts"]) for send in sends),
        gateways_parts=sum(text["parts"] for text in texts),
        faults=faults,
        requests=requests,
        redriven=run.redriven,
        seconds=time.monotonic() - began,
    )


@contextmanager
def _misbehaving(stack: LocalStack) -> Iterator[None]:
    """Meanwhile the gateway misbehaves, and what nobody could handle comes back in seconds."""
    description, sqs = stack.describe(), stack.emulator.client("sqs")
    gateway = description.gateway_url
    queues = [description.outputs[f"{queue}Url"] for queue in ("NotificationsQueue", "ReceiptsQueue")]
    kept = {
        url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        for url in queues
    }
    try:
        for url in queues:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
        _ask(gateway, "receipts", [_RECEIPTS])
        _ask(gateway, "faults", _FAULTS)
        yield
    finally:
        httpx.delete(f"{gateway}/faults", trust_env=False)
        _ask(gateway, "receipts", [{"order": "normal"}])
        for url, before in kept.items():
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def _ask(gateway: str, what: str, wishes: Sequence[Any]) -> None:
    for wish in wishes:
        httpx.post(f"{gateway}/{what}", json=wish, trust_env=False).raise_for_status()
