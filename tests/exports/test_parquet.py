"""Exports as Parquet: the rows of the JSON Lines once more, for the same people, and no longer."""

import gzip
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.exports.model import format_row
from chalicelib.exports.parquet import COLUMNS, write_parquet
from chalicelib.exports.store import S3ExportStore
from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import DayFact, Outcome
from tests.support.export_bucket import (
    A_CAPTURE,
    CAPTURED_AT,
    DAY,
    CaptureHarness,
    ExportBucket,
    read_parquet_rows,
)
from tests.support.payloads import make_capture_id
from tests.support.registration_builders import FIRST_DAY

PARQUET = "parquet/campaign=tanah-abang-2024/day=2024-10-09/part-0000.parquet"

texts = st.none() | st.text(max_size=8)
lists = st.lists(st.text(max_size=8), max_size=3)
ROWS = st.fixed_dictionaries(
    {
        name: {
            "VARCHAR": texts,
            "VARCHAR[]": lists,
            "BOOLEAN": st.booleans(),
            "DATE": st.none() | st.dates().map(str),
        }[kind]
        for name, kind in COLUMNS.items()
    }
)


@pytest.fixture
def harness(bucket: ExportBucket) -> CaptureHarness:
    return CaptureHarness(S3ExportStore(bucket.s3, bucket.name, write_parquet=write_parquet))


def write(rows: list[dict[str, Any]], directory: Path) -> Path:
    """Write rows as the export does, and return the Parquet file."""
    lines, target = directory / "rows.jsonl.gz", directory / "rows.parquet"
    lines.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    write_parquet(lines, target)
    return target


@given(rows=st.lists(ROWS, min_size=1, max_size=5))
def test_every_row_is_read_back_as_it_was_in_its_order(rows: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as directory:
        assert read_parquet_rows(write(rows, Path(directory))) == rows


def test_a_day_without_captures_has_a_file_without_rows(tmp_path: Path) -> None:
    assert read_parquet_rows(write([], tmp_path)) == []


def test_equal_rows_give_equal_bytes(tmp_path: Path, harness: CaptureHarness) -> None:
    fact = DayFact(Position(f"x#{make_capture_id(1)}"), A_CAPTURE, CAPTURED_AT)
    row = json.loads(format_row(fact, A_CAPTURE, FIRST_DAY, harness.hashing))
    rows = [{**row, "id": hashlib.sha256(bytes([number])).hexdigest()} for number in range(200)]
    first, second = tmp_path / "first", tmp_path / "second"
    for each in (first, second):
        each.mkdir()
    assert write(rows, first).read_bytes() == write(rows, second).read_bytes()


def test_the_columns_are_those_of_a_row_and_no_others(harness: CaptureHarness) -> None:
    fact = DayFact(Position(f"x#{make_capture_id(1)}"), A_CAPTURE, CAPTURED_AT)
    row = json.loads(format_row(fact, A_CAPTURE, FIRST_DAY, harness.hashing))
    assert set(COLUMNS) == set(row)
    kinds = {"VARCHAR": (str, type(None)), "BOOLEAN": (bool,), "VARCHAR[]": (list,), "DATE": (str,)}
    for name, value in row.items():
        assert isinstance(value, kinds[COLUMNS[name]]), name


def test_a_day_has_the_same_rows_in_both_files(harness: CaptureHarness, bucket: ExportBucket) -> None:
    for number in range(1, 8):
        harness.capture(number)
    harness.capture(8, outcome=Outcome.REFUSED, reasons=("nik_length",))

    harness.count_and_export()

    assert bucket.list_keys() == [
        f"{DAY}_manifest.json",
        f"{DAY}version=1/part-0000.jsonl.gz",
        PARQUET,
    ]
    assert bucket.read_parquet(PARQUET) == bucket.read_rows()


def test_the_manifest_names_the_file_beside_those_of_lines(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture()
    harness.count_and_export()

    manifest, content = bucket.read_manifest(), bucket.read(PARQUET)
    assert [each["key"] for each in manifest["files"]] == [f"{DAY}version=1/part-0000.jsonl.gz"]
    assert manifest["parquet"] == [
        {"key": PARQUET, "rows": 1, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    ]


def test_a_later_version_takes_the_place_of_the_earlier_one(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture(1)
    harness.count_and_export()
    harness.capture(2)
    harness.count_and_export()

    assert [key for key in bucket.list_keys() if key.startswith("parquet/")] == [PARQUET]
    assert len(bucket.read_parquet(PARQUET)) == 2


def test_of_an_erased_worker_no_more_stays_than_in_the_lines(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture(1)
    harness.count_and_export()
    harness.erase(1)
    harness.count_and_export()

    [row] = bucket.read_parquet(PARQUET)
    assert {name: value for name, value in row.items() if value is not None} == {
        "outcome": "created",
        "channel": "van",
        "cancelled": False,
    }


def test_a_stage_without_the_layer_removes_the_file_with_its_next_export(
    harness: CaptureHarness, bucket: ExportBucket
) -> None:
    harness.capture(1)
    harness.count_and_export()
    harness.erase(1)
    harness.run_rollup()

    harness.export(harness.make_export_service(S3ExportStore(bucket.s3, bucket.name)))

    assert not [key for key in bucket.list_keys() if key.startswith("parquet/")]
    assert bucket.read_manifest()["parquet"] == []
