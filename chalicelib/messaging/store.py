"""The rate limiter in DynamoDB: one item of the sending table.

LINE    when the next slot is free, the stop in force, and when sending was last resumed
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The end of a stop that only a person ends, in microseconds.
_NO_END = 10**18

_IS_RUNNING = "(attribute_not_exists(stopped_until) OR stopped_until <= :now)"


class DynamoSendRateLimiter:
    """Satisfies `rate_limiter.SendRateLimiter`. Ten SMS a second take 1 % of a partition's write limit.

    Instants are stored as microseconds since 1970, so that reserving a slot is one addition. Each write
    returns the whole item, which keeps `resumed_at` current without reading.
    """

    def __init__(self, client: Any, table: str, *, channel: str | None = None) -> None:
        """Without a `channel` it is that of the SMS."""
        self._table = Table(client, table)
        self._key = {"pk": "LINE" if channel is None else f"LINE#{channel}"}
        self._resumed_at: datetime | None = None

    def reserve(self, duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        # A write that the SDK repeats because its answer was lost reserves two slots for one SMS.
        step, now_microseconds = _to_microseconds(duration), _to_epoch_microseconds(now)
        latest = now_microseconds + _to_microseconds(max_wait)
        while True:
            try:
                item = self._update(
                    "ADD free_at :step",
                    f"{_IS_RUNNING} AND free_at > :now AND free_at <= :latest",
                    {":step": step, ":now": now_microseconds, ":latest": latest},
                )
                return _from_epoch_microseconds(int(item["free_at"]) - step)
            except ConditionFailed as failed:
                _raise_refusal(failed.current, now_microseconds, latest)
            try:
                self._update(
                    "SET free_at = :then",
                    f"{_IS_RUNNING} AND (attribute_not_exists(free_at) OR free_at <= :now)",
                    {":then": now_microseconds + step, ":now": now_microseconds},
                )
            except ConditionFailed as failed:
                _raise_refusal(failed.current, now_microseconds, latest)
            else:
                return now

    def stop(self, stop: SendingStop) -> None:
        until = _NO_END if stop.ends_at is None else _to_epoch_microseconds(stop.ends_at)
        try:
            self._update(
                "SET stopped_until = :until, stop_reason = :reason",
                "attribute_not_exists(stopped_until) OR stopped_until < :until",
                {":until": until, ":reason": stop.reason},
            )
        except ConditionFailed:
            return

    def resume(self, now: datetime) -> None:
        self._update(
            "SET resumed_at = :at REMOVE stopped_until, stop_reason",
            "attribute_exists(pk) OR attribute_not_exists(pk)",
            {":at": _to_epoch_microseconds(now)},
        )

    @property
    def resumed_at(self) -> datetime | None:
        return self._resumed_at

    def find_stop(self, now: datetime) -> SendingStop | None:
        return _parse_stop(self._table.get(self._key) or {}, _to_epoch_microseconds(now))

    def _update(self, update: str, condition: str, values: Values) -> Values:
        write = self._table.update(self._key, update, condition, compared=values, returns_current=True)
        stored = self._table.run(write, returns="ALL_NEW")
        self._resumed_at = (
            _from_epoch_microseconds(int(stored["resumed_at"])) if "resumed_at" in stored else None
        )
        return stored


def _raise_refusal(current: Values, now_microseconds: int, latest_microseconds: int) -> None:
    """Raise SendingStopped or RateLimited if the item says so; otherwise another write was first."""
    stop = _parse_stop(current, now_microseconds)
    if stop is not None:
        raise SendingStopped(stop.reason, stop.ends_at)
    if int(current.get("free_at", 0)) > latest_microseconds:
        raise RateLimited


def _parse_stop(values: Values, now_microseconds: int) -> SendingStop | None:
    until = int(values.get("stopped_until", 0))
    if until <= now_microseconds:
        return None
    return SendingStop(values["stop_reason"], None if until == _NO_END else _from_epoch_microseconds(until))


def _to_microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _to_epoch_microseconds(instant: datetime) -> int:
    return _to_microseconds(instant - _EPOCH)


def _from_epoch_microseconds(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
