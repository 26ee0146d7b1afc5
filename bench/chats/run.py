"""One run: workers who chat at once, with an app and functions that misbehave."""

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

import httpx

from bench.chats.people import Replies, Worker, count_disorder, make_worker_nik
from bench.gates import Gate
from bench.load.percentiles import find_percentile
from bench.neutrality import ResponseTimes
from ops.api_client import ApiClient
from ops.local.stack import LocalStack
from tests.support.functions import kill_process
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload

_CAMPAIGN = "chats-at-once"
_ALONE = 0
# Of the deliveries to us, and of our calls.
_FAULTS: tuple[dict[str, Any], ...] = (
    {"mode": "deliver_twice", "app": "telegram", "share": 0.1, "seed": 1},
    {"mode": "out_of_order", "app": "telegram", "share": 0.1, "seed": 2},
    {"mode": "throttle", "app": "telegram", "share": 0.05, "seed": 3},
)
# When workers are in the middle of their answers.
_KILL_AFTER_SECONDS = 20.0
_KILLED_FUNCTIONS = ("OnChatEvents", "OnChatOutbox")


@dataclass(frozen=True)
class ChatRun:
    """The result of a run."""

    workers: int
    seconds: float
    told: list[Replies]
    """What each worker was told. Every second worker is registered already."""
    expected: list[str]
    registrations: Counter[str]
    killed: list[str]
    dead_letters: int

    @property
    def reply_seconds(self) -> list[float]:
        return sorted(seconds for each in self.told for seconds in each.seconds)

    @property
    def last_replies(self) -> ResponseTimes:
        """Return the seconds until the answer to the registration, of new and of known workers."""
        new, known = ([each.seconds[-1] for each in self.told[start::2]] for start in (0, 1))
        return ResponseTimes(new=new, known=known)


class ChatBench:
    """Runs workers on a stack of its own."""

    def __init__(self, stack: LocalStack, *, workers: int, think_seconds: float) -> None:
        self._stack = stack
        self._description = stack.describe()
        self._workers = workers
        self._think_seconds = think_seconds
        self._killed: list[str] = []

    def run(self, on_progress: Callable[[str], None]) -> ChatRun:
        """Let one worker chat alone, then all at once."""
        self._open_campaign()
        self._register_known()
        on_progress("one worker alone")
        expected = self._register(_ALONE).texts
        for fault in _FAULTS:
            httpx.post(f"{self._description.chat_url}/faults", json=fault, trust_env=False).raise_for_status()
        on_progress(f"{self._workers} workers at once")
        began_at = time.monotonic()
        with ThreadPoolExecutor(self._workers + 1) as threads:
            plays = [threads.submit(self._register, number + 1) for number in range(self._workers)]
            threads.submit(self._kill_functions, lambda: sum(play.done() for play in plays))
            told = [play.result() for play in plays]
        seconds = time.monotonic() - began_at
        return ChatRun(
            workers=self._workers,
            seconds=seconds,
            told=told,
            expected=expected,
            registrations=self._count_registrations(),
            killed=self._killed,
            dead_letters=self._count_dead_letters(),
        )

    def _register(self, number: int) -> Replies:
        worker = Worker(self._description, number, campaign_id=_CAMPAIGN, think_seconds=self._think_seconds)
        return worker.register()

    def _open_campaign(self) -> None:
        now = datetime.now(UTC)
        campaign = make_campaign_payload(
            campaign_id=_CAMPAIGN,
            first_day=(now - timedelta(days=1)).date().isoformat(),
            last_day=(now + timedelta(days=1)).date().isoformat(),
            accepts_until="2999-12-31",
            sms_budget=10**10,
        )
        with closing(ApiClient(self._description.api_url, self._description.tokens["manager"])) as api:
            api.send("POST", "/v1/campaigns", json.dumps(campaign)).raise_for_status()

    def _register_known(self) -> None:
        """Register every second worker at a van."""
        captures = [
            make_capture_payload(
                capture_id=make_capture_id(number),
                campaign_id=_CAMPAIGN,
                captured_at=datetime.now(UTC).isoformat(timespec="seconds"),
                worker={"nik": make_worker_nik(number), "phone": f"0824-555{number:05}"},
                consent={
                    "text_version": "2024-10",
                    "given_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "method": "tick",
                },
            )
            for number in range(2, self._workers + 1, 2)
        ]
        with closing(ApiClient(self._description.api_url, self._description.tokens["kiosk"])) as api:
            for capture in captures:
                api.send("POST", "/v1/registrations", json.dumps(capture)).raise_for_status()

    def _kill_functions(self, count_done: Callable[[], int]) -> None:
        """Kill a process of each function while workers chat."""
        for function in _KILLED_FUNCTIONS:
            time.sleep(_KILL_AFTER_SECONDS)
            name = self._description.outputs[f"{function}Name"]
            if count_done() < self._workers and kill_process(name, port=self._stack.port):
                self._killed.append(function)

    def _count_registrations(self) -> Counter[str]:
        """Return how often each NIK is registered."""
        found: Counter[str] = Counter()
        today = datetime.now(UTC) + timedelta(hours=7)
        with closing(ApiClient(self._description.api_url, self._description.tokens["core"])) as api:
            for day in {today.date(), (today - timedelta(days=1)).date()}:
                path, cursor = f"/v1/registrations?campaign_id={_CAMPAIGN}&day={day}", ""
                while True:
                    page = api.send("GET", f"{path}{cursor}").json()
                    found.update(each["worker"]["nik"] for each in page["registrations"])
                    if page.get("cursor") is None:
                        break
                    cursor = f"&cursor={page['cursor']}"
        return found

    def _count_dead_letters(self) -> int:
        sqs = self._stack.emulator.make_client("sqs")
        counts = [
            sqs.get_queue_attributes(
                QueueUrl=self._description.outputs[f"{queue}DeadLettersUrl"],
                AttributeNames=["ApproximateNumberOfMessages"],
            )["Attributes"]["ApproximateNumberOfMessages"]
            for queue in ("ChatEvents", "ChatOutbox")
        ]
        return sum(map(int, counts))


def describe_run(run: ChatRun) -> dict[str, str]:
    """Return the figures of a run that no gate judges."""
    replies = run.reply_seconds
    share, p_value = run.last_replies.rank_test
    return {
        "workers who chatted at once": f"{run.workers:,} for {run.seconds:,.0f} s",
        "replies": f"{len(replies):,}, {len(replies) / run.seconds:.1f} a second",
        "deliveries": "a tenth twice, a tenth late; a twentieth of our calls throttled (429)",
        "killed processes": ", ".join(run.killed) or "none",
        "p50 of the reply": f"{find_percentile(replies, 50):.1f} s",
        "p95 of the reply": f"{find_percentile(replies, 95):.1f} s",
        "p99 of the reply": f"{find_percentile(replies, 99):.1f} s",
        "last reply to a known worker longer": f"in {share:.0%} of pairs (p {p_value:.2f})",
    }


def judge_run(run: ChatRun) -> list[Gate]:
    """Return the gates of a run. Whoever a killed sender left without an answer asks again, and goes on."""
    once = sum(number == 1 for number in run.registrations.values())
    lost_replies = sum(each.asked_again for each in run.told)
    return [
        # The worker alone is registered in the same campaign.
        Gate("workers not registered once", abs(run.workers + 1 - once), 0),
        Gate("registered twice", sum(number > 1 for number in run.registrations.values()), 0),
        Gate("told something twice, out of order, or less", count_disorder(run.told, run.expected), 0),
        Gate("replies lost with a killed process", lost_replies, run.killed.count("OnChatOutbox")),
        Gate("answers to a registration, beside one", len({each.last_text for each in run.told}) - 1, 0),
        Gate(
            "known workers' last reply, from even",
            abs(run.last_replies.rank_test[0] - 0.5),
            _compute_noise(len(run.last_replies.new), len(run.last_replies.known)),
        ),
        Gate("dead letters of chats", run.dead_letters, 0),
    ]


def _compute_noise(new: int, known: int) -> float:
    """Return three standard deviations of the share of pairs, if the time tells nothing (Mann-Whitney)."""
    return 3 * sqrt((new + known + 1) / (12 * new * known))
