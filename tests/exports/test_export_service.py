"""ExportService: the captures of a final day, complete and pseudonymous, without those of erased workers."""

import gzip
import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.exports.store import S3ExportStore
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.model import RegistrationFacts, Status
from tests.support.export_bucket import DAY, CaptureHarness, ExportBucket, KilledStore
from tests.support.payloads import make_capture_id
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY
from tests.support.report_builders import AN_HOUR, FINAL, SUMMARY_HOUR


@pytest.fixture
def harness(bucket: ExportBucket) -> CaptureHarness:
    return CaptureHarness(S3ExportStore(bucket.s3, bucket.name))


def test_a_final_day_is_exported_by_campaign_and_day(harness: CaptureHarness, bucket: ExportBucket) -> None:
    harness.capture()

    harness.count_and_export()

    assert bucket.list_keys() == [f"{DAY}_manifest.json", f"{DAY}version=1/part-0000.jsonl.gz"]


def test_a_row_has_the_facts_of_a_capture(harness: CaptureHarness, bucket: ExportBucket) -> None:
    harness.capture()
    harness.count_and_export()

    (row,) = bucket.read_rows()
    pseudonyms = {name: row.pop(name) for name in ("id", "officer")}

    assert row == {
        "outcome": "created",
        "cancelled": False,
        "channel": "van",
        "client_id": "van-1",
        "occupations": ["porter"],
        "programmes": ["JKK", "JKM"],
        "sex": "female",
        "age": "35-44",
        "hour": "09",
        "sponsor": None,
        "without_phone": False,
        "received_on": "2024-10-09",
        "reasons": [],
        "flags": ["phone_busy"],
    }
    assert [len(pseudonyms["id"]), len(pseudonyms["officer"])] == [32, 12]


def test_exports_have_no_capture_ids_officers_or_times(harness: CaptureHarness, bucket: ExportBucket) -> None:
    harness.capture()
    harness.count_and_export()

    content = b"".join(
        gzip.decompress(bucket.read(key)) if key.endswith(".gz") else bucket.read(key)
        for key in bucket.list_keys()
    ).decode() + "".join(bucket.list_keys())
    for value in (make_capture_id(1), "ofc-12", "02:13", "09:13", "abc001"):
        assert value not in content


def test_a_captures_id_differs_between_campaigns(harness: CaptureHarness, bucket: ExportBucket) -> None:
    harness.capture()
    harness.count_and_export()
    (row,) = bucket.read_rows()

    assert row["id"] == harness.derive_row_id(1) != harness.derive_row_id(1, "senen-2024")


def test_the_manifest_agrees_with_the_rows_and_the_summary(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    for number in range(1, 8):
        harness.capture(number)
    harness.capture(8, outcome=Outcome.REFUSED, reasons=("nik_length",))
    harness.capture(9, outcome=Outcome.ALREADY_REGISTERED)
    harness.capture(10, outcome=Outcome.REACTIVATED)
    harness.capture(11, is_cancelled=True)
    harness.facts.add(FIRST_DAY, RegistrationFacts(Status.RECEIVED, quoted=1, paid=0))

    harness.count_and_export()

    summary, manifest = harness.report_service.get_summary(FIRST_DAY), bucket.read_manifest()
    (file,) = manifest["files"]
    content = bucket.read(file["key"])
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert (file["bytes"], file["rows"]) == (len(content), len(bucket.read_rows()))
    assert manifest["counts"] == summary.counts.model_dump()
    assert (manifest["version"], manifest["content_hash"]) == (summary.version, summary.content_hash)
    assert (manifest["schema_version"], manifest["counted_at"]) == (1, summary.counted_at)
    outcomes = Counter(row["outcome"] for row in bucket.read_rows())
    assert outcomes == {"created": 8, "refused": 1, "already_registered": 1, "reactivated": 1}
    by_client = Counter(
        row["client_id"]
        for row in bucket.read_rows()
        if row["outcome"] in {"created", "reactivated"} and not row["cancelled"]
    )
    assert by_client == summary.by_client == {"van-1": summary.counts.registered}


def test_a_provisional_day_is_not_exported(harness: CaptureHarness, bucket: ExportBucket) -> None:
    harness.clock.now = SUMMARY_HOUR
    harness.capture()

    harness.count_and_export()

    assert (bucket.list_keys(), harness.list_enqueued_days()) == ([], [])


def test_the_same_day_gives_the_same_bytes(harness: CaptureHarness, bucket: ExportBucket) -> None:
    for number in range(1, 40):
        harness.capture(number)
    harness.count_and_export()
    before = {key: bucket.read(key) for key in bucket.list_keys()}
    harness.facts.facts_by_day[FIRST_DAY].reverse()
    harness.enqueue()

    harness.export()

    assert {key: bucket.read(key) for key in bucket.list_keys()} == before


def test_rows_are_not_in_the_order_of_capture(harness: CaptureHarness, bucket: ExportBucket) -> None:
    for number in range(1, 40):
        harness.capture(number)
    harness.count_and_export()

    ids_by_capture_time = [harness.derive_row_id(number) for number in range(1, 40)]
    ids = [row["id"] for row in bucket.read_rows()]
    assert set(ids) == set(ids_by_capture_time)
    assert ids != ids_by_capture_time


def test_a_new_version_replaces_the_rows_of_the_old_one(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture()
    harness.count_and_export()
    harness.clock.advance(AN_HOUR)
    harness.capture(2)

    harness.count_and_export()

    assert bucket.read_manifest()["version"] == 2
    assert bucket.list_keys() == [f"{DAY}_manifest.json", f"{DAY}version=2/part-0000.jsonl.gz"]
    assert len(bucket.read_rows()) == 2


def test_an_erased_worker_has_no_row_id_in_the_next_export_and_totals_stay(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    for number in range(1, 6):
        harness.capture(number)
    harness.count_and_export()
    before = {row["id"] for row in bucket.read_rows()}
    erased = harness.derive_row_id(3)
    assert erased in before
    harness.clock.advance(AN_HOUR)
    harness.erase(3)
    harness.clock.advance(AN_HOUR)

    harness.count_and_export()

    assert harness.report_service.get_summary(FIRST_DAY).version == 1, "no figure has changed"
    assert {row["id"] for row in bucket.read_rows()} == before - {erased} | {None}
    (left,) = [row for row in bucket.read_rows() if row["id"] is None]
    assert left == {"id": None, "outcome": "created", "channel": "van", "cancelled": False}
    assert not any(erased.encode() in gzip.decompress(bucket.read(key)) for key in bucket.list_keys()[1:])
    assert bucket.read_manifest()["counts"]["created"] == 5


def test_a_day_with_captures_after_its_count_is_exported_after_the_next_count(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture()
    harness.run_rollup()
    harness.capture(2)

    (result,) = harness.export()

    assert (result.manifest, result.is_late) == (None, False)
    assert bucket.list_keys() == []
    harness.clock.advance(AN_HOUR)
    harness.count_and_export()
    assert bucket.read_manifest()["counts"]["created"] == 2


def test_a_day_with_a_cancellation_after_its_count_is_exported_after_the_next_count(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture()
    harness.run_rollup()
    harness.facts.facts_by_day.clear()
    harness.capture(is_cancelled=True)

    (result,) = harness.export()

    assert (result.manifest, bucket.list_keys()) == (None, [])
    harness.clock.advance(AN_HOUR)
    harness.count_and_export()
    assert bucket.read_manifest()["counts"]["registered"] == 0


def test_a_day_whose_registration_an_earlier_release_cancelled_is_exported(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture()
    harness.facts.add(FIRST_DAY, RegistrationFacts(Status.CANCELLED, quoted=1, paid=0))

    harness.count_and_export()

    assert bucket.read_manifest()["counts"]["registered"] == 0


def test_a_day_that_differs_from_its_summary_for_hours_is_late(harness: CaptureHarness) -> None:
    harness.capture()
    harness.run_rollup()
    harness.capture(2)
    harness.clock.advance(timedelta(hours=3, seconds=1))

    (result,) = harness.export()

    assert result.is_late


def test_an_export_killed_before_the_manifest_is_completed_by_the_next_run(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture()
    harness.count_and_export()
    harness.clock.advance(AN_HOUR)
    harness.capture(2)
    harness.run_rollup()
    with pytest.raises(KeyboardInterrupt):
        harness.export(harness.make_export_service(KilledStore(bucket.s3, bucket.name)))
    assert bucket.read_manifest()["version"] == 1
    assert len(bucket.read_rows()) == 1, "rows are kept while the manifest names them"

    harness.export()

    assert len(bucket.read_rows()) == 2
    assert len(bucket.list_keys()) == 2


def test_a_day_enqueued_during_its_export_stays_in_the_outbox(harness: CaptureHarness) -> None:
    harness.capture()
    harness.run_rollup()

    def enqueue_again(number: int) -> None:
        if number:
            harness.enqueue(enqueued_at=harness.clock() + timedelta(seconds=1))

    harness.facts.on_read = enqueue_again

    harness.export()

    assert harness.list_enqueued_days() == [FIRST_DAY]


def test_a_day_without_captures_is_exported_without_rows(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.run_rollup()

    harness.export()

    assert (bucket.read_rows(), bucket.read_manifest()["files"][0]["rows"]) == ([], 0)


def test_days_are_exported_separately(harness: CaptureHarness, bucket: ExportBucket) -> None:
    harness.clock.now = FINAL + timedelta(days=1)
    harness.capture()
    harness.capture(2, campaign_day=SECOND_DAY)

    harness.count_and_export()

    assert len(bucket.list_keys()) == 4
    assert len(bucket.read_rows()) == 1


class PagingClient:
    """A client that lists two objects at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def list_objects_v2(self, **request: Any) -> Any:
        return self._client.list_objects_v2(MaxKeys=2, **request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_outdated_objects_are_deleted_page_by_page(harness: CaptureHarness, bucket: ExportBucket) -> None:
    for number in range(5):
        bucket.s3.put_object(Bucket=bucket.name, Key=f"{DAY}version=0/part-{number:04}.jsonl.gz", Body=b"x")
    harness.capture()
    harness.run_rollup()

    harness.export(harness.make_export_service(S3ExportStore(PagingClient(bucket.s3), bucket.name)))

    assert len(bucket.list_keys()) == 2
