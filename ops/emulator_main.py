"""What the emulator's own interpreter runs: ministack, with five things mended.

Ministack saves how far each stream was read, but not the streams. After a restart it would deliver nothing
until as many changes have been made as before it, and never what was waiting when it stopped: registrations
without a text. AWS keeps a stream for a day, whoever restarts. So the streams are saved with their tables.

It does not tell IAM the encryption context of a KMS request, nor whom a mail is from, and so denies whatever
has a condition on them.

Of a mail in raw form it keeps the words and drops the rest. So the mails that it takes are kept as they are,
for anybody to open: `mails/*.eml` in its home.

Of a stream's batch it goes on behind the last record, whatever the function says of single ones. Lambda goes
on from the first that failed, and after so many attempts sets it aside. A batch whose function raises comes
again here for ever, and is not split.

It unpacks the zip anew for each worker of a function, and does nothing else meanwhile: when fifty callers
came at once, it answered nobody for so long that functions gave up on their tables. So the workers share what
they only ever read.
"""

import json
import math
import os
import threading
import time
import zipfile
from base64 import b64decode
from collections import Counter
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import dynamodb, lambda_svc, ses_v2

_STREAMS = {"stream_records": dynamodb._stream_records, "stream_trimmed": dynamodb._stream_trimmed}

_tables = dynamodb.get_state
_load_tables = dynamodb.load_persisted_state


def _tables_and_streams() -> dict[str, Any]:
    return {**_tables(), **{name: deepcopy(stream) for name, stream in _STREAMS.items()}}


def _load_tables_and_streams(saved: dict[str, Any]) -> None:
    _load_tables(saved)
    for name, stream in _STREAMS.items():
        stream.update(saved.get(name, {}))


_conditions = iam_actions.request_tag_context


def _conditions_and_encryption_context(service: str, action: str, body: bytes, *rest: Any) -> dict[str, Any]:
    context = json.loads(body or b"{}").get("EncryptionContext", {}) if service == "kms" else {}
    named = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {**_conditions(service, action, body, *rest), **named}


_enforce = app._enforce_ses_v2


def _enforce_sender(method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str) -> Any:
    if not path.endswith("/outbound-emails"):
        return _enforce(method, path, headers, body, query, request_id)
    sender = json.loads(body).get("FromEmailAddress", "")
    identity = f"arn:aws:ses:{app.extract_region(headers, query)}:{get_account_id()}:identity/{sender}"
    context = {"ses:FromAddress": sender}
    return app._enforce_data_plane(
        "sesv2",
        "ses:SendEmail",
        headers,
        query,
        request_id,
        resource_arn=identity,
        service_context=context,
    )


_mails = Path.home() / "mails"
_read_mail, _mails_taken = ses_v2._parse_raw_mime, ses_v2._sent_emails_list
_at_hand: list[bytes] = []


def _mail_at_hand(raw: str) -> Any:
    _at_hand[:] = [b64decode(raw)]
    return _read_mail(raw)


def _mail_taken() -> Any:
    # A mail is read, then judged, and only one that is taken is put on this list.
    while _at_hand:
        _mails.mkdir(exist_ok=True)
        (_mails / f"{time.time_ns()}.eml").write_bytes(_at_hand.pop())
    return _mails_taken()


_execute = lambda_svc._execute_function
_attempts: Counter[tuple[str, str]] = Counter()


def _execute_and_hear_out(function: dict[str, Any], event: Any) -> dict[str, Any]:
    result: dict[str, Any] = _execute(function, event)
    record = _first_failed(event, result)
    mapping = None if record is None else _mapping_that_hears_out(record)
    if mapping is None:
        return result
    stream, number = record["eventSourceARN"], record["dynamodb"]["SequenceNumber"]
    position = _position(stream, number)
    _attempts[mapping["UUID"], number] += 1
    if _attempts[mapping["UUID"], number] > mapping.get("MaximumRetryAttempts", math.inf):
        lambda_svc._send_ddb_stream_failure_record(
            mapping, function, [record], stream, result, "RetryAttemptsExhausted"
        )
        position += 1
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = position
    # The poller leaves the position where it is when a batch has failed.
    return {**result, "error": True, "body": {"errorType": "BatchItemFailure", "errorMessage": number}}


def _first_failed(event: Any, result: dict[str, Any]) -> Any:
    records = event.get("Records") if isinstance(event, dict) else None
    if result.get("error") or not records or records[0].get("eventSource") != "aws:dynamodb":
        return None
    answer = result.get("body") or {}
    answer = json.loads(answer) if isinstance(answer, str) else answer
    named = {each.get("itemIdentifier") for each in answer.get("batchItemFailures") or ()}
    failed = [record for record in records if record["dynamodb"]["SequenceNumber"] in named]
    # Whoever names what is not there says that all of it failed.
    return next(iter(failed or records)) if named else None


def _mapping_that_hears_out(record: Any) -> Any:
    for _, _, mapping in lambda_svc._iter_all_esms():
        asks = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ())
        if asks and mapping["EventSourceArn"] == record["eventSourceARN"]:
            return mapping
    return None


def _position(stream: str, number: str) -> int:
    table = stream.split("/stream/", maxsplit=1)[0].rpartition("/")[2]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in dynamodb.stream_live_records(table)]
    start: int = dynamodb.stream_start_position(table)
    return start + numbers.index(number)


_unpacking = threading.Lock()


class _Shared(zipfile.ZipFile):
    """A zip that is unpacked once, however often it is asked to be."""

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        packed = Path(str(self.filename))
        unpacked = Path(gettempdir(), f"unpacked-{sha256(packed.read_bytes()).hexdigest()}")
        with _unpacking:
            if not unpacked.exists():
                draft = unpacked.with_suffix(".draft")
                super().extractall(draft)
                draft.rename(unpacked)
        os.rmdir(path)
        os.symlink(unpacked, path)


if __name__ == "__main__":
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _Shared})
    iam_actions.request_tag_context = _conditions_and_encryption_context
    app._enforce_ses_v2 = _enforce_sender
    ses_v2._parse_raw_mime, ses_v2._sent_emails_list = _mail_at_hand, _mail_taken
    lambda_svc._execute_function = _execute_and_hear_out
    dynamodb.get_state = _tables_and_streams
    dynamodb.load_persisted_state = _load_tables_and_streams
    app.main()
