"""Managers' mails and texts, and analysts' rows, on the packaged stack: made by the rounds, once each."""

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
from tests.support.builders import make_campaign_payload
from tests.support.isolated_campaign import DAY, Market, await_pipeline_idle, open_market
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

MANAGERS = [
    {"name": "Manajer Contoh Satu", "email": "satu@{}.example", "phone": "+6282455507801"},
    {"name": "Manajer Contoh Dua", "email": "dua@{}.example", "phone": None},
]


def a_market_of_today(stack: RunningStack, campaign_id: str) -> Market:
    """A campaign whose one day is today, whose summary hour has come, and that has two managers."""
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()
    managers: list[dict[str, Any]] = [
        {**each, "email": str(each["email"]).format(campaign_id)} for each in MANAGERS
    ]
    body = make_campaign_payload(
        campaign_id=campaign_id,
        name="Pasar Hari Ini",
        first_day=today,
        last_day=today,
        summary_hour=0,
        managers=managers,
    )
    answer = stack.send("manager", "POST", "/v1/campaigns", body)
    assert answer.status_code == 201, answer.text
    return Market(stack, campaign_id)


def captured_now() -> dict[str, Any]:
    """The changes of a capture that is taken this moment."""
    now = datetime.now(UTC)
    at, given = now.isoformat(), (now - timedelta(seconds=30)).isoformat()
    return {"captured_at": at, "consent": {"text_version": "2024-10", "given_at": given, "method": "tick"}}


def mails_to(stack: RunningStack, domain: str) -> list[EmailMessage]:
    """The mails that went to managers with addresses of a domain."""
    read = [
        BytesParser(policy=default).parsebytes(mail.read_bytes()) for mail in stack.description.list_mails()
    ]
    return [mail for mail in read if mail["To"].addresses[0].domain == domain]


def rounds(stack: RunningStack) -> None:
    """The hourly tick and the rounds after it, as they are scheduled; what one counts the next one tells."""
    for _ in range(2):
        stack.fire_schedules()


def test_each_manager_gets_one_provisional_mail_and_sms_with_the_right_numbers(stack: RunningStack) -> None:
    market = a_market_of_today(stack, "pasar-hari-ini")
    for _ in range(7):
        assert market.register(market.make_capture_payload(**captured_now())).status_code == 201
    await_pipeline_idle(stack)

    rounds(stack)
    rounds(stack)

    summary = market.get_summary(datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat())
    assert (summary["state"], summary["counts"]["created"]) == ("provisional", 7)
    mails = mails_to(stack, "pasar-hari-ini.example")
    assert [mail["To"].addresses[0].username for mail in mails] == ["satu", "dua"]
    for mail in mails:
        assert mail["From"].addresses[0].addr_spec == "laporan@daftar.example"
        assert "7 terdaftar" in mail["Subject"]
        said, attached = mail.iter_parts()
        words, page = (part.get_content() for part in said.iter_parts())
        assert "Pasar Hari Ini" in words
        assert "Pasar Hari Ini" in page
        workbook = openpyxl.load_workbook(io.BytesIO(attached.get_content()))
        assert 7 in [cell for row in workbook.worksheets[0].iter_rows(values_only=True) for cell in row]
    (text,) = [each for each in stack.list_sms() if "Pasar Hari Ini" in each["text"]]
    assert (text["to"], "7" in text["text"]) == ("+6282455507801", True)


class Bucket:
    """What analysts see of one campaign day."""

    def __init__(self, stack: RunningStack, campaign_id: str) -> None:
        self._s3 = stack.aws_client("s3")
        self._name = stack.description.outputs["ExportsBucketName"]
        self._day = f"captures/campaign={campaign_id}/day={DAY}/"

    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self._content(f"{self._day}_manifest.json"))
        return manifest

    def rows(self) -> list[dict[str, Any]]:
        (file,) = self.manifest()["files"]
        content = self._content(file["key"])
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        return [json.loads(line) for line in gzip.decompress(content).splitlines()]

    def names(self) -> list[str]:
        found = self._s3.list_objects_v2(Bucket=self._name, Prefix=self._day)
        return [each["Key"].removeprefix(self._day) for each in found["Contents"]]

    def _content(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._name, Key=key)["Body"].read()
        return content


def test_a_final_days_rows_add_up_to_its_summary_and_an_erased_person_is_in_none_of_them(
    stack: RunningStack,
) -> None:
    market = open_market(stack)
    captures = [market.make_capture_payload() for _ in range(4)]
    for capture in captures:
        market.register(capture)
    market.register({**captures[0], "capture_id": market.make_capture_payload()["capture_id"]})
    await_pipeline_idle(stack)
    rounds(stack)
    bucket, summary = Bucket(stack, market.campaign_id), market.get_summary()

    assert bucket.manifest()["counts"] == summary["counts"]
    outcomes = Counter(row["outcome"] for row in bucket.rows())
    assert outcomes == {"created": 4, "already_registered": 1}
    before = {row["id"] for row in bucket.rows()}
    assert None not in before

    make_data_request(stack, "erasures", 901, captures[1]["worker"]["nik"])
    await_pipeline_idle(stack)
    rounds(stack)

    after = bucket.rows()
    assert len(before - {row["id"] for row in after}) == 1
    assert [row for row in after if row["id"] is None] == [
        {"id": None, "outcome": "created", "channel": "van"}
    ]
    assert Counter(row["outcome"] for row in after) == outcomes
    by_hand = invoke.export_days(stack.local_stack.as_stage(), market.campaign_id, [date.fromisoformat(DAY)])
    assert by_hand["exported"] >= 1
    assert bucket.rows() == after, "the same day, the same rows"
    version = bucket.manifest()["version"]
    assert sorted(bucket.names()) == ["_manifest.json", f"version={version}/part-0000.jsonl.gz"]
