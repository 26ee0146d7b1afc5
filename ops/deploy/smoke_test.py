"""Register one synthetic worker on a stage, count the day, and remove the worker again.

The worker has no phone, so no SMS is sent. The campaign stays, under an id that begins with `smoke-`, with
the counts of the erased worker: counts are never taken back.
"""

import json
from secrets import randbelow
from typing import Any
from uuid import uuid4

from chalicelib.callers import Role
from chalicelib.clock import utc_now
from ops.api_client import ApiClient
from ops.deploy.stages import Stage
from ops.deploy.synthetic import ZONE, make_campaign, make_capture, make_nik, open_clients
from ops.errors import OperationError
from ops.refusals import ApiRefusal

_MAX_NUMBER = 9_000


class SmokeTestFailed(OperationError):
    """The stage runs, but does not do what it is for."""

    default_code = "smoke_test_failed"


def run_smoke_test(stage: Stage, api_url: str) -> str:
    """Register, count, erase. Return the campaign's id. Raise SmokeTestFailed, naming the step."""
    now = utc_now()
    campaign_id = f"smoke-{now:%Y%m%d-%H%M%S}"
    today = now.astimezone(ZONE).date()
    number = randbelow(_MAX_NUMBER)
    with open_clients(stage, api_url, campaign_id) as clients:
        call(clients[Role.MANAGER], "POST", "/v1/campaigns", make_campaign(campaign_id, today))
        try:
            made = call(
                clients[Role.KIOSK], "POST", "/v1/registrations", make_capture(campaign_id, number, now)
            )
            path = f"/v1/campaigns/{campaign_id}/summaries/{today}"
            summary = call(clients[Role.MANAGER], "POST", path)
        finally:
            request = {"request_id": str(uuid4()), "nik": make_nik(number), "reason": "purpose_ended"}
            call(clients[Role.ADMIN], "POST", "/v1/erasures", request)
    if made["outcome"] != "created" or summary["counts"]["created"] != 1:
        raise SmokeTestFailed(f"one worker was registered, the day's summary counts {summary['counts']}")
    return campaign_id


def call(api: ApiClient, method: str, path: str, body: Any = None) -> Any:
    """Return the JSON of an answer, None if it has none. Raise SmokeTestFailed for a refusal."""
    response = api.send(method, path, None if body is None else json.dumps(body))
    if not response.is_success:
        raise SmokeTestFailed(f"{method} {path} was refused: {ApiRefusal.from_response(response)}")
    return response.json() if response.content else None
