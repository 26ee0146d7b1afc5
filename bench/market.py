"""A campaign with money enough, and invented workers by the number: none is another, up to 99,999."""

import json
from contextlib import closing
from http import HTTPStatus
from typing import Any

from ops.api import API
from ops.stack import Description
from tests.builders import a_campaign, a_capture, a_capture_id, a_nik

# A NIK counts the births of a day in a district: four digits.
_IN_A_DISTRICT = 9000


class NotOpened(Exception):
    """The campaign was refused."""


def open_campaign(description: Description, campaign_id: str) -> None:
    """Open a campaign that can pay for every text. Raises NotOpened."""
    campaign = a_campaign(campaign_id=campaign_id, sms_budget=10**10)
    with closing(API(description.api_url, description.tokens["manager"])) as manager:
        answer = manager.send("POST", "/v1/campaigns", json.dumps(campaign))
    if answer.status_code != HTTPStatus.CREATED:
        raise NotOpened(answer.text)


def capture_of(number: int, **changes: Any) -> dict[str, Any]:
    """A capture of the worker with this number."""
    district, birth = divmod(number, _IN_A_DISTRICT)
    worker = {"nik": a_nik(birth + 1, place=f"9403{district + 1:02}"), "phone": f"0824-555{number:05}"}
    return a_capture(capture_id=a_capture_id(number), worker=worker, **changes)
