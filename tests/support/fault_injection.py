"""Fault injection on a local stack: gateway, tables and queues fail, and a sending process is killed.

The result counts who got an SMS, and how often. Once nothing moves any more, the SMS ledger is aged by an
hour.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from ops.api_client import ApiClient
from ops.dead_letters.queues import DeadLetterReader
from ops.dead_letters.redrive import redrive
from ops.local.stack import LocalStack
from tests.support.campaigns import create_campaign, make_capture
from tests.support.faulty_proxy import run_faulty_proxy
from tests.support.functions import kill_process, override_environment
from tests.support.polling import wait_until
from tests.support.sms_ledger import CampaignSmsLedger, is_settled

_DEVICE_COUNT = 8
_POLL_SECONDS = 0.2
_TIMEOUT_SECONDS = 1800
_QUIET_POLLS = 5
# An SMS of unknown outcome may be sent once more.
_MAX_COPIES = 2

# The faults of the gateway's requests, and the order of its receipts.
_GATEWAY_FAULTS = (
    {"mode": "timeout_after_accept", "share": 0.05, "seconds": 0},
    {"mode": "throttle", "share": 0.10},
    {"mode": "server_error", "share": 0.05},
)
_RECEIPT_SETTINGS = {"order": ["twice", "reversed"]}
# The faults of the functions' requests to tables and queues.
_REFUSED_SHARE, _UNANSWERED_SHARE = 0.10, 0.02
FUNCTIONS = ("APIHandler", "OnRegistrationChanges", "OnNotifications", "OnReceipts", "QueueDueSms")


@dataclass(frozen=True)
class FaultInjectionResult:
    """The result of a run.

    `duplicates` counts workers with two SMS; `unexplained_duplicates` those whose first attempt had no
    unknown outcome. `parts` is the ledger's count, `gateway_parts` the gateway's own.
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
        """Return True if all got an SMS, none a duplicate without cause, and both counts of parts agree."""
        return not (self.without_sms or self.unexplained_duplicates) and self.parts == self.gateway_parts

    def __str__(self) -> str:
        """Return the figures as text."""
        return (
            f"{self.workers} workers, {self.without_sms} without an SMS, {self.duplicates} with a duplicate,"
            f" {self.unexplained_duplicates} of them unexplained; gateway {self.faults}, tables and queues"
            f" {self.requests}, {self.killed_processes} processes killed, {self.redriven} dead letters"
            f" redriven, {self.parts} parts in the ledger and {self.gateway_parts} at the gateway,"
            f" {self.seconds:.0f} s"
        )


class _FaultInjectionRun:
    """One run on a stack that is up."""

    def __init__(self, stack: LocalStack, campaign_id: str, workers: int, first_worker: int) -> None:
        self._stack = stack
        self._description = stack.describe()
        self._campaign_id = campaign_id
        self._worker_numbers = range(first_worker, first_worker + workers)
        self._aws_client = stack.emulator.make_client
        self.ledger = CampaignSmsLedger(stack, campaign_id)
        self.killed_processes = self.redriven = 0

    def register(self) -> None:
        """Register every worker once, with retries until there is an answer."""
        with ThreadPoolExecutor(_DEVICE_COUNT) as devices:
            for response in devices.map(self._register_worker, self._worker_numbers):
                if not response.is_success:
                    raise AssertionError(response.text)

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
        """Kill one process of the sending function, once a quarter of the SMS is sent."""
        wait_until(
            "SMS to go out",
            lambda: len(self.fetch_sms()) >= len(self._worker_numbers) // 4,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        name = self._description.outputs["OnNotificationsName"]
        self.killed_processes += kill_process(name, port=self._stack.port)

    def await_settled(self) -> None:
        """Age the ledger until every worker's SMS is settled."""
        wait_until("every SMS to be settled", self._is_settled, timeout_seconds=_TIMEOUT_SECONDS)

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
            reader = DeadLetterReader(self._stack.as_stage(), queue)
            with reader.hold_messages() as held:
                for dead_letter in held:
                    redrive(dead_letter, self._stack.as_stage())
                    reader.remove(dead_letter)
                    self.redriven += 1

    def _await_quiet(self) -> None:
        """Wait until five polls in a row find nothing in progress."""
        quiet_polls = 0
        while quiet_polls < _QUIET_POLLS:
            time.sleep(_POLL_SECONDS)
            quiet_polls = 0 if self._count_in_progress() else quiet_polls + 1

    def _count_in_progress(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs, waiting = self._aws_client("sqs"), 0
        for queue in ("NotificationsQueue", "ReceiptsQueue"):
            url = self._description.outputs[f"{queue}Url"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            waiting += sum(int(each) for each in found.values())
        return waiting + int(self._fetch_from_gateway("receipts")["waiting"])

    def fetch_sms(self) -> list[dict[str, Any]]:
        """Return the campaign's SMS that the gateway has received."""
        sms_list: list[dict[str, Any]] = self._fetch_from_gateway("messages")
        return [sms for sms in sms_list if sms["context"].get("campaign_id") == self._campaign_id]

    def fetch_fault_hits(self) -> dict[str, int]:
        """Return how often each fault of the gateway has hit."""
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
    """Register workers under faults, and return the counts.

    `first_worker` is the number of the first worker, which no other test may use. Tables and queues fail for
    `functions` only.
    """
    run = _FaultInjectionRun(stack, campaign_id, workers, first_worker)
    create_campaign(stack.describe(), campaign_id)
    began = time.monotonic()
    with ExitStack() as faults_active:
        faults_active.enter_context(_inject_faults(stack))
        proxy = faults_active.enter_context(
            run_faulty_proxy(
                stack.emulator.url, refused_share=_REFUSED_SHARE, unanswered_share=_UNANSWERED_SHARE
            )
        )
        outputs = stack.describe().outputs
        names = [outputs[f"{each}Name"] for each in functions]
        urls = {f"AWS_ENDPOINT_URL_{service}": proxy.url for service in ("DYNAMODB", "SQS")}
        faults_active.enter_context(override_environment(stack.emulator.make_client("lambda"), names, **urls))
        with ThreadPoolExecutor(1) as killer:
            killing = killer.submit(run.kill_sender)
            run.register()
            killing.result()
        run.await_settled()
        faults, requests = run.fetch_fault_hits(), dict(proxy.outcome_counts)
    rows = {row["sms_id"]: row for row in run.ledger.read_rows()}
    sms_list = run.fetch_sms()
    received = Counter(sms["context"]["sms_id"] for sms in sms_list)
    attempts = [attempt for row in rows.values() for attempt in row["sends"].values()]
    duplicated = [row for sms_id, row in rows.items() if received[sms_id] > 1]
    return FaultInjectionResult(
        workers=workers,
        without_sms=workers - len(received),
        duplicates=len(duplicated),
        unexplained_duplicates=sum(
            not row["is_resent"] or received[row["sms_id"]] > _MAX_COPIES for row in duplicated
        ),
        killed_processes=run.killed_processes,
        parts=sum(int(attempt["parts"]) for attempt in attempts),
        gateway_parts=sum(sms["parts"] for sms in sms_list),
        faults=faults,
        requests=requests,
        redriven=run.redriven,
        seconds=time.monotonic() - began,
    )


@contextmanager
def _inject_faults(stack: LocalStack) -> Iterator[None]:
    """Make the gateway fail inside the block, and shorten the visibility timeouts of the queues."""
    description, sqs = stack.describe(), stack.emulator.make_client("sqs")
    gateway = description.gateway_url
    queues = [description.outputs[f"{queue}Url"] for queue in ("NotificationsQueue", "ReceiptsQueue")]
    attributes_before = {
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
        for url, before in attributes_before.items():
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def _post_all(gateway: str, path: str, payloads: Sequence[Any]) -> None:
    for payload in payloads:
        httpx.post(f"{gateway}/{path}", json=payload, trust_env=False).raise_for_status()
