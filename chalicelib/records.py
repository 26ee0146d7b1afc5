"""Parsing of stored records, so that one that cannot be read stops neither the others nor an answer.

A record is unreadable if a value in it was altered, if the key of a value is gone, or if it has another form.
Faults of the moment, such as a key service that does not answer, are no such reason: they rise as they are.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from chalicelib import observability
from chalicelib.crypto.encryption import UnsealError
from chalicelib.refusals import RecordUnreadable

Record = TypeVar("Record")
Arguments = ParamSpec("Arguments")
RecordValues = TypeVar("RecordValues", bound=Mapping[str, Any])

# What parsing raises for content that it does not expect.
_PARSING_ERRORS = (
    *(UnsealError, zlib.error),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)


def record_parser(
    parse: Callable[Concatenate[RecordValues, Arguments], Record],
) -> Callable[Concatenate[RecordValues, Arguments], Record]:
    """Make a function that parses an item's values raise RecordUnreadable if it cannot."""

    @wraps(parse)
    def parse_record(
        values: RecordValues, /, *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Record:
        try:
            return parse(values, *arguments, **options)
        except _PARSING_ERRORS as error:
            # Not chained: the message of the error may hold a personal value.
            raise RecordUnreadable(_get_key(values), reason=type(error).__name__) from None

    return parse_record


def iter_readable(
    parse: Callable[[Mapping[str, Any]], Record],
    rows: Iterable[Mapping[str, Any]],
    on_unreadable: Callable[[str], object] = lambda _: None,
) -> Iterator[Record]:
    """Yield the records that can be read. Count and log the others, and pass on their keys."""
    parse_record = record_parser(parse)
    for values in rows:
        try:
            record = parse_record(values)
        except RecordUnreadable as error:
            observability.log_exception(error, "record skipped", {})
            on_unreadable(error.record)
        else:
            yield record


def _get_key(values: Mapping[str, Any]) -> str:
    return str(values.get("pk") or values.get("sms_id") or "")
