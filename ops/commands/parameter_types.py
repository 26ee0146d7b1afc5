"""Types of command-line parameters that take one written form only."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from chalicelib.callers import EVERY_CAMPAIGN
from chalicelib.campaigns.model import CampaignId
from chalicelib.clients.schemas import ClientId
from chalicelib.crypto.masking import mask_text
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.typed import clean_text, find_text_problem

ReturnType = TypeVar("ReturnType")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DIGITS = re.compile(r"0|[1-9][0-9]{0,9}")
_KEY_ID = re.compile(r"[a-z]{1,20}-[0-9T:.Z-]{1,40}")
_MAX_TEXT_LENGTH = 200


class _DayType(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: date | str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return a date written YYYY-MM-DD, with its zeros. Raise click's BadParameter."""
        if isinstance(value, date):
            return value
        try:
            # `fromisoformat` also reads 20241009 and 2024-W41-3.
            return date.fromisoformat(value if _DATE.fullmatch(value) else "")
        except ValueError:
            self.fail(f"{value!r} is not a date: write it as 2024-10-09", param, ctx)


class _WholeNumberType(click.ParamType[int]):
    name = "number"

    def convert(self, value: int | str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return a whole number written in digits alone. Raise click's BadParameter."""
        if isinstance(value, int):
            return value
        if not _DIGITS.fullmatch(value):
            self.fail(f"{value!r} is not a whole number: write it in digits", param, ctx)
        return int(value)


class _IdType(click.ParamType[str]):
    """The id of a campaign or a client, in the form that the API takes."""

    def __init__(self, name: str, id_type: TypeAdapter[str], *, allows_all: bool = False) -> None:
        self.name = name
        self._adapter = id_type
        self._allows_all = allows_all

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id. Raise click's BadParameter."""
        if self._allows_all and value == EVERY_CAMPAIGN:
            return value
        try:
            return self._adapter.validate_python(value)
        except ValidationError:
            self.fail(f"{value!r} is no id of a {self.name}: small letters, digits and hyphens", param, ctx)


class _KeyIdType(click.ParamType[str]):
    """The id of a data key, as `daftar rotate` prints it: its purpose and when it was made."""

    name = "key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id. Raise click's BadParameter."""
        if not _KEY_ID.fullmatch(value):
            self.fail(f"{value!r} is no id of a key: write it as it was printed", param, ctx)
        return value


class _PlainTextType(click.ParamType[str]):
    """A short text on one line that names no person: it is stored in the clear."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text cleaned. Raise click's BadParameter, which does not repeat it."""
        cleaned = clean_text(value)
        if (problem := find_text_problem(cleaned)) is not None:
            self.fail(FIELD_MESSAGES[problem].english, param, ctx)
        if len(cleaned) > _MAX_TEXT_LENGTH:
            self.fail(f"this is longer than {_MAX_TEXT_LENGTH} characters", param, ctx)
        if mask_text(cleaned) != cleaned:
            self.fail("name a branch, a role or a reason, not a person's number or address", param, ctx)
        return cleaned


class _MomentType(click.ParamType[datetime]):
    name = "time"

    def convert(
        self, value: datetime | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return a past moment with its UTC offset. Raise click's BadParameter."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value if _MOMENT.fullmatch(value) else "")
        except ValueError:
            self.fail(f"{value!r} is not a time: write it as 2024-10-09T14:30:00+07:00", param, ctx)
        if moment > datetime.now(UTC):
            self.fail(f"{value!r} is in the future", param, ctx)
        return moment


DAY = _DayType()
MOMENT = _MomentType()
WHOLE_NUMBER = _WholeNumberType()
KEY_ID = _KeyIdType()
PLAIN_TEXT = _PlainTextType()
_CAMPAIGN_ID: TypeAdapter[str] = TypeAdapter(CampaignId)
CAMPAIGN = _IdType("campaign", _CAMPAIGN_ID)
CAMPAIGN_OR_ALL = _IdType("campaign", _CAMPAIGN_ID, allows_all=True)
CLIENT = _IdType("client", TypeAdapter(ClientId))


@dataclass(frozen=True)
class DayRange:
    """Days from the first to the last; None for an open end."""

    first: date | None = None
    last: date | None = None


def day_range(
    *, is_required: bool = False
) -> Callable[[Callable[..., ReturnType]], Callable[..., ReturnType]]:
    """Add DAY, --from and --to to a command, which gets them as `days`. They are checked before the stack."""

    def add_parameters(command: Callable[..., ReturnType]) -> Callable[..., ReturnType]:
        @wraps(command)
        def run(
            *args: Any, day: date | None, first: date | None, last: date | None, **options: Any
        ) -> ReturnType:
            if day and (first or last):
                raise click.UsageError("name a DAY, or --from and --to, not both")
            if is_required and not (day or (first and last)):
                raise click.UsageError("name a DAY, or --from and --to")
            if first and last and first > last:
                raise click.UsageError("the days are not in order: --from is after --to")
            return command(*args, days=DayRange(first or day, last or day), **options)

        # After `wraps`, which would replace these parameters by those of the wrapped function.
        with_last = click.option("--to", "last", type=DAY, help="The last of several days.")(run)
        with_range = click.option("--from", "first", type=DAY, help="The first of several days.")(with_last)
        return click.argument("day", required=False, type=DAY)(with_range)

    return add_parameters
