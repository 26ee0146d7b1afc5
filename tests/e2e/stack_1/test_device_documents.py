"""The documents that devices keep, on the deployed API: through API Gateway a 304 and its headers survive."""

from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


def get(stack: RunningStack, path: str, **headers: str) -> httpx.Response:
    """Send a request as the kiosk."""
    token = {"Authorization": f"Bearer {stack.description.tokens['kiosk']}"}
    url = f"{stack.description.api_url}{path}"
    return httpx.get(url, headers={**token, **headers}, timeout=30, trust_env=False)


@pytest.mark.parametrize("document", ["occupations", "bundle"])
def test_a_document_is_sent_again_only_if_it_changed(stack: RunningStack, document: str) -> None:
    campaign_id = stack.description.campaign_id
    path = {"occupations": "/v1/occupations", "bundle": f"/v1/campaigns/{campaign_id}/bundle"}[document]
    first = get(stack, path)

    again = get(stack, path, **{"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"] != "no-store"
    # A device that got 304 sets its clock by this.
    assert parsedate_to_datetime(again.headers["Date"]).tzinfo is not None
