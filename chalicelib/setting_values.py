"""The values of settings, as they are written in environment variables."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from chalicelib.fields import parse_digits

__all__ = [
    "ReportState",
    "parse_days",
    "parse_decimal",
    "parse_digits",
    "parse_flag",
    "parse_hours",
    "parse_minutes",
    "parse_report_states",
    "parse_weights",
]

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
_FLAGS = {"true": True, "false": False}
_WEIGHTS = re.compile(r"(aws|twilio)=[0-9]{1,3}(,(aws|twilio)=[0-9]{1,3})*")

ReportState = Literal["provisional", "final"]
_REPORT_STATES: Mapping[str, tuple[ReportState, ...]] = {
    "none": (),
    "provisional": ("provisional",),
    "final": ("final",),
    "provisional,final": ("provisional", "final"),
}


def _parse_duration(text: str, unit: str) -> timedelta:
    """Return a whole number of a unit of `timedelta`. Raise ValueError."""
    try:
        return timedelta(**{unit: parse_digits(text)})
    except OverflowError:
        raise ValueError("too long") from None


def parse_minutes(value: str) -> timedelta:
    """Return a number of minutes. Raise ValueError."""
    return _parse_duration(value, "minutes")


def parse_hours(value: str) -> timedelta:
    """Return a number of hours. Raise ValueError."""
    return _parse_duration(value, "hours")


def parse_days(value: str) -> timedelta:
    """Return a number of days. Raise ValueError."""
    return _parse_duration(value, "days")


def parse_decimal(value: str) -> float:
    """Return a number with decimals. Raise ValueError."""
    if not _DECIMAL.fullmatch(value):
        raise ValueError("not a decimal number")
    return float(value)


def parse_flag(value: str) -> bool:
    """Return the meaning of `true` or `false`. Raise ValueError."""
    if value not in _FLAGS:
        raise ValueError("neither true nor false")
    return _FLAGS[value]


def parse_weights(value: str) -> dict[str, int]:
    """Return the weights of gateways, such as `aws=9,twilio=1`. Raise ValueError."""
    if not _WEIGHTS.fullmatch(value):
        raise ValueError("not a list of weights")
    pairs = [each.partition("=") for each in value.split(",")]
    weights = {name: parse_digits(weight) for name, _, weight in pairs}
    if len(weights) < len(pairs):
        raise ValueError("a gateway is in the list twice")
    return weights


def parse_report_states(value: str) -> tuple[ReportState, ...]:
    """Return the states of the reports that are sent. Raise ValueError."""
    if value not in _REPORT_STATES:
        raise ValueError("not a list of report states")
    return _REPORT_STATES[value]
