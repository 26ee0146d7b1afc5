"""Exports to a bucket on moto, of captures that have all facts."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from chalicelib.campaigns.model import CampaignDay
from chalicelib.exports.model import Manifest
from chalicelib.exports.store import S3ExportStore
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.registrations.model import Flag
from tests.support.export_harness import ExportHarness
from tests.support.payloads import make_capture_id
from tests.support.registration_builders import FIRST_DAY

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


def read_parquet_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, with dates as JSON has them."""
    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(path))
        return [
            {
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in zip(relation.columns, row, strict=True)
            }
            for row in relation.fetchall()
        ]


class KilledStore(S3ExportStore):
    """A store whose process is killed before it publishes."""

    def publish(self, manifest: Manifest) -> None:
        """Raise KeyboardInterrupt."""
        raise KeyboardInterrupt


class ExportBucket:
    """The bucket on moto, and the exports in it."""

    name = "exports"

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def list_keys(self) -> list[str]:
        """Return the keys of all objects, sorted."""
        contents = self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return sorted(each["Key"] for each in contents)

    def read(self, key: str) -> bytes:
        """Return the content of an object."""
        body: bytes = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def read_manifest(self) -> dict[str, Any]:
        """Return the manifest of the first day."""
        manifest: dict[str, Any] = json.loads(self.read(f"{DAY}_manifest.json"))
        return manifest

    def read_parquet(self, key: str) -> list[dict[str, Any]]:
        """Return the rows of a Parquet file, with dates as JSON has them."""
        with TemporaryDirectory() as directory:
            path = Path(directory) / "part.parquet"
            path.write_bytes(self.read(key))
            return read_parquet_rows(path)

    def read_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the files that the manifest names."""
        return [
            json.loads(line)
            for file in self.read_manifest()["files"]
            for line in gzip.decompress(self.read(file["key"])).splitlines()
        ]


class CaptureHarness(ExportHarness):
    """An export harness with captures that have all facts."""

    def capture(self, number: int = 1, campaign_day: CampaignDay = FIRST_DAY, **changes: Any) -> None:
        """Store capture `number`, taken in minute `number`, and mark its day dirty."""
        captured_at = CAPTURED_AT + timedelta(minutes=number)
        position = f"{captured_at.isoformat()}#{make_capture_id(number)}"
        facts = replace(A_CAPTURE, neighbours=(f"abc{number:03}",), **changes)
        self.facts.add(campaign_day, facts, position=position, captured_at=captured_at)
        self.rollup_service.mark_dirty(campaign_day)

    def erase(self, number: int) -> None:
        """Replace capture `number` by its countable facts under a random id, as an erasure does."""
        facts = self.facts.facts_by_day[FIRST_DAY]
        (erased,) = [each for each in facts if each.position.endswith(make_capture_id(number))]
        facts.remove(erased)
        assert isinstance(erased.facts, CaptureFacts)
        self.facts.add(FIRST_DAY, replace(erased.facts, neighbours=()), position=f"left {number:032x}")
        self.rollup_service.mark_dirty(FIRST_DAY)

    def derive_row_id(self, number: int, campaign_id: str = FIRST_DAY.campaign_id) -> str:
        """Return the id of capture `number` in the rows of a campaign."""
        return self.hashing.digest(f"export {campaign_id}", make_capture_id(number))[:32]
