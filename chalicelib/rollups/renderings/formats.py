"""The forms that a summary is given in, and what each is called in HTTP."""

from collections.abc import Mapping
from typing import Literal

Format = Literal["json", "html", "csv", "xlsx"]

# The first is given where nobody asks for another.
MEDIA_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "html": "text/html",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
