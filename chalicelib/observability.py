"""Logs, metrics and the correlation id, by Powertools; configured once for every function.

Each function logs one line per outcome: a constant message, and facts as keys. Only facts that are declared
here, in the shape declared here, are written. So no line can hold personal data, the message of an exception
or a string built elsewhere.
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
from chalicelib.refusals import RecordUnreadable

NAMESPACE = "Daftar"

_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,79}"
_KEY = re.compile(r"[a-z_]{1,40}")
_ID = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}"
_MESSAGE = re.compile(r"[a-z][a-z ,'-]{0,79}")

# The keys that a line may have, and the pattern of their strings. A value under another key is masked;
# `tests/structure` finds keys that are missing here. A pattern is compiled when a line first has its key.
FACTS: Mapping[str, str] = {
    "attempts": _NAME,
    "by_status": _NAME,
    "campaign_id": _ID,
    "capture_id": _ID,
    "channel": _NAME,
    "client_id": _ID,
    "code": _NAME,
    "day": r"\d{4}-\d\d-\d\d",
    "delivery_id": _ID,
    "destroyed": _NAME,
    "error": _NAME,
    "failed": _NAME,
    "fields": r"[a-z0-9_.?]{1,120}: [a-z_]{1,40}",
    "gateway": _NAME,
    "is_new": _NAME,
    "kind": _NAME,
    "medium": _NAME,
    "message_id": _ID,
    "messages": _NAME,
    "method": r"[A-Z]{1,10}",
    "purpose": _NAME,
    "queued": _NAME,
    "reason": _ID,
    "record": r"[A-Za-z0-9#_.:-]{1,128}",
    "records": _NAME,
    "reference": r"[0-9A-Z-]{1,16}",
    "route": r"/[A-Za-z0-9_./{}-]{0,120}",
    "sequence_number": r"\d{1,64}",
    "sms_id": _ID,
    "state": _NAME,
    "subject_client_id": _ID,
    "status": _NAME,
    "version": _NAME,
    "where": r"[A-Za-z0-9_.<>-]{1,80}:\d{1,6} [A-Za-z0-9_<>]{1,80}",
}

# Dates and sequence numbers of a stream have many digits by nature.
_LONG_NUMBER_KEYS = frozenset({"day", "sequence_number"})

# Keys that Powertools itself adds to each line.
_POWERTOOLS_KEYS = frozenset({"level", "location", "timestamp", "service", "xray_trace_id", "exception_name"})

# Far above every count that is logged, and below any NIK, phone or card number.
_NUMBER_LIMIT = 10_000_000


class MaskingFormatter(LambdaPowertoolsFormatter):
    """Formats log lines that hold declared facts only."""

    def format(self, record: LogRecord) -> str:
        """Return a line with the constant message, the declared facts, and the frames of an error."""
        safe = copy(record)
        safe.msg = record.msg if isinstance(record.msg, str) and _MESSAGE.fullmatch(record.msg) else MASKED
        safe.args = safe.exc_info = safe.exc_text = safe.stack_info = None
        if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
            safe.error, safe.where = record.exc_info[0].__name__, _format_frames(record.exc_info[2])
        return super().format(safe)

    def serialize(self, log: Any) -> str:
        """Return the line as JSON, with every undeclared value masked."""
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


def _sanitize_fact(value: object, pattern: str, mask: Callable[[str], str]) -> object:
    match value:
        case None | bool():
            return value
        case int() | float():
            return value if abs(value) < _NUMBER_LIMIT else MASKED
        case str():
            return value if re.fullmatch(pattern, value) and mask(value) == value else MASKED
        case list() | tuple():
            return [_sanitize_fact(each, pattern, mask) for each in value]
        case dict():
            return {
                _sanitize_fact(name, pattern, mask): _sanitize_fact(each, pattern, mask)
                for name, each in value.items()
            }
    return MASKED


# The level is set here, so that a LOG_LEVEL left in some environment, which Powertools reads too, cannot
# silence the lines. Lambda's own setting, AWS_LAMBDA_LOG_LEVEL, still takes precedence.
logger = Logger(
    service="daftar",
    level="INFO",
    log_uncaught_exceptions=False,
    logger_formatter=MaskingFormatter(utc=True, serialize_stacktrace=False),
)


def set_correlation_id(correlation_id: str) -> None:
    """Set the id that a request and its SMS share, for every log line until the next call."""
    logger.set_correlation_id(correlation_id)


def get_correlation_id() -> str | None:
    """Return the id of the request that is being answered, or None."""
    correlation_id: str | None = logger.get_correlation_id()
    return correlation_id


def count(name: str, number: int = 1, **dimensions: str) -> None:
    """Add to a metric (EMF)."""
    measure(name, MetricUnit.Count, number, **dimensions)


def measure(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        for dimension, dimension_value in dimensions.items():
            metric.add_dimension(name=dimension, value=str(_sanitize_fact(dimension_value, _NAME, mask_text)))


def log_exception(error: BaseException, message: str, facts: Mapping[str, object]) -> None:
    """Log the type and the frames of an unexpected error, but not its message, which may be personal.

    An unreadable record is counted and named, wherever it is met.
    """
    facts = {**facts, "error": type(error).__name__, "where": _format_frames(error.__traceback__)}
    if isinstance(error, RecordUnreadable):
        facts |= {"record": error.record, "reason": error.reason}
        count("UnreadableRecords")
    logger.error(message, extra=facts)


class PartialFailure(Exception):
    """A scheduled run failed in part. Its message holds numbers only, so that it may be logged."""


class UnhandledError(Exception):
    """A function failed unexpectedly. The message is the type of the error; the log has its frames."""


def redact_errors(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Replace errors by UnhandledError (middleware for functions without a caller).

    AWS logs the error of such a function and stores it in a dead-letter queue, so it must hold nothing
    personal.
    """
    try:
        return get_response(event)
    except PartialFailure:
        raise
    except Exception as error:  # noqa: BLE001 - raised again, without its message
        log_exception(error, "function failed", {})
        raise UnhandledError(type(error).__name__) from None


def _format_frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
