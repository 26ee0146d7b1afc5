"""What the emulator's own interpreter runs: ministack, with two things mended.

Ministack saves how far each stream was read, but not the streams. After a restart it would deliver nothing
until as many changes have been made as before it, and never what was waiting when it stopped: registrations
without a text. AWS keeps a stream for a day, whoever restarts. So the streams are saved with their tables.

It does not tell IAM the encryption context of a KMS request, and so denies whatever has a condition on it.
"""

import json
from copy import deepcopy
from typing import Any

from ministack.app import main
from ministack.core import iam_actions
from ministack.services import dynamodb

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


if __name__ == "__main__":
    iam_actions.request_tag_context = _conditions_and_encryption_context
    dynamodb.get_state = _tables_and_streams
    dynamodb.load_persisted_state = _load_tables_and_streams
    main()
