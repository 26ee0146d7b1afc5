"""What the emulator's own interpreter runs: ministack, with one thing mended.

Ministack saves how far each stream was read, but not the streams. After a restart it would deliver nothing
until as many changes have been made as before it, and never what was waiting when it stopped: registrations
without a text. AWS keeps a stream for a day, whoever restarts. So the streams are saved with their tables.
"""

from copy import deepcopy
from typing import Any

from ministack.app import main
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


if __name__ == "__main__":
    dynamodb.get_state = _tables_and_streams
    dynamodb.load_persisted_state = _load_tables_and_streams
    main()
