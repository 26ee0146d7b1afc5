"""What the emulator's own interpreter runs: ministack, with three things mended.

Ministack saves how far each stream was read, but not the streams. After a restart it would deliver nothing
until as many changes have been made as before it, and never what was waiting when it stopped: registrations
without a text. AWS keeps a stream for a day, whoever restarts. So the streams are saved with their tables.

It does not tell IAM the encryption context of a KMS request, nor whom a mail is from, and so denies whatever
has a condition on them.

Of a mail in raw form it keeps the words and drops the rest. So the mails that it takes are kept as they are,
for anybody to open: `mails/*.eml` in its home.
"""

import json
import time
from base64 import b64decode
from copy import deepcopy
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id
from ministack.services import dynamodb, ses_v2

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


if __name__ == "__main__":
    iam_actions.request_tag_context = _conditions_and_encryption_context
    app._enforce_ses_v2 = _enforce_sender
    ses_v2._parse_raw_mime, ses_v2._sent_emails_list = _mail_at_hand, _mail_taken
    dynamodb.get_state = _tables_and_streams
    dynamodb.load_persisted_state = _load_tables_and_streams
    app.main()
