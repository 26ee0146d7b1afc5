"""Log lines and metrics, as CloudWatch would read them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from chalicelib.observability import logger


class LogLines(list[dict[str, Any]]):
    """Parsed lines of logs and metrics, filled when the block of `collect_logs` ends."""

    def with_message(self, message: str) -> list[dict[str, Any]]:
        """Return the log lines with a message."""
        return [line for line in self if line.get("message") == message]

    def metrics(self) -> list[dict[str, Any]]:
        """Return the metrics (EMF)."""
        return [line for line in self if "_aws" in line]


@contextmanager
def collect_logs() -> Iterator[LogLines]:
    """Collect the log lines and metrics that the block writes."""
    lines, stream = LogLines(), StringIO()
    handler = logger.registered_handler
    before = handler.setStream(stream)  # type: ignore[attr-defined]
    try:
        with redirect_stdout(stream):
            yield lines
    finally:
        handler.setStream(before)  # type: ignore[attr-defined]
        lines.extend(json.loads(line) for line in stream.getvalue().splitlines())
