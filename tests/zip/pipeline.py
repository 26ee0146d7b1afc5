"""From a capture to its summary by functions that each run alone; tests pass on what AWS would pass on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import http_events
from tests.support.aws_events import make_schedule_event, make_sqs_event, make_stream_event
from tests.support.emulator_harness import EmulatorHarness
from tests.support.lambda_runtime import LocalFunction
from tests.support.moto_tables import STAGE_ENVIRONMENT
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)

_CORE = {"client_id": "membership", "roles": "core", "channel": "office", "campaigns": "*"}

# Starts the function of a handler.
StartHandler = Callable[[str], LocalFunction]


@dataclass(frozen=True)
class Pipeline:
    """One campaign with one worker. `number` tells it from others in the same stage."""

    stage: EmulatorHarness
    number: int = 1

    @property
    def campaign_id(self) -> str:
        return f"tanah-abang-{self.number}"

    def open_campaign(self, start: StartHandler) -> None:
        event = http_events.make_campaign_event(make_campaign_payload(campaign_id=self.campaign_id))
        self._request(start, event, 201)

    def register(self, start: StartHandler) -> str:
        """Register the worker. Return the reference."""
        capture = make_capture_payload(
            campaign_id=self.campaign_id,
            capture_id=make_capture_id(self.number),
            worker={"nik": make_nik(7000 + self.number), "phone": make_phone(7000 + self.number)},
        )
        reference: str = self._request(start, http_events.make_registration_event(capture), 201)["reference"]
        return reference

    def publish(self, start: StartHandler) -> None:
        table = STAGE_ENVIRONMENT["DAFTAR_REGISTRATIONS_TABLE"]
        stored = self.stage.emulator.make_client("dynamodb").scan(TableName=table)["Items"]
        published = start("app.on_registration_changes").invoke(make_stream_event(*stored))
        assert published.value == {"batchItemFailures": []}, published

    def send(self, start: StartHandler) -> list[str]:
        """Send what is queued. Return the texts of all SMS so far."""
        queue = self.stage.environment["DAFTAR_NOTIFICATIONS_QUEUE_URL"]
        sqs = self.stage.emulator.make_client("sqs")
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        sent = start("app.on_notifications").invoke(make_sqs_event(*(each["Body"] for each in received)))
        assert sent.value == {"batchItemFailures": []}, sent
        return [each["text"] for each in httpx.get(f"{self.stage.gateway_url}/messages").json()]

    def pay(self, start: StartHandler, reference: str) -> None:
        """Issue a payment code, and report that it was paid."""
        code = {"code": f"8808-{self.number}", "amount": 32_800, "expires_on": "2030-11-08"}
        paid = {"payment_id": f"pay-{self.number}", "amount": 32_800, "months": 1}
        paid |= {"paid_at": "2024-10-10T13:00:00+07:00"}
        for method, act, body in (("PUT", "payment-code", code), ("POST", "payments", paid)):
            event = http_events.make_request_event(
                method,
                f"/v1/registrations/{{reference}}/{act}",
                json.dumps(body),
                caller=_CORE,
                path_parameters={"reference": reference},
            )
            self._request(start, event, 200)

    def count(self, start: StartHandler) -> None:
        counted = start("app.roll_up_due_days").invoke(make_schedule_event())
        assert counted.error is None, counted
        assert counted.value["written"] >= 1

    def read(self, start: StartHandler, reference: str) -> list[Any]:
        """Return the registration and the summary of its day, as a manager reads them."""
        registration = http_events.make_request_event(
            "GET",
            "/v1/registrations/{reference}",
            "",
            caller=http_events.MANAGER,
            path_parameters={"reference": reference},
        )
        summary = http_events.make_request_event(
            "GET",
            "/v1/campaigns/{campaign_id}/summaries/{day}",
            "",
            caller=http_events.MANAGER,
            path_parameters={"campaign_id": self.campaign_id, "day": "2024-10-09"},
        )
        return [self._request(start, event, 200) for event in (registration, summary)]

    def _request(self, start: StartHandler, event: dict[str, Any], status: int) -> Any:
        answer = start("app.app").invoke(event)
        assert answer.value["statusCode"] == status, answer
        return json.loads(answer.value["body"])
