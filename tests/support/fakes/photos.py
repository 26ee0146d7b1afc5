"""A fake of the store of photos."""

from collections.abc import Iterator
from datetime import timedelta

from chalicelib.photos.model import StoredPhoto
from tests.support.builders import NOW


class InMemoryPhotos:
    """Satisfies `erasure.PhotoStore` and `service.Photos` of ODK."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}

    def put(self, capture_id: str, filename: str, content: bytes) -> None:
        """Store a photo of a capture. The same file again replaces itself."""
        self.files[capture_id, filename] = content

    def iter_photos(self, capture_id: str) -> Iterator[StoredPhoto]:
        """Yield the photos of a capture."""
        for (owner, filename), content in self.files.items():
            if owner == capture_id:
                url = f"https://photos.example/{filename}"
                yield StoredPhoto(capture_id, NOW, len(content), url, NOW + timedelta(minutes=15))

    def erase(self, capture_id: str) -> None:
        """Delete the photos of a capture."""
        self.files = {key: content for key, content in self.files.items() if key[0] != capture_id}
