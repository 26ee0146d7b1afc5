"""A campaign on a local stack that is loaded: its clients, the requests that they send, and its books."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import httpx

from bench.load.books import Accepted, Books, Settlement
from bench.load.gateway import GatewayAccount
from infra.functions import ALIAS
from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from ops.local.stack import LocalStack
from tests.support.aws_events import make_schedule_event
from tests.support.campaigns import create_campaign, make_capture
from tests.support.running_stack import RunningStack

DAY = "2024-10-09"
MANAGER_PATHS = (
    "/v1/campaigns/{campaign}/summaries/{day}",
    "/v1/campaigns/{campaign}/summaries/{day}?format=html",
    "/v1/campaigns/{campaign}/summaries/{day}?format=xlsx",
    "/v1/campaigns/{campaign}/summaries",
    "/v1/registrations?campaign_id={campaign}&day={day}",
)
# Longer than API Gateway lets a request last.
_TIMEOUT_SECONDS = 60
_OFFICE_HOURS = 10
_QUIET_LOOKS = 5
_POLL_SECONDS = 0.25
_NO_CAP = 10_000_000


class NotAtRest(Exception):
    """SMS are missing, or messages move, after the time that was given."""


class LoadedCampaign:
    """A campaign whose callers make requests. Several threads may use it.

    A method that sends returns None for the answer that it should get, or else what is wrong. No request is
    repeated, so that every refusal and every lost answer is seen.
    """

    def __init__(
        self, stack: LocalStack, campaign_id: str, *, vans: int, workers: range, connections: int
    ) -> None:
        """Create the campaign and enrol its clients. Nobody else uses the workers with these numbers."""
        self.stack = stack
        self.books = Books()
        self.campaign_id = campaign_id
        self._running = RunningStack(stack, stack.describe())
        self._numbers = iter(workers)
        self._turns = count()
        self._url = self._running.description.api_url
        create_campaign(self._running.description, campaign_id)
        self._vans = [f"{campaign_id}-van-{number + 1}" for number in range(vans)]
        self._bot = f"{campaign_id}-bot"
        for client, role, channel in [
            *((van, "kiosk", "van") for van in self._vans),
            (self._bot, "bot", "bot"),
        ]:
            self._enrol(client, role, channel)
        # A shared stack may have dead letters of others.
        self._dead_letters_before = self._count_messages(list(DEAD_LETTER_QUEUES))
        self._http = httpx.Client(
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
        self._gateway = GatewayAccount(stack.gateway_url, campaign_id)

    def _enrol(self, client_id: str, role: str, channel: str) -> None:
        body = {
            "client_id": client_id,
            "roles": [role],
            "channel": channel,
            "campaigns": [self.campaign_id],
            "daily_flag": _NO_CAP,
            "daily_cap": _NO_CAP,
        }
        answer = self._running.send("admin", "POST", "/v1/clients", body)
        answer.raise_for_status()
        self._running.enrolled_tokens[client_id] = answer.json()["token"]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def register(self, _number: int = 0) -> str | None:
        """Register a new worker from one of the vans."""
        worker, van = next(self._numbers), self._next_van()
        answer = self._send(van, "POST", "/v1/registrations", self._make_capture(worker))
        if isinstance(answer, str):
            return answer
        if answer.status_code != httpx.codes.CREATED:
            return _describe(answer)
        self._accept(worker, van, "van", answer.json()["reference"])
        return None

    def register_by_bot(self, _number: int = 0) -> str | None:
        """Register a new worker from a bot, which is told nothing of the worker."""
        worker = next(self._numbers)
        answer = self._send(self._bot, "POST", "/v1/registrations", self._make_capture(worker))
        if isinstance(answer, str):
            return answer
        if answer.status_code != httpx.codes.ACCEPTED:
            return _describe(answer)
        self._accept(worker, self._bot, "bot", None)
        return None

    def register_batch(self, size: int) -> str | None:
        """Register so many new workers from a van in one request."""
        van, workers = self._next_van(), [next(self._numbers) for _ in range(size)]
        items = [self._make_capture(worker) for worker in workers]
        answer = self._send(van, "POST", "/v1/registrations/batch", {"items": items})
        if isinstance(answer, str):
            return answer
        if answer.status_code != httpx.codes.OK:
            return _describe(answer)
        results = answer.json()["results"]
        for worker, result in zip(workers, results, strict=True):
            if result["outcome"] == "created":
                self._accept(worker, van, "van", result["reference"])
        return next((each["outcome"] for each in results if each["outcome"] != "created"), None)

    def ask_status(self, number: int) -> str | None:
        """Ask as a worker how the own registration stands."""
        known = [each for each in list(self.books.accepted.values()) if each.reference]
        asked = known[number % len(known)]
        body = {"reference": asked.reference, "phone": asked.phone}
        answer = self._send(None, "POST", "/v1/statuses", body)
        if isinstance(answer, str):
            return answer
        is_found = answer.is_success and answer.json()["state"] != "not_found"
        return None if is_found else _describe(answer)

    def read_as_manager(self, number: int) -> str | None:
        """Read the day as a manager: figures, page, spreadsheet, the list of days, the registrations."""
        path = MANAGER_PATHS[number % len(MANAGER_PATHS)].format(campaign=self.campaign_id, day=DAY)
        answer = self._send("manager", "GET", path)
        if isinstance(answer, str):
            return answer
        return None if answer.status_code == httpx.codes.OK else _describe(answer)

    def begin(self, *, timeout_seconds: float) -> str | None:
        """Register one worker, so that functions have started and there is a day to read.

        Return what is wrong with the answer. Raise NotAtRest if the rest takes longer.
        """
        if (error := self.register()) is not None:
            return error
        self.await_all_sms(timeout_seconds=timeout_seconds)
        # The stream's function says that the day has changed, before or after it has the SMS sent.
        await_condition("the first count", self._try_to_count, timeout_seconds=timeout_seconds)
        return None

    def _try_to_count(self) -> bool:
        try:
            return bool(self.count_day())
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return False
            raise

    def count_day(self) -> Mapping[str, Any]:
        """Run the hourly count, and return the stored summary. Raise HTTPStatusError if there is none."""
        self.run_count()
        return self.read_summary()

    def run_count(self) -> None:
        """Run the hourly count, which is for all campaigns of the stack. Raise RuntimeError if it fails."""
        response = self._running.aws_client("lambda").invoke(
            FunctionName=self._running.description.outputs["RollUpDueDaysName"],
            Qualifier=ALIAS,
            Payload=json.dumps(make_schedule_event()),
        )
        payload = response["Payload"].read()
        if "FunctionError" in response:
            raise RuntimeError(f"the count has failed: {payload!r}")

    def read_summary(self) -> Mapping[str, Any]:
        """Return the stored summary of the day. Raise HTTPStatusError if there is none."""
        path = f"/v1/campaigns/{self.campaign_id}/summaries/{DAY}"
        answer = self._running.send("manager", "GET", path).raise_for_status()
        summary: dict[str, Any] = answer.json()
        return summary

    def await_all_sms(self, *, timeout_seconds: float) -> None:
        """Wait until the gateway has an SMS for each registration. Raise NotAtRest if one is late."""
        await_condition(
            "an SMS for each registration",
            lambda: self.count_sms() >= len(self.books.accepted),
            timeout_seconds=timeout_seconds,
        )

    def count_sms(self) -> int:
        """Return the number of SMS of this campaign at the gateway."""
        return len(self._gateway.list_phones())

    def await_rest(self, *, timeout_seconds: float) -> None:
        """Wait until nothing moves. Raise NotAtRest if that takes too long."""
        self.await_all_sms(timeout_seconds=timeout_seconds)
        await_condition("quiet queues", self._is_quiet, timeout_seconds=timeout_seconds)

    def settle(self, unsettled: Mapping[str, int], *, timeout_seconds: float) -> Settlement:
        """Count the day, and return what is left at rest; `unsettled` are the SMS by campaign.

        Raise NotAtRest if the second count takes longer.
        """
        summary_differences = self.books.list_summary_differences(self.count_day())
        recount = self._count_one_more(timeout_seconds=timeout_seconds)
        return Settlement(
            sms=self.books.count_sms_faults(self._gateway.list_phones()),
            unsettled_sms=unsettled.get(self.campaign_id, 0),
            dead_letters=self._count_messages(list(DEAD_LETTER_QUEUES)) - self._dead_letters_before,
            summary_differences=summary_differences,
            recount_differences=self.books.list_summary_differences(recount),
        )

    def _count_one_more(self, *, timeout_seconds: float) -> Mapping[str, Any]:
        """Register one more worker, so that the hourly count reads the whole day again. Return the summary.

        A request for a recount is given up after 18 seconds, in which the emulator cannot read 13,000 rows.
        """
        if (error := self.register()) is not None:
            raise NotAtRest(f"one more registration was not accepted: {error}")
        self.await_all_sms(timeout_seconds=timeout_seconds)
        accepted = len(self.books.accepted)
        await_condition(
            "the count of one more registration",
            lambda: self.count_day()["counts"]["created"] >= accepted,
            timeout_seconds=timeout_seconds,
        )
        return self.read_summary()

    def _is_quiet(self) -> bool:
        """Look several times: a message may be on its way from one queue to the next."""
        for _ in range(_QUIET_LOOKS):
            gateway = httpx.get(f"{self.stack.gateway_url}/receipts", trust_env=False).json()
            if gateway["waiting"] or self._count_messages(["NotificationsQueue", "ReceiptsQueue"]):
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _count_messages(self, queues: Sequence[str]) -> int:
        sqs = self._running.aws_client("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        total = 0
        for queue in queues:
            url = self._running.description.outputs[f"{queue}Url"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            total += sum(int(value) for value in attributes.values())
        return total

    def _next_van(self) -> str:
        return self._vans[next(self._turns) % len(self._vans)]

    def _make_capture(self, worker: int) -> dict[str, Any]:
        captured_at = f"{DAY}T{7 + worker % _OFFICE_HOURS:02}:{worker % 60:02}:00+07:00"
        consent = {"given_at": captured_at}
        return make_capture(worker, campaign_id=self.campaign_id, captured_at=captured_at, consent=consent)

    def _accept(self, worker: int, client_id: str, channel: str, reference: str | None) -> None:
        phone = f"+62824555{worker:05}"
        self.books.accepted[worker] = Accepted(client_id, channel, phone, time.monotonic(), reference)

    def _send(self, client: str | None, method: str, path: str, body: object = None) -> httpx.Response | str:
        """Return the answer, or the name of the error if there is none."""
        headers = {"Content-Type": "application/json"}
        if client is not None:
            headers["Authorization"] = f"Bearer {self._find_token(client)}"
        try:
            content = None if body is None else json.dumps(body).encode()
            return self._http.request(method, f"{self._url}{path}", content=content, headers=headers)
        except httpx.TransportError as error:
            return type(error).__name__

    def _find_token(self, client: str) -> str:
        token = self._running.enrolled_tokens.get(client) or self._running.description.find_token(client)
        if token is None:
            raise RuntimeError(f"no client {client}")
        return token


def await_condition(description: str, is_reached: Callable[[], bool], *, timeout_seconds: float) -> None:
    """Look until a condition is reached. Raise NotAtRest if it is not within so many seconds."""
    deadline = time.monotonic() + timeout_seconds
    while not is_reached():
        if time.monotonic() > deadline:
            raise NotAtRest(f"{description} did not come within {timeout_seconds:.0f} s")
        time.sleep(_POLL_SECONDS)


def _describe(answer: httpx.Response) -> str:
    """Return the status and the code of a refusal; no value of the request is in it."""
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    return f"{answer.status_code} {answer.json()['code']}" if is_problem else str(answer.status_code)
