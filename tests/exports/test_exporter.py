"""What analysts get of a final day: its captures, whole, pseudonymous, and nothing of the erased."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.exports.model import Manifest
from chalicelib.exports.service import ExportService
from chalicelib.exports.store import S3ExportStore
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.registrations.model import Flag, RegistrationFacts, Status
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from tests.rollups.test_service import AN_HOUR, FINAL, SUMMARY_HOUR
from tests.rollups.test_service import Stage as Counting
from tests.support.builders import make_capture_id
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY

DAY = "captures/campaign=tanah-abang-2024/day=2024-10-09/"
CAPTURED_AT = datetime(2024, 10, 9, 2, 12, tzinfo=UTC)
A_CAPTURE = CaptureFacts(
    Outcome.CREATED,
    "van",
    "van-1",
    ("porter",),
    officer="ofc-12",
    programmes=("JKK", "JKM"),
    sex="female",
    age="35-44",
    hour="09",
    received_on=date(2024, 10, 9),
    flags=(Flag.PHONE_BUSY,),
)


class StoppedShelf(S3ExportStore):
    """A shelf whose container is stopped after the rows."""

    def publish(self, manifest: Manifest) -> None:
        """Never comes to an end."""
        raise KeyboardInterrupt


class Stage(Counting):
    """A campaign whose final days are exported to a bucket on moto."""

    def __init__(self, s3: Any, at: datetime = FINAL) -> None:
        super().__init__(at)
        self.s3 = s3
        self.hashing = KeyedHash(lambda: HashKey(b"k" * 32))
        self.exporter = self.an_exporter(S3ExportStore(s3, "exports"))

    def an_exporter(self, shelf: S3ExportStore) -> ExportService:
        """One that puts exports on this shelf."""
        return ExportService(
            outbox=self.summaries.outbox,
            summaries=self.summaries,
            captures=self.facts,
            store=shelf,
            hashing=self.hashing,
            clock=self.clock,
        )

    def captured(self, number: int = 1, of: CampaignDay = FIRST_DAY, **changes: Any) -> None:
        """Another number, another capture, a minute later."""
        at = CAPTURED_AT + timedelta(minutes=number)
        position = f"{at.isoformat()}#{make_capture_id(number)}"
        facts = replace(A_CAPTURE, neighbours=(f"abc{number:03}",), **changes)
        self.facts.add(of, facts, position=position, captured_at=at)
        self.rollup.mark_dirty(of)

    def erase(self, number: int, of: CampaignDay = FIRST_DAY) -> None:
        """As an erasure does: what is counted goes on under an id of nothing but chance."""
        known = self.facts.facts_by_day[of]
        (gone,) = [each for each in known if each.position.endswith(make_capture_id(number))]
        known.remove(gone)
        assert isinstance(gone.facts, CaptureFacts)
        self.facts.add(of, replace(gone.facts, neighbours=()), position=f"left {number:032x}")
        self.rollup.mark_dirty(of)

    def export(self) -> list[Any]:
        """One round; what became of each day."""
        until = self.clock() + AN_HOUR
        return [self.exporter.export(waiting, deadline=until) for waiting in self.exporter.list_entries()]

    def counted_and_exported(self) -> None:
        self.tick()
        self.export()

    def stored(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket="exports").get("Contents", [])
        return sorted(each["Key"] for each in found)

    def content(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="exports", Key=key)["Body"].read()
        return body

    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self.content(f"{DAY}_manifest.json"))
        return manifest

    def rows(self) -> list[dict[str, Any]]:
        """The rows that the manifest names."""
        return [
            json.loads(line)
            for file in self.manifest()["files"]
            for line in gzip.decompress(self.content(file["key"])).splitlines()
        ]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3", "eu-north-1", aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def harness(s3: Any) -> Iterator[Stage]:
    s3.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    harness = Stage(s3)
    yield harness
    for key in harness.stored():
        s3.delete_object(Bucket="exports", Key=key)
    s3.delete_bucket(Bucket="exports")


def test_a_final_day_is_exported_by_campaign_and_day(harness: Stage) -> None:
    harness.captured()

    harness.counted_and_exported()

    assert harness.stored() == [f"{DAY}_manifest.json", f"{DAY}version=1/part-0000.jsonl.gz"]


def test_a_row_has_the_facts_of_a_capture(harness: Stage) -> None:
    harness.captured()
    harness.counted_and_exported()

    (row,) = harness.rows()
    pseudonyms = {name: row.pop(name) for name in ("id", "officer")}

    assert row == {
        "outcome": "created",
        "channel": "van",
        "client_id": "van-1",
        "occupations": ["porter"],
        "programmes": ["JKK", "JKM"],
        "sex": "female",
        "age": "35-44",
        "hour": "09",
        "received_on": "2024-10-09",
        "reasons": [],
        "flags": ["phone_busy"],
    }
    assert [len(pseudonyms["id"]), len(pseudonyms["officer"])] == [32, 12]


def test_no_row_names_a_capture_an_officer_or_a_moment(harness: Stage) -> None:
    harness.captured()
    harness.counted_and_exported()

    everything = b"".join(
        gzip.decompress(harness.content(key)) if key.endswith(".gz") else harness.content(key)
        for key in harness.stored()
    ).decode() + "".join(harness.stored())
    for value in (make_capture_id(1), "ofc-12", "02:13", "09:13", "abc001"):
        assert value not in everything


def test_the_same_capture_is_another_one_in_another_campaign_and_under_another_key(harness: Stage) -> None:
    harness.captured()
    harness.counted_and_exported()
    (row,) = harness.rows()

    known = harness.hashing.digest("export tanah-abang-2024", make_capture_id(1))[:32]
    elsewhere = harness.hashing.digest("export senen-2024", make_capture_id(1))[:32]
    assert row["id"] == known != elsewhere


def test_the_manifest_vouches_for_the_rows_and_the_summary(harness: Stage) -> None:
    for number in range(1, 8):
        harness.captured(number)
    harness.captured(8, outcome=Outcome.REFUSED, reasons=("nik_length",))
    harness.captured(9, outcome=Outcome.ALREADY_REGISTERED)
    harness.facts.add(FIRST_DAY, RegistrationFacts(Status.RECEIVED, quoted=1, paid=0))

    harness.counted_and_exported()

    summary, manifest = harness.rollup.get_summary(FIRST_DAY), harness.manifest()
    (file,) = manifest["files"]
    content = harness.content(file["key"])
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert (file["bytes"], file["rows"]) == (len(content), len(harness.rows()))
    assert manifest["counts"] == summary.counts.model_dump()
    assert (manifest["version"], manifest["content_hash"]) == (summary.version, summary.content_hash)
    assert (manifest["schema_version"], manifest["counted_at"]) == (1, summary.counted_at)
    outcomes = Counter(row["outcome"] for row in harness.rows())
    assert outcomes == {"created": 7, "refused": 1, "already_registered": 1}
    by_client = Counter(row["client_id"] for row in harness.rows() if row["outcome"] == "created")
    assert by_client == summary.by_client


def test_a_provisional_day_is_not_exported(harness: Stage) -> None:
    harness.clock.now = SUMMARY_HOUR
    harness.captured()

    harness.counted_and_exported()

    assert (harness.stored(), harness.exporter.list_entries()) == ([], [])


def test_the_same_day_gives_the_same_bytes(harness: Stage) -> None:
    for number in range(1, 40):
        harness.captured(number)
    harness.counted_and_exported()
    before = {key: harness.content(key) for key in harness.stored()}
    harness.facts.facts_by_day[FIRST_DAY].reverse()
    harness.summaries.outbox.enqueue(Consumer.ANALYSTS, OutboxEntry(FIRST_DAY, 1, harness.clock()))

    harness.export()

    assert {key: harness.content(key) for key in harness.stored()} == before


def test_rows_do_not_stand_in_the_order_of_capture(harness: Stage) -> None:
    for number in range(1, 40):
        harness.captured(number)
    harness.counted_and_exported()

    in_order = [
        harness.hashing.digest("export tanah-abang-2024", make_capture_id(each))[:32] for each in range(1, 40)
    ]
    ids = [row["id"] for row in harness.rows()]
    assert set(ids) == set(in_order)
    assert ids != in_order


def test_a_revised_day_is_exported_anew_and_its_old_rows_are_gone(harness: Stage) -> None:
    harness.captured()
    harness.counted_and_exported()
    harness.clock.advance(timedelta(hours=1))
    harness.captured(2)

    harness.counted_and_exported()

    assert harness.manifest()["version"] == 2
    assert harness.stored() == [f"{DAY}_manifest.json", f"{DAY}version=2/part-0000.jsonl.gz"]
    assert len(harness.rows()) == 2


def test_who_was_erased_is_in_no_row_of_the_next_export_and_the_totals_stay(harness: Stage) -> None:
    for number in range(1, 6):
        harness.captured(number)
    harness.counted_and_exported()
    before = {row["id"] for row in harness.rows()}
    erased = harness.hashing.digest("export tanah-abang-2024", make_capture_id(3))[:32]
    assert erased in before
    harness.clock.advance(timedelta(hours=1))
    harness.erase(3)
    harness.clock.advance(timedelta(hours=1))

    harness.counted_and_exported()

    assert harness.rollup.get_summary(FIRST_DAY).version == 1, "no figure has changed, and yet the rows have"
    assert {row["id"] for row in harness.rows()} == before - {erased} | {None}
    (left,) = [row for row in harness.rows() if row["id"] is None]
    assert left == {"id": None, "outcome": "created", "channel": "van"}
    assert not any(erased.encode() in gzip.decompress(harness.content(key)) for key in harness.stored()[1:])
    assert harness.manifest()["counts"]["created"] == 5


def test_what_was_captured_after_the_count_waits_for_the_next_one(harness: Stage) -> None:
    harness.captured()
    harness.tick()
    harness.captured(2)

    (waiting,) = harness.export()

    assert (waiting.manifest, waiting.is_late) == (None, False)
    assert harness.stored() == []
    harness.clock.advance(timedelta(hours=1))
    harness.counted_and_exported()
    assert harness.manifest()["counts"]["created"] == 2


def test_a_day_that_waits_for_hours_is_late(harness: Stage) -> None:
    harness.captured()
    harness.tick()
    harness.captured(2)
    harness.clock.advance(timedelta(hours=3, seconds=1))

    (waiting,) = harness.export()

    assert waiting.is_late


def test_stopped_before_the_manifest_the_next_round_makes_the_export_whole(harness: Stage) -> None:
    harness.captured()
    harness.counted_and_exported()
    harness.clock.advance(timedelta(hours=1))
    harness.captured(2)
    harness.tick()
    with pytest.raises(KeyboardInterrupt):
        harness.an_exporter(StoppedShelf(harness.s3, "exports")).export(
            harness.exporter.list_entries()[0], deadline=harness.clock() + AN_HOUR
        )
    assert harness.manifest()["version"] == 1
    assert len(harness.rows()) == 1, "what the manifest names stands until it names another"

    harness.export()

    assert len(harness.rows()) == 2
    assert len(harness.stored()) == 2


def test_a_day_asked_for_while_it_is_exported_is_exported_once_more(harness: Stage) -> None:
    harness.captured()
    harness.tick()
    harness.facts.on_read = lambda number: (
        harness.summaries.outbox.enqueue(
            Consumer.ANALYSTS, OutboxEntry(FIRST_DAY, 1, harness.clock() + timedelta(seconds=1))
        )
        if number
        else None
    )

    harness.export()

    assert [each.campaign_day for each in harness.exporter.list_entries()] == [FIRST_DAY]


def test_a_day_without_captures_is_exported_as_such(harness: Stage) -> None:
    harness.tick()

    harness.export()

    assert (harness.rows(), harness.manifest()["files"][0]["rows"]) == ([], 0)


def test_days_are_exported_each_for_itself(harness: Stage) -> None:
    harness.clock.now = FINAL + timedelta(days=1)
    harness.captured()
    harness.captured(2, of=SECOND_DAY)

    harness.counted_and_exported()

    assert len(harness.stored()) == 4
    assert len(harness.rows()) == 1


class TwoAtATime:
    """A client that lists two objects at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def list_objects_v2(self, **asked: Any) -> Any:
        return self._client.list_objects_v2(MaxKeys=2, **asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_what_is_left_over_of_a_day_is_swept_page_by_page(harness: Stage) -> None:
    for number in range(5):
        harness.s3.put_object(Bucket="exports", Key=f"{DAY}version=0/part-{number:04}.jsonl.gz", Body=b"x")
    harness.captured()
    harness.tick()

    harness.an_exporter(S3ExportStore(TwoAtATime(harness.s3), "exports")).export(
        harness.exporter.list_entries()[0], deadline=harness.clock() + AN_HOUR
    )

    assert len(harness.stored()) == 2
