"""Where the CPU of one registration goes, step by step, in this process."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from bench.harness import EmulatorHarness
from tests.support.builders import (
    encode_payload,
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)

REPEATS = 200


def measure_cpu_by_step(harness: EmulatorHarness) -> Mapping[str, float]:
    """Milliseconds of CPU that each step of a registration takes, and the whole, beside a running stage."""
    os.environ.update(harness.environment)
    # The settings are read when the first service is built, so nothing of ours is imported before.
    from chalicelib.callers import Caller, Channel, Role  # noqa: PLC0415
    from chalicelib.campaigns.model import Campaign  # noqa: PLC0415
    from chalicelib.container import Container  # noqa: PLC0415
    from chalicelib.registrations import items, rules  # noqa: PLC0415
    from chalicelib.registrations.messages import SubmitRegistration  # noqa: PLC0415
    from chalicelib.registrations.schemas import AnswerView  # noqa: PLC0415

    container = Container()
    registrar, quoting = container.intake, container.quotes
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
        return registrar.submit(
            command.model_copy(update={"capture_id": capture_id, "worker": worker}),
            caller=caller,
            correlation_id="bench",
        ).answer

    answer = submit()
    registration = registrar.get(answer.reference)
    return {
        "read the body": _measure_cpu(lambda: SubmitRegistration.model_validate_json(body)),
        "check the rules": _measure_cpu(
            lambda: rules.read_worker(command, campaign, now=now, age_limits=rules.AgeLimits())
        ),
        "quote": _measure_cpu(lambda: quoting.quote(rules.build_quote_request(command))),
        "seal and lay out the item": _measure_cpu(
            lambda: items.build_registration(registration, container.cipher)
        ),
        "write the answer": _measure_cpu(lambda: AnswerView.from_answer(answer).model_dump_json()),
        "all of it, with hashing and the transaction": _measure_cpu(submit),
    }


def _measure_cpu(step: Callable[[], object]) -> float:
    for _ in range(REPEATS // 10):
        step()
    began = time.process_time()
    for _ in range(REPEATS):
        step()
    return (time.process_time() - began) / REPEATS * 1e3
