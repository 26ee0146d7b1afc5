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

from ops.api_client import ApiClient
from ops.dead_letters.queues import DeadLetterReader
from ops.dead_letters.redrive import redrive
from ops.local.stack import LocalStack
from tests.support.campaigns import create_campaign, make_capture
from tests.support.faulty_proxy import run_faulty_proxy
from tests.support.functions import override_environment
from tests.support.polling import wait_until
from tests.support.sms_ledger import CampaignSmsLedger, is_settled

_DEVICE_COUNT = 8
_POLL_SECONDS = 0.2
_TIMEOUT_SECONDS = 1800
_QUIET_POLLS = 5

# What the gateway does to requests, and to receipts.
_GATEWAY_FAULTS = (
    {"mode": "timeout_after_accept", "share": 0.05, "seconds": 0},
    {"mode": "throttle", "share": 0.10},
    {"mode": "server_error", "share": 0.05},
)
_RECEIPT_SETTINGS = {"order": ["twice", "reversed"]}
# What tables and queues do to requests of the functions.
_REFUSED_SHARE, _UNANSWERED_SHARE = 0.10, 0.02
FUNCTIONS = ("APIHandler", "OnRegistrationChanges", "OnNotifications", "OnReceipts", "QueueDueSms")


@dataclass(frozen=True)
class FaultInjectionResult:
    """What came of it.

    `duplicates` counts workers with two texts; `unexplained_duplicates` those of them whose first attempt was not
    unknown. Parts are those of the ledger and those that the gateway itself counted.
    """

    workers: int
    without_sms: int
    duplicates: int
    unexplained_duplicates: int
    killed_processes: int
    parts: int
    gateway_parts: int
    faults: dict[str, int]
    requests: dict[str, int]
    redriven: int
    seconds: float

    @property
    def has_passed(self) -> bool:
        """Whether everybody was texted, nobody twice without cause, and the ledger counts as the gateway."""
        return not (self.without_sms or self.unexplained_duplicates) and self.parts == self.gateway_parts

    def __str__(self) -> str:
        """The figures, in a sentence each."""
        return (
            f"{self.workers} workers, {self.without_sms} untexted, {self.duplicates} texted twice after an unknown"
            f" outcome, {self.unexplained_duplicates} without; gateway {self.faults}, tables and queues"
            f" {self.requests}, {self.killed_processes} senders killed, {self.redriven} dead letters redriven,"
            f" {self.parts} parts in the ledger and {self.gateway_parts} at the gateway,"
            f" {self.seconds:.0f} s"
        )


class _FaultInjectionRun:
    """One such day on a stack that is up."""

    def __init__(self, stack: LocalStack, campaign_id: str, workers: int, first_worker: int) -> None:
        self._stack = stack
        self._description = stack.describe()
        self._campaign_id = campaign_id
        self._worker_numbers = range(first_worker, first_worker + workers)
        self._aws_client = stack.emulator.make_client
        self.ledger = CampaignSmsLedger(stack, campaign_id)
        self.killed_processes = self.redriven = 0

    def register(self) -> None:
        """Every worker once, as devices do that try again until they are answered."""
        with ThreadPoolExecutor(_DEVICE_COUNT) as devices:
            for answer in devices.map(self._register_worker, self._worker_numbers):
                if not answer.is_success:
                    raise AssertionError(answer.text)

    def _register_worker(self, worker_number: int) -> httpx.Response:
        capture = make_capture(worker_number, campaign_id=self._campaign_id)
        with closing(self._make_api("van-1")) as api:
            return api.send("POST", "/v1/registrations", json.dumps(capture))

    def _make_api(self, client: str) -> ApiClient:
        token = self._description.find_token(client)
        if token is None:
            raise AssertionError(f"no client {client}")
        return ApiClient(self._description.api_url, token)

    def kill_sender(self) -> None:
        """Once texts go out, end one sender without a word."""
        wait_until(
            "texts to go out",
            lambda: len(self.fetch_sms()) >= len(self._worker_numbers) // 4,
            timeout_seconds=_TIMEOUT_SECONDS,
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
                self.killed_processes += 1
                return

    def await_settled(self) -> None:
        """Let hours pass until every worker's text has come to something."""
        wait_until("the bad day to end", self._is_settled, timeout_seconds=_TIMEOUT_SECONDS)

    def _is_settled(self) -> bool:
        self._await_quiet()
        rows = self.ledger.read_rows()
        if len(rows) == len(self._worker_numbers) and all(is_settled(row) for row in rows):
            return True
        self._redrive()
        self.ledger.advance_one_hour()
        return False

    def _redrive(self) -> None:
        for queue in ("NotificationsDeadLetters", "ReceiptsDeadLetters"):
            letters = DeadLetterReader(self._stack.as_stage(), queue)
            with letters.hold_messages() as held:
                for letter in held:
                    redrive(letter, self._stack.as_stage())
                    letters.remove(letter)
                    self.redriven += 1

    def _await_quiet(self) -> None:
        """Until nothing has been under way for some looks on end."""
        quiet = 0
        while quiet < _QUIET_POLLS:
            time.sleep(_POLL_SECONDS)
            quiet = 0 if self._count_in_progress() else quiet + 1

    def _count_in_progress(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs, waiting = self._aws_client("sqs"), 0
        for queue in ("NotificationsQueue", "ReceiptsQueue"):
            url = self._description.outputs[f"{queue}Url"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            waiting += sum(int(each) for each in found.values())
        return waiting + int(self._fetch_from_gateway("receipts")["waiting"])

    def fetch_sms(self) -> list[dict[str, Any]]:
        """What the gateway took of the campaign's texts."""
        texts: list[dict[str, Any]] = self._fetch_from_gateway("messages")
        return [text for text in texts if text["context"].get("campaign_id") == self._campaign_id]

    def fetch_fault_hits(self) -> dict[str, int]:
        """How often the gateway misbehaved."""
        hits: dict[str, int] = self._fetch_from_gateway("faults")["hits"]
        return hits

    def _fetch_from_gateway(self, path: str) -> Any:
        return httpx.get(f"{self._description.gateway_url}/{path}", trust_env=False).json()


def run_fault_injection(
    stack: LocalStack,
    campaign_id: str,
    *,
    workers: int,
    first_worker: int,
    functions: Sequence[str] = FUNCTIONS,
) -> FaultInjectionResult:
    """Register so many workers while everything misbehaves, and count what came of it.

    `first` is the number of the first worker: no other may have it. Tables and queues misbehave to
    `functions` only.
    """
    run = _FaultInjectionRun(stack, campaign_id, workers, first_worker)
    create_campaign(stack.describe(), campaign_id)
    began = time.monotonic()
    with ExitStack() as day:
        day.enter_context(_inject_faults(stack))
        spoilt = day.enter_context(
            run_faulty_proxy(
                stack.emulator.url, refused_share=_REFUSED_SHARE, unanswered_share=_UNANSWERED_SHARE
            )
        )
        outputs = stack.describe().outputs
        names = [outputs[f"{each}Name"] for each in functions]
        urls = {f"AWS_ENDPOINT_URL_{service}": spoilt.url for service in ("DYNAMODB", "SQS")}
        day.enter_context(override_environment(stack.emulator.make_client("lambda"), names, **urls))
        with ThreadPoolExecutor(1) as killer:
            killing = killer.submit(run.kill_sender)
            run.register()
            killing.result()
        run.await_settled()
        faults, requests = run.fetch_fault_hits(), dict(spoilt.outcome_counts)
    rows = {row["sms_id"]: row for row in run.ledger.read_rows()}
    texts = run.fetch_sms()
    taken = Counter(text["context"]["sms_id"] for text in texts)
    sends = [send for row in rows.values() for send in row["sends"].values()]
    twice = [row for sms_id, row in rows.items() if taken[sms_id] > 1]
    return FaultInjectionResult(
        workers=workers,
        without_sms=workers - len(taken),
        duplicates=len(twice),
        unexplained_duplicates=sum(not row["is_resent"] or taken[row["sms_id"]] > 2 for row in twice),  # noqa: PLR2004 - one more than once more
        killed_processes=run.killed_processes,
        parts=sum(int(send["parts"]) for send in sends),
        gateway_parts=sum(text["parts"] for text in texts),
        faults=faults,
        requests=requests,
        redriven=run.redriven,
        seconds=time.monotonic() - began,
    )


@contextmanager
def _inject_faults(stack: LocalStack) -> Iterator[None]:
    """Meanwhile the gateway misbehaves, and what nobody could handle comes back in seconds."""
    description, sqs = stack.describe(), stack.emulator.make_client("sqs")
    gateway = description.gateway_url
    queues = [description.outputs[f"{queue}Url"] for queue in ("NotificationsQueue", "ReceiptsQueue")]
    kept = {
        url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        for url in queues
    }
    try:
        for url in queues:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
        _post_all(gateway, "receipts", [_RECEIPT_SETTINGS])
        _post_all(gateway, "faults", _GATEWAY_FAULTS)
        yield
    finally:
        httpx.delete(f"{gateway}/faults", trust_env=False)
        _post_all(gateway, "receipts", [{"order": "normal"}])
        for url, before in kept.items():
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def _post_all(gateway: str, path: str, payloads: Sequence[Any]) -> None:
    for wish in payloads:
        httpx.post(f"{gateway}/{path}", json=wish, trust_env=False).raise_for_status()
