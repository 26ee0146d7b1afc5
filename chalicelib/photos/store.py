"""Photos in S3, encrypted there with a key of the stage, until the bucket's retention deletes them.

captures/<capture id>/<keyed hash of the file's name>

The names of files come from phones, so no key has one. The bucket has no versions: what is deleted is gone.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.photos.model import StoredPhoto

_HASH_DIGITS = 16
_URL_LIFETIME = timedelta(minutes=15)
# Whatever a phone sent is downloaded, and never shown as a page of our origin.
_ANSWER = {"ResponseContentDisposition": "attachment", "ResponseContentType": "application/octet-stream"}


class S3PhotoStore:
    """Satisfies `erasure.PhotoStore`, `service.Photos` of ODK and of requests about a person's data."""

    def __init__(self, client: Any, bucket: str, *, hashing: KeyedHash, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._hashing = hashing
        self._clock = clock

    def put(self, capture_id: str, filename: str, content: bytes) -> None:
        """Store a photo of a capture. The same file again replaces itself."""
        key = f"{_make_prefix(capture_id)}{self._hashing.digest('photo', filename)[:_HASH_DIGITS]}"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content)

    def iter_photos(self, capture_id: str) -> Iterator[StoredPhoto]:
        """Yield the photos of a capture, each with a URL that is good for 15 minutes."""
        for item in self._iter_objects(capture_id):
            yield StoredPhoto(
                capture_id=capture_id,
                stored_at=item["LastModified"],
                size=item["Size"],
                url=self._client.generate_presigned_url(
                    "get_object",
                    Params={"Bucket": self._bucket, "Key": item["Key"], **_ANSWER},
                    ExpiresIn=int(_URL_LIFETIME.total_seconds()),
                ),
                url_expires_at=self._clock() + _URL_LIFETIME,
            )

    def erase(self, capture_id: str) -> None:
        """Delete the photos of a capture. It may be repeated."""
        for item in self._iter_objects(capture_id):
            self._client.delete_object(Bucket=self._bucket, Key=item["Key"])

    def _iter_objects(self, capture_id: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=_make_prefix(capture_id)
        )
        for page in pages:
            yield from page.get("Contents", [])


def _make_prefix(capture_id: str) -> str:
    return f"captures/{capture_id}/"
