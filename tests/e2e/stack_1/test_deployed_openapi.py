"""What the deployed API says of itself, and its examples told to it."""

import json
import re
import shutil
import subprocess
from html import unescape
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from ops.openapi.examples import load_examples
from tests.support.isolated_campaign import open_market
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


def test_the_first_commands_of_the_page_register_a_worker(stack: RunningStack) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the page's commands need it")
    page = httpx.get(f"{stack.description.api_url}/docs", trust_env=False).text
    first_worker = page.partition('<section id="first-worker">')[2].partition("</section>")[0]
    commands = re.findall(r'<div class="sample">.*?<code>(.*?)</code>', first_worker, re.DOTALL)
    setup, register, show = map(unescape, commands)
    # The example's figures are another test's.
    register = register.replace("tanah-abang-2024", open_market(stack).campaign_id)
    register = register.replace("000000000001", "00000000f157").replace("327102", "940306")

    def run(command: str) -> Any:
        """Run a command after the first one, with the address and the token of the stack."""
        exports = setup.replace("https://YOUR-STAGE.example/api", stack.description.api_url)
        exports = exports.replace("YOUR-TOKEN", stack.description.tokens["kiosk"])
        script = f"export no_proxy=127.0.0.1\n{exports}\n{command}"
        return json.loads(subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout)

    created, again = run(register), run(register)
    assert created["outcome"] == "created"
    assert again == created
    shown = run(re.sub(r"(?<=registrations/)[^\"]+", created["reference"], show))
    assert shown["worker"]["name"] == "M***** K*********"


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
