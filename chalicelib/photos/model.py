"""Photos that a form asks for, each of one capture."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class StoredPhoto:
    """A photo in the store. Whoever has `url` may read it until `url_expires_at`."""

    capture_id: str
    stored_at: datetime
    size: int
    url: str
    url_expires_at: datetime
