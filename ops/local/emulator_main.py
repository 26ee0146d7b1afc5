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

_STREAM_STATE = {"stream_records": dynamodb._stream_records, "stream_trimmed": dynamodb._stream_trimmed}

_original_get_state = dynamodb.get_state
_original_load_state = dynamodb.load_persisted_state


def _get_state_with_streams() -> dict[str, Any]:
    return {**_original_get_state(), **{name: deepcopy(stream) for name, stream in _STREAM_STATE.items()}}


def _load_state_with_streams(state: dict[str, Any]) -> None:
    _original_load_state(state)
    for name, stream in _STREAM_STATE.items():
        stream.update(state.get(name, {}))


_original_request_context = iam_actions.request_tag_context


def _add_encryption_context(service: str, action: str, body: bytes, *rest: Any) -> dict[str, Any]:
    context = json.loads(body or b"{}").get("EncryptionContext", {}) if service == "kms" else {}
    named = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {**_original_request_context(service, action, body, *rest), **named}


_original_enforce_ses = app._enforce_ses_v2


def _enforce_ses_sender(
    method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str
) -> Any:
    if not path.endswith("/outbound-emails"):
        return _original_enforce_ses(method, path, headers, body, query, request_id)
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


_MAILS_DIR = Path.home() / "mails"
_original_parse_mime, _original_sent_emails = ses_v2._parse_raw_mime, ses_v2._sent_emails_list
_pending_mails: list[bytes] = []


def _parse_and_keep_mime(raw: str) -> Any:
    _pending_mails[:] = [b64decode(raw)]
    return _original_parse_mime(raw)


def _store_sent_mails() -> Any:
    # A mail is read, then judged, and only one that is taken is put on this list.
    while _pending_mails:
        _MAILS_DIR.mkdir(exist_ok=True)
        (_MAILS_DIR / f"{time.time_ns()}.eml").write_bytes(_pending_mails.pop())
    return _original_sent_emails()


_original_execute = lambda_svc._execute_function
_attempt_counts: Counter[tuple[str, str]] = Counter()


def _execute_with_partial_failures(function: dict[str, Any], event: Any) -> dict[str, Any]:
    result: dict[str, Any] = _original_execute(function, event)
    record = _find_first_failed(event, result)
    mapping = None if record is None else _find_partial_failure_mapping(record)
    if mapping is None:
        return result
    stream, number = record["eventSourceARN"], record["dynamodb"]["SequenceNumber"]
    position = _find_stream_position(stream, number)
    _attempt_counts[mapping["UUID"], number] += 1
    if _attempt_counts[mapping["UUID"], number] > mapping.get("MaximumRetryAttempts", math.inf):
        lambda_svc._send_ddb_stream_failure_record(
            mapping, function, [record], stream, result, "RetryAttemptsExhausted"
        )
        position += 1
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = position
    # The poller leaves the position where it is when a batch has failed.
    return {**result, "error": True, "body": {"errorType": "BatchItemFailure", "errorMessage": number}}


def _find_first_failed(event: Any, result: dict[str, Any]) -> Any:
    records = event.get("Records") if isinstance(event, dict) else None
    if result.get("error") or not records or records[0].get("eventSource") != "aws:dynamodb":
        return None
    answer = result.get("body") or {}
    answer = json.loads(answer) if isinstance(answer, str) else answer
    named = {each.get("itemIdentifier") for each in answer.get("batchItemFailures") or ()}
    failed = [record for record in records if record["dynamodb"]["SequenceNumber"] in named]
    # Whoever names what is not there says that all of it failed.
    return next(iter(failed or records)) if named else None


def _find_partial_failure_mapping(record: Any) -> Any:
    for _, _, mapping in lambda_svc._iter_all_esms():
        asks = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ())
        if asks and mapping["EventSourceArn"] == record["eventSourceARN"]:
            return mapping
    return None


def _find_stream_position(stream: str, sequence_number: str) -> int:
    table = stream.split("/stream/", maxsplit=1)[0].rpartition("/")[2]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in dynamodb.stream_live_records(table)]
    start: int = dynamodb.stream_start_position(table)
    return start + numbers.index(sequence_number)


_unpack_lock = threading.Lock()


class _SharedZipFile(zipfile.ZipFile):
    """A zip that is unpacked once, however often it is asked to be."""

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        packed = Path(str(self.filename))
        unpacked = Path(gettempdir(), f"unpacked-{sha256(packed.read_bytes()).hexdigest()}")
        with _unpack_lock:
            if not unpacked.exists():
                draft = unpacked.with_suffix(".draft")
                super().extractall(draft)
                draft.rename(unpacked)
        os.rmdir(path)
        os.symlink(unpacked, path)


if __name__ == "__main__":
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _SharedZipFile})
    iam_actions.request_tag_context = _add_encryption_context
    app._enforce_ses_v2 = _enforce_ses_sender
    ses_v2._parse_raw_mime, ses_v2._sent_emails_list = _parse_and_keep_mime, _store_sent_mails
    lambda_svc._execute_function = _execute_with_partial_failures
    dynamodb.get_state = _get_state_with_streams
    dynamodb.load_persisted_state = _load_state_with_streams
    app.main()
