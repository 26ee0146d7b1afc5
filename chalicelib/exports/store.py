"""Exports in S3, laid out as tools for tables expect it.

captures/campaign=<id>/day=<day>/version=<n>/part-0000.jsonl.gz    rows, one JSON object a line
captures/campaign=<id>/day=<day>/_manifest.json                    which files those are, and what they hold

The bucket keeps no versions: what is overwritten or removed is gone.
"""

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.exports.model import ExportFile, Manifest

# Rows are sorted before they are stored, some of them at a time: of a million, five megabytes.
_SORT_BUCKETS = 64
_SORT_BUCKET_MEMORY = 16 * 1024

# The middle: a half more bytes at the quickest level, as much time again at the slowest.
_COMPRESSION_LEVEL = 6

_BLOCK_SIZE = 1024 * 1024


class S3ExportStore:
    """Satisfies `service.ExportStore`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, campaign_day: CampaignDay, version: int, rows: Iterable[bytes]) -> ExportFile:
        """Store rows in an order of their own: equal rows give equal bytes. Memory stays flat."""
        key = f"{_day_prefix(campaign_day)}version={version}/part-0000.jsonl.gz"
        with TemporaryFile() as file:
            number = 0
            # No time and no name in the header.
            with gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, file, mtime=0) as packed:
                for row in _sort_rows(rows):
                    packed.write(row + b"\n")
                    number += 1
            size, digest = _measure(file)
            # No content encoding: who unpacks by itself would find other bytes than the manifest says.
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType="application/gzip")
        return ExportFile(key=key, rows=number, bytes=size, sha256=digest)

    def publish(self, manifest: Manifest) -> None:
        """Name what a day consists of, and take away whatever else stands there of it."""
        day = _day_prefix(CampaignDay(manifest.campaign_id, manifest.day))
        name = f"{day}_manifest.json"
        body = manifest.model_dump_json(indent=1).encode() + b"\n"
        self._client.put_object(Bucket=self._bucket, Key=name, Body=body, ContentType="application/json")
        kept = {name, *(file.key for file in manifest.files)}
        for key in self._iter_keys(day):
            if key not in kept:
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _iter_keys(self, prefix: str) -> Iterator[str]:
        asked: dict[str, str] = {}
        while True:
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **asked)
            yield from [each["Key"] for each in found.get("Contents", [])]
            if not found.get("IsTruncated"):
                return
            asked = {"ContinuationToken": found["NextContinuationToken"]}


def _day_prefix(campaign_day: CampaignDay) -> str:
    return f"captures/campaign={campaign_day.campaign_id}/day={campaign_day.day.isoformat()}/"


def _sort_rows(rows: Iterable[bytes]) -> Iterator[bytes]:
    """All rows, pile by pile, each pile sorted: an order that does not say which came first."""
    with ExitStack() as open_piles:
        piles: list[IO[bytes]] = [
            open_piles.enter_context(SpooledTemporaryFile(_SORT_BUCKET_MEMORY)) for _ in range(_SORT_BUCKETS)
        ]
        for row in rows:
            piles[hashlib.blake2b(row, digest_size=1).digest()[0] % _SORT_BUCKETS].write(row + b"\n")
        for pile in piles:
            pile.seek(0)
            yield from sorted(pile.read().splitlines())


def _measure(file: IO[bytes]) -> tuple[int, str]:
    """How long a file is, and its SHA-256; it stands at its beginning again."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_SIZE):
        digest.update(block)
    size = file.tell()
    file.seek(0)
    return size, digest.hexdigest()
