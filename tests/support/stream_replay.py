"""The stream of the registrations table, made from what changed in the table since the last look."""

from typing import Any, Protocol

from tests.support.aws_events import make_remove_event, make_stream_event
from tests.support.moto_snapshots import list_stored_items

Items = dict[tuple[str, str], dict[str, Any]]


class Functions(Protocol):
    """Invokes the functions of a stage."""

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Return a function's answer to an event."""


class StreamReplay:
    """Invokes the stream publisher with the changes of the registrations table since the last call."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._known = _scan()

    def publish(self, *, times: int = 1) -> None:
        """Publish what changed since the last call, once or several times."""
        current = _scan()
        events = [
            *(make_stream_event(item) for key, item in current.items() if key not in self._known),
            *(
                make_stream_event(item, event_name="MODIFY", old_item=self._known[key])
                for key, item in current.items()
                if key in self._known and self._known[key] != item
            ),
            *(make_remove_event(item) for key, item in self._known.items() if key not in current),
        ]
        self._known = current
        records = [record for event in events for record in event["Records"]]
        for number, record in enumerate(records, start=1):
            record["dynamodb"]["SequenceNumber"] = str(number)
        for _ in range(times):
            answer = self._functions.invoke("on_registration_changes", {"Records": records})
            assert answer == {"batchItemFailures": []}


def _scan() -> Items:
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in list_stored_items("RegistrationsTable")}
