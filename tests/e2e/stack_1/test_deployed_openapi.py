"""What the deployed API says of itself, and its examples told to it."""

from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from ops.openapi.examples import load_examples
from tests.support.running_stack import RunningStack
from tests.support.scenario import Scenario, ScenarioResponse

pytestmark = pytest.mark.e2e


def test_the_served_description_leads_back_to_the_api(stack: RunningStack) -> None:
    own = f"{stack.description.api_url}/v1/openapi.json"
    (server,) = httpx.get(own, trust_env=False).json()["servers"]

    assert urljoin(own, server["url"]).rstrip("/") == stack.description.api_url


def test_the_page_leads_to_the_description(stack: RunningStack) -> None:
    page = f"{stack.description.api_url}/docs"
    answer = httpx.get(page, trust_env=False)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'href="v1/openapi.json"' in answer.text
    assert httpx.get(urljoin(page, "v1/openapi.json"), trust_env=False).status_code == 200


def test_every_example_is_answered_as_the_description_tells(stack: RunningStack) -> None:
    tokens = dict(stack.description.tokens)

    def send(by: str | None, method: str, path: str, body: Any) -> ScenarioResponse:
        token = {**tokens, **story.tokens}.get(by or "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.request(
            method,
            f"{stack.description.api_url}{path}",
            headers=headers,
            json=body,
            timeout=30,
            trust_env=False,
        )
        return ScenarioResponse(answer.status_code, answer.json() if answer.content else None)

    story = Scenario(send)
    for example in load_examples():
        sent = story.send_example(example)
        assert (sent.status, story.compare_answer(example, sent.body)) == (example.status, []), example.title
