"""Where the CPU of one registration goes, step by step, in this process."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from bench.stage import Stage
from tests.builders import a_body, a_campaign, a_capture, a_capture_id, a_nik, a_phone

REPEATS = 200


def cpu_by_step(stage: Stage) -> Mapping[str, float]:
    """Milliseconds of CPU that each step of a registration takes, and the whole, beside a running stage."""
    os.environ.update(stage.environment)
    # The settings are read when the first service is built, so nothing of ours is imported before.
    from chalicelib import wiring  # noqa: PLC0415
    from chalicelib.campaigns.model import Campaign  # noqa: PLC0415
    from chalicelib.clients.model import Caller, Channel, Role  # noqa: PLC0415
    from chalicelib.registrations import items, rules  # noqa: PLC0415
    from chalicelib.registrations.messages import SubmitRegistration  # noqa: PLC0415
    from chalicelib.registrations.views import AnswerView  # noqa: PLC0415

    registrar, quoting = wiring.registrar(), wiring.quoting()
    campaign = Campaign.model_validate(a_campaign())
    caller = Caller("bench", frozenset({Role.KIOSK}), Channel.KIOSK, frozenset({"*"}))
    serials = count(5_000)
    body = a_body(a_capture())
    command = SubmitRegistration.model_validate_json(body)
    now = datetime.now(UTC)

    def submit() -> Any:
        serial = next(serials)
        capture_id = UUID(a_capture_id(10_000 + serial))
        worker = command.worker.model_copy(update={"nik": a_nik(serial), "phone": a_phone(serial)})
        return registrar.submit(
            command.model_copy(update={"capture_id": capture_id, "worker": worker}),
            by=caller,
            correlation_id="bench",
        ).answer

    answer = submit()
    registration = registrar.get(answer.reference)
    return {
        "read the body": _cpu(lambda: SubmitRegistration.model_validate_json(body)),
        "check the rules": _cpu(
            lambda: rules.read_worker(command, campaign, now=now, ages=rules.AgeLimits())
        ),
        "quote": _cpu(lambda: quoting.quote(rules.quote_asked(command))),
        "seal and lay out the item": _cpu(lambda: items.registration_values(registration, wiring.cipher())),
        "write the answer": _cpu(lambda: AnswerView.of(answer).model_dump_json()),
        "all of it, with hashing and the transaction": _cpu(submit),
    }


def _cpu(step: Callable[[], object]) -> float:
    for _ in range(REPEATS // 10):
        step()
    began = time.process_time()
    for _ in range(REPEATS):
        step()
    return (time.process_time() - began) / REPEATS * 1e3
