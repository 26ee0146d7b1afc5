"""The web app as the packaged stack serves it, under the prefix of its stage."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from ops.cli import main
from tests.browser.conftest import find_browser
from tests.support.isolated_campaign import open_market
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.rescue_files import make_content, seal_for
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

IS_CONTROLLED = "navigator.serviceWorker.ready.then((registration) => registration.scope)"


def test_every_file_of_the_web_app_arrives_compressed_and_whole(stack: RunningStack) -> None:
    app_url = stack.description.app_url
    worker = httpx.get(f"{app_url}/service-worker.js")
    names = ["app", *(f"app/{name}" for name in re.findall(r"[0-9a-f]{16}/[a-z0-9./-]+", worker.text))]
    assert len(names) > 3
    for name in names:
        url = urljoin(app_url, name)
        compressed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
        plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
        assert (compressed.status_code, plain.status_code) == (200, 200), name
        assert compressed.headers["Content-Encoding"] == "gzip", name
        assert "Content-Encoding" not in plain.headers, name
        assert compressed.content == plain.content, name


def test_the_web_app_opens_again_without_a_network(stack: RunningStack) -> None:
    path = find_browser()
    if path is None:
        pytest.skip("no browser here to open the web app with")
    app_url, wrong = stack.description.app_url, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context()
        page = context.new_page()
        page.on(
            "console", lambda line: wrong.append(line.text) if line.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(app_url)
        scope = page.evaluate(IS_CONTROLLED)
        context.set_offline(True)
        page.reload()
        title = page.title()
        browser.close()

    assert scope == app_url
    assert title
    assert wrong == []


def test_a_device_gets_a_token_for_a_code_and_sends_compressed_batches(stack: RunningStack) -> None:
    market = open_market(stack)
    client_id = f"tablet-of-{market.campaign_id}"
    client = {"client_id": client_id, "roles": ["kiosk"], "campaigns": [market.campaign_id]}
    # On a busy machine the first answer may be lost, and the client is there when it is sent again.
    assert stack.send("admin", "POST", "/v1/clients", client).status_code in {201, 409}
    made = stack.send("manager", "POST", f"/v1/clients/{client_id}/enrolment-codes", {}).json()
    assert made["app_url"] == stack.description.app_url

    api_url = stack.description.api_url
    enrolled = httpx.post(f"{api_url}/v1/enrolments", json={"code": made["code"]}).json()
    again = httpx.post(f"{api_url}/v1/enrolments", json={"code": made["code"]})
    assert [each["campaign_id"] for each in enrolled["campaigns"]] == [market.campaign_id]
    assert (again.status_code, again.json()["code"]) == (404, "enrolment_code_unknown")

    items = [market.make_capture_payload() for _ in range(20)]
    headers = {"Authorization": f"Bearer {enrolled['token']}", "Content-Type": "application/json"}
    batch = json.dumps({"items": items}).encode()
    sent = httpx.post(
        f"{api_url}/v1/registrations/batch",
        content=gzip.compress(batch),
        headers={**headers, "Content-Encoding": "gzip"},
        timeout=30,
    )
    assert {each["outcome"] for each in sent.json()["results"]} == {"created"}
    device = httpx.get(f"{api_url}/v1/device", headers=headers).json()
    assert device["client_id"] == client_id


def test_the_command_line_makes_a_code_and_takes_in_what_a_device_could_not_send(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAFTAR_PORT", str(stack.local_stack.port))
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(stack.local_stack.directory))
    client = {"client_id": "tablet-cli", "roles": ["kiosk"], "campaigns": [stack.description.campaign_id]}
    assert stack.send("admin", "POST", "/v1/clients", client).status_code == 201

    made = CliRunner().invoke(main, ["clients", "enrol-device", "tablet-cli", "--mode", "kiosk", "--json"])
    shown = CliRunner().invoke(main, ["clients", "enrol-device", "tablet-cli"])
    assert stack.description.app_url in shown.output
    assert "█" in shown.output
    code = json.loads(made.output)["result"]["enrolment"]["code"]
    enrolled = httpx.post(f"{stack.description.api_url}/v1/enrolments", json={"code": code}).json()
    assert enrolled["mode"] == "kiosk"

    assert stack.send("admin", "DELETE", "/v1/clients/tablet-cli").status_code == 204
    bundle = stack.send("kiosk", "GET", f"/v1/campaigns/{stack.description.campaign_id}/bundle").json()
    captures = [
        make_capture_payload(
            capture_id=make_capture_id(7_100 + number), worker={"nik": make_nik(7_100 + number)}
        )
        for number in range(3)
    ]
    file = tmp_path / "tablet-cli.daftar"
    file.write_text(
        json.dumps(seal_for(bundle["rescue_key"], make_content(captures, client_id="tablet-cli")))
    )
    for _ in range(2):
        taken = CliRunner().invoke(main, ["rescue", str(file), "--json"])
        result = json.loads(taken.output)["result"]
        assert (result["client_id"], result["outcomes"]) == ("tablet-cli", {"created": 3})
