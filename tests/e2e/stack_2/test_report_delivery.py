"""Mails and SMS to managers and rows for analysts on the packaged stack: each is delivered once."""

import gzip
import hashlib
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from ops import invoke
from tests.e2e.stack_2.test_erasure_and_rotation import make_data_request
from tests.support.isolated_campaign import DAY, Market, await_pipeline_idle, open_market
from tests.support.payloads import make_campaign_payload
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

MANAGERS: list[dict[str, Any]] = [
    {"name": "Manajer Contoh Satu", "email": "satu@{}.example", "phone": "+6282455507801"},
    {"name": "Manajer Contoh Dua", "email": "dua@{}.example", "phone": None},
]


def open_campaign_of_today(stack: RunningStack, campaign_id: str) -> Market:
    """Open a campaign of one day, today, that is due for its summary and has two managers."""
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()
    managers = [{**each, "email": each["email"].format(campaign_id)} for each in MANAGERS]
    body = make_campaign_payload(
        campaign_id=campaign_id,
        name="Pasar Hari Ini",
        first_day=today,
        last_day=today,
        summary_hour=0,
        managers=managers,
    )
    response = stack.send("manager", "POST", "/v1/campaigns", body)
    assert response.status_code == 201, response.text
    return Market(stack, campaign_id)


def make_current_times() -> dict[str, Any]:
    """Return the fields of a capture that is made now."""
    now = datetime.now(UTC)
    given_at = (now - timedelta(seconds=30)).isoformat()
    consent = {"text_version": "2024-10", "given_at": given_at, "method": "tick"}
    return {"captured_at": now.isoformat(), "consent": consent}


def list_mails_to(stack: RunningStack, domain: str) -> list[EmailMessage]:
    """Return the mails to managers with addresses of a domain."""
    mails = [
        BytesParser(policy=default).parsebytes(mail.read_bytes()) for mail in stack.description.list_mails()
    ]
    return [mail for mail in mails if mail["To"].addresses[0].domain == domain]


def run_schedules(stack: RunningStack) -> None:
    """Run every scheduled function twice, so that deliveries and exports find the counted days."""
    for _ in range(2):
        stack.fire_schedules()


def test_each_manager_gets_one_provisional_mail_and_sms_with_the_counts(stack: RunningStack) -> None:
    market = open_campaign_of_today(stack, "pasar-hari-ini")
    for _ in range(7):
        assert market.register(market.make_capture_payload(**make_current_times())).status_code == 201
    await_pipeline_idle(stack)

    run_schedules(stack)
    run_schedules(stack)

    summary = market.get_summary(datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat())
    assert (summary["state"], summary["counts"]["created"]) == ("provisional", 7)
    mails = list_mails_to(stack, "pasar-hari-ini.example")
    assert [mail["To"].addresses[0].username for mail in mails] == ["satu", "dua"]
    for mail in mails:
        assert mail["From"].addresses[0].addr_spec == "laporan@daftar.example"
        assert "7 terdaftar" in mail["Subject"]
        body, attachment = mail.iter_parts()
        text, html = (part.get_content() for part in body.iter_parts())
        assert "Pasar Hari Ini" in text
        assert "Pasar Hari Ini" in html
        workbook = openpyxl.load_workbook(io.BytesIO(attachment.get_content()))
        assert 7 in [cell for row in workbook.worksheets[0].iter_rows(values_only=True) for cell in row]
    (sms,) = [each for each in stack.list_sms() if "Pasar Hari Ini" in each["text"]]
    assert (sms["to"], "7" in sms["text"]) == ("+6282455507801", True)


class ExportedDay:
    """The exported files of one campaign day, as analysts read them."""

    def __init__(self, stack: RunningStack, campaign_id: str) -> None:
        self._s3 = stack.aws_client("s3")
        self._name = stack.description.outputs["ExportsBucketName"]
        self._day = f"captures/campaign={campaign_id}/day={DAY}/"

    def read_manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self._read(f"{self._day}_manifest.json"))
        return manifest

    def read_rows(self) -> list[dict[str, Any]]:
        (file,) = self.read_manifest()["files"]
        content = self._read(file["key"])
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        return [json.loads(line) for line in gzip.decompress(content).splitlines()]

    def list_names(self) -> list[str]:
        response = self._s3.list_objects_v2(Bucket=self._name, Prefix=self._day)
        return [each["Key"].removeprefix(self._day) for each in response["Contents"]]

    def _read(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._name, Key=key)["Body"].read()
        return content


def test_rows_of_a_final_day_match_its_summary_and_an_erasure_removes_their_personal_data(
    stack: RunningStack,
) -> None:
    market = open_market(stack)
    captures = [market.make_capture_payload() for _ in range(4)]
    for capture in captures:
        market.register(capture)
    market.register({**captures[0], "capture_id": market.make_capture_payload()["capture_id"]})
    await_pipeline_idle(stack)
    run_schedules(stack)
    exported_day, summary = ExportedDay(stack, market.campaign_id), market.get_summary()

    assert exported_day.read_manifest()["counts"] == summary["counts"]
    outcomes = Counter(row["outcome"] for row in exported_day.read_rows())
    assert outcomes == {"created": 4, "already_registered": 1}
    before = {row["id"] for row in exported_day.read_rows()}
    assert None not in before

    make_data_request(stack, "erasures", 901, captures[1]["worker"]["nik"])
    await_pipeline_idle(stack)
    run_schedules(stack)

    after = exported_day.read_rows()
    assert len(before - {row["id"] for row in after}) == 1
    assert [row for row in after if row["id"] is None] == [
        {"id": None, "outcome": "created", "channel": "van", "cancelled": False}
    ]
    assert Counter(row["outcome"] for row in after) == outcomes
    stage = stack.local_stack.as_stage()
    assert invoke.export_days(stage, market.campaign_id, [date.fromisoformat(DAY)]) == [], "none waits"
    assert exported_day.read_rows() == after, "a repeated export writes the same rows"
    version = exported_day.read_manifest()["version"]
    assert sorted(exported_day.list_names()) == ["_manifest.json", f"version={version}/part-0000.jsonl.gz"]
