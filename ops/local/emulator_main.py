"""Run ministack, in its own interpreter, with corrections where it differs from AWS.

- Streams: ministack saves the positions of stream readers but not the streams, so after a restart it delivers
  nothing that waited, and nothing new for a while. AWS keeps records for a day. The streams are saved with
  their tables.
- IAM: it does not evaluate the encryption context of a KMS request or the sender of a mail, and so denies
  every statement with such a condition. Both are added to the request's context.
- KMS: it has no ReEncrypt, by which `daftar restore --into` moves data keys.
- Raw mails: it keeps their text only. Each accepted mail is also written to `mails/*.eml` in its home.
- Partial failures of a stream batch: it continues after the last record whatever the function reports, and
  repeats a batch whose function raises for ever. Lambda continues at the first failed record, and gives a
  record up after the maximum number of attempts.
- Memory: it keeps every item, record and log line, so that a full collection of garbage would stop it for
  seconds once it holds 100,000 registrations. Only young objects are collected.
- Conditions: it parses a query's condition anew for each row of the partition, whatever the page is, so that
  a page of a day of 10,000 held up everything else. Each text is parsed once.
- Zips: it unpacks a function's zip for each worker and blocks meanwhile. With 50 workers at once, functions
  had time-outs at their tables. All workers share one unpacked copy.

The private names that it uses are listed in `ops/library_patches.py`.
"""

import gc
import json
import math
import os
import threading
import time
import zipfile
from base64 import b64decode
from collections import Counter
from copy import deepcopy
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import dynamodb, kms, lambda_svc, ses_v2

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
    keys = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {**_original_request_context(service, action, body, *rest), **keys}


_original_handle_kms = kms.handle_request


async def _handle_kms(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
    if not headers.get("x-amz-target", "").endswith(".ReEncrypt"):
        return await _original_handle_kms(method, path, headers, body, query)
    wanted = json.loads(body)
    opened = kms._decrypt(
        {
            "CiphertextBlob": wanted["CiphertextBlob"],
            "KeyId": wanted.get("SourceKeyId", ""),
            "EncryptionContext": wanted.get("SourceEncryptionContext", {}),
        }
    )
    if opened[0] != HTTPStatus.OK:
        return opened
    return kms._encrypt(
        {
            "Plaintext": json.loads(opened[2])["Plaintext"],
            "KeyId": wanted["DestinationKeyId"],
            "EncryptionContext": wanted.get("DestinationEncryptionContext", {}),
        }
    )


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
    # A mail is parsed, then checked; only an accepted one is put on this list.
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
    stream, sequence_number = record["eventSourceARN"], record["dynamodb"]["SequenceNumber"]
    position = _find_stream_position(stream, sequence_number)
    _attempt_counts[mapping["UUID"], sequence_number] += 1
    if _attempt_counts[mapping["UUID"], sequence_number] > mapping.get("MaximumRetryAttempts", math.inf):
        lambda_svc._send_ddb_stream_failure_record(
            mapping, function, [record], stream, result, "RetryAttemptsExhausted"
        )
        position += 1
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = position
    # The poller does not move the position after a failed batch.
    return {
        **result,
        "error": True,
        "body": {"errorType": "BatchItemFailure", "errorMessage": sequence_number},
    }


def _find_first_failed(event: Any, result: dict[str, Any]) -> Any:
    records = event.get("Records") if isinstance(event, dict) else None
    if result.get("error") or not records or records[0].get("eventSource") != "aws:dynamodb":
        return None
    response = result.get("body") or {}
    response = json.loads(response) if isinstance(response, str) else response
    failed_ids = {each.get("itemIdentifier") for each in response.get("batchItemFailures") or ()}
    failed = [record for record in records if record["dynamodb"]["SequenceNumber"] in failed_ids]
    # An unknown id means that the whole batch failed.
    return next(iter(failed or records)) if failed_ids else None


def _find_partial_failure_mapping(record: Any) -> Any:
    for _, _, mapping in lambda_svc._iter_all_esms():
        reports_failures = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ())
        if reports_failures and mapping["EventSourceArn"] == record["eventSourceARN"]:
            return mapping
    return None


def _find_stream_position(stream: str, sequence_number: str) -> int:
    table = stream.split("/stream/", maxsplit=1)[0].rpartition("/")[2]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in dynamodb.stream_live_records(table)]
    start: int = dynamodb.stream_start_position(table)
    return start + numbers.index(sequence_number)


_KEPT_EXPRESSIONS = 1_000

_find_syntax_error = lru_cache(_KEPT_EXPRESSIONS)(dynamodb._condition_syntax_error)
_find_tokens = lru_cache(_KEPT_EXPRESSIONS)(dynamodb._tokenize)


def _list_tokens(expression: str) -> list[Any]:
    # A copy, so that no caller can change what is kept.
    return list(_find_tokens(expression))


_unpack_lock = threading.Lock()


class _SharedZipFile(zipfile.ZipFile):
    """A zip that is unpacked once; later calls link to that copy."""

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


# Of Python's three generations, the oldest is collected so seldom that it never is.
_COLLECTION_THRESHOLDS = (10_000, 20, 1_000_000)


if __name__ == "__main__":
    gc.set_threshold(*_COLLECTION_THRESHOLDS)
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _SharedZipFile})
    iam_actions.request_tag_context = _add_encryption_context
    app._enforce_ses_v2 = _enforce_ses_sender
    kms.handle_request = _handle_kms
    ses_v2._parse_raw_mime, ses_v2._sent_emails_list = _parse_and_keep_mime, _store_sent_mails
    lambda_svc._execute_function = _execute_with_partial_failures
    dynamodb._condition_syntax_error, dynamodb._tokenize = _find_syntax_error, _list_tokens
    dynamodb.get_state = _get_state_with_streams
    dynamodb.load_persisted_state = _load_state_with_streams
    app.main()
