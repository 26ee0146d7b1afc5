"""The deployed API against what its description lets a stranger think of, well-formed and not.

schemathesis makes the requests, from the description that is served, and judges each answer by it. It works
in a campaign and with clients of its own.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.web.site import load_app_site
from ops.project import ROOT
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

# Long past, so that no hourly tick looks at the campaign; new enough for a contribution rule.
DAY = "2016-03-01"
CAMPAIGN = "strangers-2016"
TO_OPEN = [f"{CAMPAIGN}-{number}" for number in range(9)]
SPARE = f"{CAMPAIGN}-spare"
TO_REVOKE = f"{CAMPAIGN}-to-revoke"
EXAMPLES = 3
SEED = 20241009

# Whoever cannot sign, has no code, no file that a device sealed, or a new token, gets no good answer there.
# The version of a form of ODK Collect has a hash in it, and a submission is a whole form.
ODK_FORM = "/odk/{token}/forms/{form_id}/{version}"
OUT_OF_REACH = {
    *(f"GET {ODK_FORM}/form", f"GET {ODK_FORM}/manifest", f"GET {ODK_FORM}/media/{{filename}}"),
    "POST /odk/{token}/submission",
    *("POST /v1/gateways/twilio/receipts", "POST /v1/enrolments", "POST /v1/rescues"),
    *("POST /v1/channels/telegram/updates", "POST /v1/channels/sms/inbound", "POST /v1/channels/ussd"),
    *("GET /v1/channels/whatsapp/webhook", "POST /v1/channels/whatsapp/webhook"),
    "POST /v1/device/token",
    # Of the console there is another release, no correction waits for a decision, and nobody for an answer.
    "GET /console/{release}/{folder}/{file}",
    "POST /v1/registrations/{reference}/corrections/{correction_id}/decision",
    "POST /v1/campaigns/{campaign_id}/review-items/{item_id}/answer",
}

LEFT_OUT = {
    "unsupported_method": "API Gateway knows no 405: a method that is not there is a route that is not there",
    "ignored_auth": "each wrong token makes the emulator start the authorizer anew, for seconds; see below",
}


@pytest.fixture
def fuzz_context(stack: RunningStack) -> dict[str, Any]:
    """A campaign, a client for each role, two without a use, a worker who has paid and one who has not."""
    campaign = make_campaign_payload(
        campaign_id=CAMPAIGN, first_day=DAY, last_day=DAY, accepts_until="2999-12-31"
    )
    assert stack.send("manager", "POST", "/v1/campaigns", campaign).status_code == 201
    paid, unpaid = (registered(stack, number) for number in (9001, 9002))
    payment = {"payment_id": "first", "amount": 32_800, "months": 1, "paid_at": f"{DAY}T10:00:00+07:00"}
    assert stack.send("core", "POST", f"/v1/registrations/{paid}/payments", payment).status_code == 200
    for client_id in (SPARE, TO_REVOKE):
        enrolled(stack, "kiosk", client_id)
    return {
        "tokens": {role: enrolled(stack, role, f"{CAMPAIGN}-{role}") for role in stack.description.tokens},
        "client_id": SPARE,
        "to_revoke": TO_REVOKE,
        "campaign_id": CAMPAIGN,
        "to_open": TO_OPEN,
        "day": DAY,
        "references": [paid],
        "capture_id": make_fuzzed_capture_id(9001),
        "to_cancel": unpaid,
        # An address of the web app's files is made of these.
        "release": load_app_site().release,
        "folder": "scripts",
        "file": "main.js",
    }


def make_fuzzed_capture_id(number: int) -> str:
    """Return a capture id that no other test uses."""
    return make_capture_id(9_000_000 + number)


def registered(stack: RunningStack, number: int) -> str:
    """The reference of a worker of this campaign."""
    capture = make_capture_payload(
        campaign_id=CAMPAIGN,
        capture_id=make_fuzzed_capture_id(number),
        captured_at=f"{DAY}T08:00:00+07:00",
        worker={"nik": make_nik(number, district_code="940303"), "phone": f"0824-5553-{number}"},
    )
    return str(stack.send("van-1", "POST", "/v1/registrations", capture).json()["reference"])


def enrolled(stack: RunningStack, role: str, client_id: str) -> str:
    """The token of a new client that works for campaigns of this test alone."""
    body = {"client_id": client_id, "roles": [role], "campaigns": [CAMPAIGN, *TO_OPEN]}
    return str(stack.send("admin", "POST", "/v1/clients", body).json()["token"])


def run_schemathesis(
    stack: RunningStack, fuzz_context: dict[str, Any], out: Path
) -> tuple[dict[str, Any], str]:
    """Its report, and what it printed."""
    description = out / "openapi.json"
    description.write_bytes(stack.send("bot", "GET", "/v1/openapi.json").content)
    command: list[str | Path] = [Path(sys.executable).with_name("schemathesis"), "run", description]
    command += ["--url", stack.description.api_url, "--checks", "all", "--exclude-checks", ",".join(LEFT_OUT)]
    command += ["--max-examples", str(EXAMPLES), "--seed", str(SEED)]
    # One at a time: a second thread would at times meet a fault of CPython 3.11's ast (gh-106905).
    command += ["--workers", "1"]
    command += ["--continue-on-failure", "--no-color", "--warnings", "off", "--request-timeout", "60"]
    # How long an answer takes says more of the machine that this runs on.
    command += ["--max-response-time", "60"]
    command += ["--report", "json", "--report-json-path", out / "report.json"]
    environment = {
        "PATH": os.defpath,
        "HOME": str(out),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SCHEMATHESIS_HOOKS": "tests.support.fuzz_hooks",
        "DAFTAR_FUZZ_CONTEXT": json.dumps(fuzz_context),
    }
    done = subprocess.run(
        command, cwd=out, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    said = done.stdout + done.stderr
    assert (out / "report.json").exists(), said
    return json.loads((out / "report.json").read_text()), said


def test_fuzzed_requests_get_documented_answers_only(
    stack: RunningStack, fuzz_context: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, said = run_schemathesis(stack, fuzz_context, tmp_path)

    operations, cases = report["operations"], report["test_cases"]
    reached = {
        name for name, phases in report["valid_rates"].items() if any(p["accepted"] for p in phases.values())
    }
    with capsys.disabled():
        sys.stdout.write(
            f"\nschemathesis: {operations['tested']} of {operations['total']} operations, "
            f"{cases['generated']} cases, {cases['unique_failures']} failures, "
            f"{len(reached)} operations with good answers, {report['running_time']:.0f} s\n"
        )
    assert (cases["unique_failures"], report["errors"], report["complete"]) == (0, [], True), said
    assert operations["tested"] == operations["total"], said
    # Every operation was got through to, and not only refused.
    assert {
        f"{method.upper()} {path}" for path, methods in _served(stack).items() for method in methods
    } <= reached | OUT_OF_REACH


def _served(stack: RunningStack) -> dict[str, Any]:
    paths: dict[str, Any] = stack.send("bot", "GET", "/v1/openapi.json").json()["paths"]
    return paths


def test_every_operation_except_the_public_ones_requires_a_token(stack: RunningStack) -> None:
    found = {}
    for path, methods in _served(stack).items():
        for method, operation in methods.items():
            url = f"{stack.description.api_url}{re.sub('{.*?}', 'x', path)}"
            answer = httpx.request(method.upper(), url, content=b"{}", trust_env=False)
            found[operation["operationId"]] = (answer.status_code == 401, bool(operation["security"]))

    assert {name for name, (refused, closed) in found.items() if refused is not closed} == set()
    assert {refused for refused, _ in found.values()} == {True, False}
