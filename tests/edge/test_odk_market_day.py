"""The example's market day by ODK's own engine: the summary is the one that the JSON API gives."""

import json
import os
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest

from chalicelib.callers import Role
from ops.local.seeding import DEVICE_CHANNELS
from ops.project import EXAMPLE_DIR
from tests.edge.conftest import Edge, restore_market
from tests.support.javarosa.engine import FilledForm, Filling, FormEngine, is_java_installed
from tests.support.odk_edge import TANAH_ABANG, Field
from tests.support.odk_instances import list_answers

pytestmark = pytest.mark.skipif(not is_java_installed(), reason="needs a JDK (.ci/run installs one)")

Capture = dict[str, Any]
FIRST_CAPTURES = 30  # Of each device; some of them are refused.
DAYS = ("2024-10-09", "2024-10-10")
# What differs from one count to the next of the same captures.
OF_ONE_COUNT = {"counted_at", "content_hash", "version", "arrivals", "notes"}
# Metadata, and what the form fills in by itself.
NOT_TYPED = {"start", "end", "deviceid", "consent.given_at", "consent.text_version"}


def list_captures() -> list[tuple[str, Capture]]:
    """Return device and capture, one device after another: the first of each, or all (`make odk`)."""
    count = None if os.environ.get("DAFTAR_TEST_WHOLE_MARKET") else FIRST_CAPTURES
    return [
        (device, json.loads(line))
        for device in ("van-1", "kiosk-1", "van-2")
        for line in (EXAMPLE_DIR / f"{device}.jsonl").read_text().splitlines()[:count]
    ]


def make_filling(capture: Capture) -> Filling:
    typed = {path: text for path, text in list_answers(capture).items() if text and path not in NOT_TYPED}
    return Filling({to_xpath(path): text for path, text in typed.items()}, start=capture["captured_at"])


def to_xpath(path: str) -> str:
    return f"/data/{path.replace('.', '/')}"


def set_leaf(xml: str, path: str, text: str) -> str:
    name = path.rpartition(".")[2]
    changed, count = re.subn(rf"<{name}( /|>[^<]*</{name})>", f"<{name}>{escape(text)}</{name}>", xml)
    assert count == 1, path
    return changed


def to_instance(capture: Capture, filled: FilledForm) -> str:
    """Return the engine's instance as the capture of the example: its id and its times.

    What the form refused to take is put in, as a phone with a form of other rules would send it.
    """
    answers = list_answers(capture)
    xml = set_leaf(filled.xml, "meta.instanceID", f"uuid:{capture['capture_id']}")
    xml = set_leaf(xml, "consent.given_at", capture["consent"]["given_at"])
    for path, text in answers.items():
        if to_xpath(path) in filled.refused:
            xml = set_leaf(xml, path, text or "")
    return xml


def enrol_devices(edge: Edge) -> None:
    for device in ("van-2", "kiosk-1"):
        edge.enrol(device, {"client_id": device, "roles": [Role.KIOSK], "channel": DEVICE_CHANNELS[device]})
    edge.tokens["van-1"] = edge.tokens["kiosk"]


def count_days(edge: Edge) -> list[dict[str, Any]]:
    summaries = []
    for day in DAYS:
        path = f"/v1/campaigns/{TANAH_ABANG}/summaries/{day}"
        summaries.append(edge.send("POST", path, caller="manager").json_body)
    return [{name: value for name, value in each.items() if name not in OF_ONE_COUNT} for each in summaries]


def test_the_market_day_by_the_real_engine_has_the_summary_of_the_json_api(
    edge: Edge, tmp_path: Path
) -> None:
    enrol_devices(edge)
    captures = list_captures()
    form = Field(edge).phone.forms[TANAH_ABANG]
    engine = FormEngine(form.content, form.media, tmp_path)
    filled = engine.fill(make_filling(capture) for _, capture in captures)
    by_form = []
    for (device, capture), each in zip(captures, filled, strict=True):
        field = Field(edge, device, version=form.version)
        by_form.append(field.post(to_instance(capture, each)).status)
    summaries = count_days(edge)

    restore_market(edge)
    enrol_devices(edge)
    by_json = [edge.register(capture, caller=device).status_code for device, capture in captures]
    # Collect takes nothing but 201 for a success.
    assert by_form == [201 if status == 200 else status for status in by_json]
    assert count_days(edge) == summaries
    # The form refuses, while the officer types, what intake would refuse later.
    refused_by_form = [bool(each.refused) for each in filled]
    assert refused_by_form == [status == 422 for status in by_json]
    assert {201, 422} <= set(by_form)


@pytest.mark.parametrize("path", ["worker.nik", "worker.phone"])
def test_an_answer_that_the_form_refuses_is_not_kept(edge: Edge, tmp_path: Path, path: str) -> None:
    form = Field(edge).phone.forms[TANAH_ABANG]
    engine = FormEngine(form.content, form.media, tmp_path)
    [filled] = engine.fill([Filling({to_xpath(path): "12345"})])
    assert filled.refused == {to_xpath(path)}
    assert "12345" not in filled.xml
