"""Measure the CPU time of each step of a registration, in this process."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from tests.support.emulator_harness import EmulatorHarness
from tests.support.payloads import (
    encode_payload,
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)

REPEATS = 200


def measure_cpu_by_step(harness: EmulatorHarness) -> Mapping[str, float]:
    """Return the CPU milliseconds of each step of a registration, and of all of it."""
    os.environ.update(harness.environment)
    # The settings are read when the first service is built: the environment is set before the imports.
    from chalicelib.callers import Caller, Channel, Role  # noqa: PLC0415
    from chalicelib.campaigns.model import Campaign  # noqa: PLC0415
    from chalicelib.container import Container  # noqa: PLC0415
    from chalicelib.registrations import rules  # noqa: PLC0415
    from chalicelib.registrations.cleaned_capture import CleanedCapture  # noqa: PLC0415
    from chalicelib.registrations.messages import SubmitRegistration  # noqa: PLC0415
    from chalicelib.registrations.schemas_answers import AnswerView  # noqa: PLC0415
    from chalicelib.registrations.store_items import build_registration  # noqa: PLC0415

    container = Container()
    intake, quotes = container.intake, container.quotes
    campaign = Campaign.model_validate(make_campaign_payload())
    caller = Caller("bench", frozenset({Role.KIOSK}), Channel.KIOSK, frozenset({"*"}))
    serials = count(5_000)
    body = encode_payload(make_capture_payload())
    command = SubmitRegistration.model_validate_json(body)
    now = datetime.now(UTC)

    def submit() -> Any:
        serial = next(serials)
        capture_id = UUID(make_capture_id(10_000 + serial))
        worker = command.worker.model_copy(update={"nik": make_nik(serial), "phone": make_phone(serial)})
        return intake.submit(
            command.model_copy(update={"capture_id": capture_id, "worker": worker}),
            caller=caller,
            correlation_id="bench",
        ).answer

    answer = submit()
    capture_day = campaign.local_day(command.captured_at)
    registration = container.reading.get(answer.reference)
    return {
        "read the body": _measure_cpu(lambda: SubmitRegistration.model_validate_json(body)),
        "check the rules": _measure_cpu(
            lambda: rules.read_worker(
                CleanedCapture.from_command(command), campaign, now=now, age_limits=rules.AgeLimits()
            )
        ),
        "quote": _measure_cpu(lambda: quotes.quote(rules.build_quote_request(command, capture_day))),
        "seal and lay out the item": _measure_cpu(lambda: build_registration(registration, container.cipher)),
        "write the answer": _measure_cpu(lambda: AnswerView.from_answer(answer).model_dump_json()),
        "all of it, with hashing and the transaction": _measure_cpu(submit),
    }


def _measure_cpu(step: Callable[[], object]) -> float:
    for _ in range(REPEATS // 10):
        step()
    started_at = time.process_time()
    for _ in range(REPEATS):
        step()
    return (time.process_time() - started_at) / REPEATS * 1e3
