"""Logs, metrics and the correlation id, from Powertools; configured once for every function.

Each function logs one line per outcome: a constant message, and facts as keys. Nothing that a caller sent
is ever logged, and nothing personal can be: a line holds the facts declared here, each in its own shape, and
neither the words of an exception nor a text put together elsewhere.
"""

import re
import traceback
from collections.abc import Callable, Mapping
from copy import copy
from logging import LogRecord
from types import TracebackType
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from chalicelib.crypto.masking import MASKED, mask_text

NAMESPACE = "Daftar"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")
_KEY = re.compile(r"[a-z_]{1,40}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_MESSAGE = re.compile(r"[a-z][a-z ,'-]{0,79}")

# Every fact that a line may state, and the shape its words have. A person's name fits none of the keys, and
# a key that is not here is logged without its value: `tests/structure` says where one is missing.
FACTS: Mapping[str, re.Pattern[str]] = {
    "attempts": _NAME,
    "by_status": _NAME,
    "campaign_id": _ID,
    "client_id": _ID,
    "code": _NAME,
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "delivery_id": _ID,
    "destroyed": _NAME,
    "error": _NAME,
    "failed": _NAME,
    "fields": re.compile(r"[a-z0-9_.?]{1,120}: [a-z_]{1,40}"),
    "gateway": _NAME,
    "is_new": _NAME,
    "medium": _NAME,
    "message_id": _ID,
    "method": re.compile(r"[A-Z]{1,10}"),
    "purpose": _NAME,
    "queued": _NAME,
    "reason": _ID,
    "records": _NAME,
    "reference": re.compile(r"[0-9A-Z-]{1,16}"),
    "route": re.compile(r"/[A-Za-z0-9_./{}-]{0,120}"),
    "sequence_number": re.compile(r"\d{1,64}"),
    "sms_id": _ID,
    "state": _NAME,
    "status": _NAME,
    "version": _NAME,
    "where": re.compile(r"[A-Za-z0-9_.<>-]{1,80}:\d{1,6} [A-Za-z0-9_<>]{1,80}"),
}

# Dates of campaigns and places in a stream are long numbers by their nature.
_LONG_NUMBER_KEYS = frozenset({"day", "sequence_number"})

# What Powertools itself puts on each line.
_POWERTOOLS_KEYS = frozenset({"level", "location", "timestamp", "service", "xray_trace_id", "exception_name"})

# No count of ours comes near; a NIK, a phone and a card number are above.
_NUMBER_LIMIT = 10_000_000


class MaskingFormatter(LambdaPowertoolsFormatter):
    """Writes a line with nothing in it but declared facts."""

    def format(self, record: LogRecord) -> str:
        """A line that says the constant part of the message, the declared facts, and where an error arose."""
        safe = copy(record)
        safe.msg = record.msg if isinstance(record.msg, str) and _MESSAGE.fullmatch(record.msg) else MASKED
        safe.args = safe.exc_info = safe.exc_text = safe.stack_info = None
        if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
            safe.error, safe.where = record.exc_info[0].__name__, _format_frames(record.exc_info[2])
        return super().format(safe)

    def serialize(self, log: Any) -> str:
        """The line as JSON, after each value was looked at."""
        return super().serialize(
            {_sanitize_key(key): _sanitize_value(key, value) for key, value in log.items()}
        )


def _sanitize_key(key: str) -> str:
    return key if _KEY.fullmatch(key) else MASKED


def _sanitize_value(key: str, value: object) -> object:
    if key in _POWERTOOLS_KEYS:
        return value
    if key in {"message", "correlation_id"}:
        return mask_text(value) if isinstance(value, str) else MASKED
    shape = FACTS.get(key)
    if shape is None:
        return MASKED
    return _sanitize_fact(value, shape, mask_text if key not in _LONG_NUMBER_KEYS else str)


def _sanitize_fact(value: object, pattern: re.Pattern[str], mask: Callable[[str], str]) -> object:
    match value:
        case None | bool():
            return value
        case int() | float():
            return value if abs(value) < _NUMBER_LIMIT else MASKED
        case str():
            return value if pattern.fullmatch(value) and mask(value) == value else MASKED
        case list() | tuple():
            return [_sanitize_fact(each, pattern, mask) for each in value]
        case dict():
            return {
                _sanitize_fact(name, pattern, mask): _sanitize_fact(each, pattern, mask)
                for name, each in value.items()
            }
    return MASKED


# The level is said here: one line per outcome is promised, and a LOG_LEVEL left in some environment must not
# silence it (Powertools reads that name too). Lambda's own setting, AWS_LAMBDA_LOG_LEVEL, still comes first.
logger = Logger(
    service="daftar",
    level="INFO",
    log_uncaught_exceptions=False,
    logger_formatter=MaskingFormatter(utc=True, serialize_stacktrace=False),
)


def set_correlation_id(correlation_id: str) -> None:
    """Put the id that ties a request to its text on every log line until the next call."""
    logger.set_correlation_id(correlation_id)


def count(name: str, number: int = 1, **dimensions: str) -> None:
    """Add to a metric (EMF)."""
    measure(name, MetricUnit.Count, number, **dimensions)


def measure(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    """Record a value of a metric (EMF)."""
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        for dimension, its_value in dimensions.items():
            metric.add_dimension(name=dimension, value=str(_sanitize_fact(its_value, _NAME, mask_text)))


def log_exception(error: BaseException, message: str, facts: Mapping[str, object]) -> None:
    """Log where an unforeseen error arose, and its type.

    Its own message may hold personal values, so it is left out.
    """
    facts = {**facts, "error": type(error).__name__, "where": _format_frames(error.__traceback__)}
    logger.error(message, extra=facts)


class PartialFailure(Exception):
    """A scheduled round did what it could. Its words are numbers, and may be told to anyone."""


class UnhandledError(Exception):
    """A function failed for a reason that nobody foresaw: its type is said here, its place in the log."""


def redact_errors(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Middleware for functions without a caller: what they raise goes to the log and, with the event that
    failed, into a queue, so that the words of an unforeseen error are taken out of it.
    """
    try:
        return get_response(event)
    except PartialFailure:
        raise
    except Exception as error:  # noqa: BLE001 - raised again, without its words
        log_exception(error, "function failed", {})
        raise UnhandledError(type(error).__name__) from None


def _format_frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
