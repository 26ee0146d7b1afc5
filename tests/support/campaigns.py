"""A campaign with a large SMS budget, and up to 99,999 distinct invented workers."""

import json
from contextlib import closing
from http import HTTPStatus
from typing import Any

from ops.api_client import ApiClient
from ops.local.description import StackDescription
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

# A NIK has a four-digit serial within a district and birth date.
_WORKERS_PER_DISTRICT = 9000


class CampaignRefused(Exception):
    """The campaign was refused."""


def create_campaign(description: StackDescription, campaign_id: str) -> None:
    """Create a campaign whose budget covers every SMS. Raises CampaignRefused."""
    campaign = make_campaign_payload(campaign_id=campaign_id, sms_budget=10**10)
    with closing(ApiClient(description.api_url, description.tokens["manager"])) as manager:
        answer = manager.send("POST", "/v1/campaigns", json.dumps(campaign))
    if answer.status_code != HTTPStatus.CREATED:
        raise CampaignRefused(answer.text)


def make_capture(worker_number: int, **changes: Any) -> dict[str, Any]:
    """Return a capture of the worker with this number."""
    district, birth = divmod(worker_number, _WORKERS_PER_DISTRICT)
    worker = {
        "nik": make_nik(birth + 1, district_code=f"9403{district + 1:02}"),
        "phone": f"0824-555{worker_number:05}",
    }
    return make_capture_payload(capture_id=make_capture_id(worker_number), worker=worker, **changes)
