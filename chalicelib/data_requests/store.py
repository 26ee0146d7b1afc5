"""Data requests in DynamoDB."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table
from chalicelib.clock import to_expiry, to_timestamp
from chalicelib.data_requests.model import DataRequest, DataRequestType, LoggedErasure

_BY_SUBJECT = "by_subject"
_STEP_ASKED, _STEP_LOGGED, _STEP_DONE = "asked", "logged", "done"

# A table can be restored to any time of the last 35 days, and no copy in a vault is kept for longer.
LOG_RETENTION = timedelta(days=40)


class DynamoDataRequests:
    """Satisfies `service.DataRequests`.

    <request id>   asked    the request, and the counts of what was found
    <request id>   logged   the worker's key of an erasure, for restored tables; expires
    <request id>   done     when it was completed

    Items are added and never changed or deleted: the functions have no permission to.
    """

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def begin(self, request: DataRequest) -> DataRequest:
        asked = {**asdict(request), "step": _STEP_ASKED, "asked_at": to_timestamp(request.asked_at)}
        stored = self._add(asked)
        if stored is None:
            return request
        done = self._table.get({"request_id": request.request_id, "step": _STEP_DONE})
        return _to_request(stored, done)

    def log_erasure(self, erasure: LoggedErasure) -> None:
        logged = {
            "request_id": erasure.request_id,
            "step": _STEP_LOGGED,
            "worker_key": erasure.worker_key,
            "received_before": to_timestamp(erasure.received_before),
            "expires_at": to_expiry(erasure.received_before + LOG_RETENTION),
        }
        self._add(logged)

    def finish(self, request: DataRequest, *, occurred_at: datetime) -> DataRequest:
        done = {
            "request_id": request.request_id,
            "step": _STEP_DONE,
            "subject": request.subject,
            "asked_at": to_timestamp(request.asked_at),
            "done_at": to_timestamp(occurred_at),
        }
        stored = self._add(done) or done
        return replace(request, done_at=datetime.fromisoformat(stored["done_at"]))

    def iter_by_subject(self, subject: str) -> Iterator[DataRequest]:
        steps = list(self._table.query("subject = :subject", {":subject": subject}, index=_BY_SUBJECT))
        done = {step["request_id"]: step for step in steps if step["step"] == _STEP_DONE}
        for step in steps:
            if step["step"] == _STEP_ASKED:
                yield _to_request(step, done.get(step["request_id"]))

    def _add(self, step: Values) -> Values | None:
        """Store a step. Return the step that is stored under its key already, if there is one."""
        try:
            self._table.run(self._table.put(step, "attribute_not_exists(request_id)", returns_current=True))
        except ConditionFailed as failed:
            return failed.current
        return None


def parse_logged_erasure(values: Values) -> LoggedErasure | None:
    """Return the erasure that an item of the table logs, None if it is another step of a request."""
    if values["step"] != _STEP_LOGGED:
        return None
    received_before = datetime.fromisoformat(values["received_before"])
    return LoggedErasure(values["request_id"], values["worker_key"], received_before)


def is_erasure_request(values: Values) -> bool:
    """Return True if an item of the table is a request for erasure."""
    return bool(values["step"] == _STEP_ASKED and values["act"] == DataRequestType.ERASURE)


def _to_request(asked: Values, done: Values | None) -> DataRequest:
    return DataRequest(
        request_id=asked["request_id"],
        act=DataRequestType(asked["act"]),
        subject=asked["subject"],
        fingerprint=asked["fingerprint"],
        reason=asked["reason"],
        client_id=asked["client_id"],
        asked_at=datetime.fromisoformat(asked["asked_at"]),
        registrations=int(asked["registrations"]),
        captures=int(asked["captures"]),
        texts=int(asked["texts"]),
        chats=int(asked.get("chats", 0)),
        done_at=None if done is None else datetime.fromisoformat(done["done_at"]),
    )
