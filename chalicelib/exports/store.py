"""Exports in S3, with keys partitioned as query engines expect.

captures/campaign=<id>/day=<day>/version=<n>/part-0000.jsonl.gz    rows, one JSON object a line
captures/campaign=<id>/day=<day>/_manifest.json                    the names, counts and hashes of those files
parquet/campaign=<id>/day=<day>/part-0000.parquet                  the same rows, if the stage writes Parquet

The bucket is not versioned: overwritten and deleted objects cannot be restored.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile, SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.exports.model import ExportFile, Manifest, StoredRows

# Rows are divided into buckets that are sorted one at a time: of a million rows, five megabytes.
_SORT_BUCKETS = 64
_SORT_BUCKET_MEMORY = 16 * 1024

# A compromise: level 1 gives half as many bytes again, level 9 takes twice the time.
_COMPRESSION_LEVEL = 6

_BLOCK_SIZE = 1024 * 1024


class S3ExportStore:
    """Satisfies `service.ExportStore`."""

    def __init__(
        self, client: Any, bucket: str, *, write_parquet: Callable[[Path, Path], None] | None = None
    ) -> None:
        """`write_parquet` makes the Parquet file from that of the rows; without it there is none."""
        self._client = client
        self._bucket = bucket
        self._write_parquet = write_parquet

    def put(self, campaign_day: CampaignDay, version: int, rows: Iterable[bytes]) -> StoredRows:
        """Store rows in an order that depends on their content alone: equal rows give equal bytes."""
        key = f"{_day_prefix(campaign_day)}version={version}/part-0000.jsonl.gz"
        with NamedTemporaryFile(suffix=".jsonl.gz") as file:
            row_count = 0
            # The header has neither time nor name, so that equal rows give equal bytes.
            with gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, file, mtime=0) as compressed:
                for row in _sort_rows(rows):
                    compressed.write(row + b"\n")
                    row_count += 1
            # No content encoding: clients that decode it would not get the bytes that the manifest describes.
            lines = self._put_file(key, row_count, file, "application/gzip")
            return StoredRows(
                files=[lines], parquet=self._put_parquet(campaign_day, Path(file.name), row_count)
            )

    def publish(self, manifest: Manifest) -> None:
        prefix = _day_prefix(CampaignDay(manifest.campaign_id, manifest.day))
        manifest_key = f"{prefix}_manifest.json"
        body = manifest.model_dump_json(indent=1).encode() + b"\n"
        self._client.put_object(
            Bucket=self._bucket, Key=manifest_key, Body=body, ContentType="application/json"
        )
        current_keys = {manifest_key, *(file.key for file in (*manifest.files, *manifest.parquet))}
        # The Parquet file, too, if the stage no longer writes it: it may have rows of an erased person.
        for each in (prefix, _parquet_prefix(CampaignDay(manifest.campaign_id, manifest.day))):
            for key in self._iter_keys(each):
                if key not in current_keys:
                    self._client.delete_object(Bucket=self._bucket, Key=key)

    def _put_parquet(self, campaign_day: CampaignDay, lines: Path, rows: int) -> list[ExportFile]:
        if self._write_parquet is None:
            return []
        # Without a version: queries read every object of a day, and must not read two versions.
        key = f"{_parquet_prefix(campaign_day)}part-0000.parquet"
        with TemporaryDirectory() as directory:
            path = Path(directory) / "part-0000.parquet"
            self._write_parquet(lines, path)
            with path.open("rb") as file:
                return [self._put_file(key, rows, file, "application/vnd.apache.parquet")]

    def _put_file(self, key: str, rows: int, file: IO[bytes], content_type: str) -> ExportFile:
        size, digest = _measure(file)
        self._client.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType=content_type)
        return ExportFile(key=key, rows=rows, bytes=size, sha256=digest)

    def _iter_keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            yield from [each["Key"] for each in page.get("Contents", [])]


def _day_prefix(campaign_day: CampaignDay) -> str:
    return f"captures/campaign={campaign_day.campaign_id}/day={campaign_day.day.isoformat()}/"


def _parquet_prefix(campaign_day: CampaignDay) -> str:
    return f"parquet/campaign={campaign_day.campaign_id}/day={campaign_day.day.isoformat()}/"


def _sort_rows(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Yield all rows, bucket by bucket, each bucket sorted: the order depends on content alone."""
    with ExitStack() as open_files:
        buckets: list[IO[bytes]] = [
            open_files.enter_context(SpooledTemporaryFile(_SORT_BUCKET_MEMORY)) for _ in range(_SORT_BUCKETS)
        ]
        for row in rows:
            buckets[hashlib.blake2b(row, digest_size=1).digest()[0] % _SORT_BUCKETS].write(row + b"\n")
        for bucket in buckets:
            bucket.seek(0)
            yield from sorted(bucket.read().splitlines())


def _measure(file: IO[bytes]) -> tuple[int, str]:
    """Return the size of a file in bytes and its SHA-256, and rewind it."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_SIZE):
        digest.update(block)
    size = file.tell()
    file.seek(0)
    return size, digest.hexdigest()
