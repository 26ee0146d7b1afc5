"""The formats of a summary and their media types."""

from collections.abc import Mapping
from typing import Literal

Format = Literal["json", "html", "csv", "xlsx"]

CsvDialect = Literal["plain", "excel"]

# The first is the default.
MEDIA_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "html": "text/html",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
