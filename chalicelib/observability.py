"""Logs, metrics and the correlation id, from Powertools; configured once for every function.

Each function logs one line per outcome: a constant message, and facts as keys. Nothing that a caller sent
is ever logged.
"""

import traceback
from collections.abc import Mapping

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Daftar"

# The level is said here: one line per outcome is promised, and a LOG_LEVEL left in some environment must not
# silence it (Powertools reads that name too). Lambda's own setting, AWS_LAMBDA_LOG_LEVEL, still comes first.
logger = Logger(service="daftar", level="INFO", utc=True, log_uncaught_exceptions=False)


def correlate(correlation_id: str) -> None:
    """Put the id that ties a request to its text on every log line until the next call."""
    logger.set_correlation_id(correlation_id)


def count(name: str, number: int = 1, **dimensions: str) -> None:
    """Add to a metric (EMF)."""
    measure(name, MetricUnit.Count, number, **dimensions)


def measure(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    """Record a value of a metric (EMF)."""
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        for dimension, its_value in dimensions.items():
            metric.add_dimension(name=dimension, value=its_value)


def log_unforeseen(error: BaseException, message: str, facts: Mapping[str, object]) -> None:
    """Log where an unforeseen error arose, and its type.

    Its own message may hold personal values, so it is left out.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
    logger.error(message, extra={**facts, "error": type(error).__name__, "where": where})
