"""The description's examples as a story that is really told to an API, and compared with what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app import app
from ops.openapi.document import iter_endpoints
from ops.openapi.examples import Example

# Drawn at random or read from a clock: these are not compared.
_VOLATILE_FIELDS = {
    *("asked_at", "at", "content_hash", "counted_at", "cursor", "done_at", "enrolled_at", "expires_at"),
    *("expires_on", "last_seen_at", "older_tokens_end_at", "received_at", "resume", "rotated_at"),
    *("by_received_day", "received_on"),
    # How far a text has come when it is asked for, nobody knows.
    "texts",
}
# Drawn at random too, but the story goes on to speak of them.
_IDENTIFIER_FIELDS = {"reference", "token"}
# Others may stand in these lists as well, where the story is told to an API that is in use.
_SHARED_LISTS = {"campaigns", "clients"}


@dataclass(frozen=True)
class ScenarioResponse:
    """One answer: its status and, where it has a body, what it holds."""

    status: int
    body: Any


# Sends a request as a client: by whom, method, path, body.
SendRequest = Callable[[str | None, str, str, Any], ScenarioResponse]


class Scenario:
    """One telling. `token_of` holds the tokens that the story itself was given, by client."""

    def __init__(self, send: SendRequest) -> None:
        self._send = send
        self._routes = {each.name: each for each in iter_endpoints(app)}
        self._actual_names: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def send_example(self, example: Example) -> ScenarioResponse:
        """Send an example's request as it is, but for the names that this telling has found out."""
        route = self._routes[example.operation]
        path = route.path
        for name, value in example.path.items():
            path = path.replace(f"{{{name}}}", self._actual_names.get(value, value))
        if example.query:
            path += f"?{urlencode(example.query)}"
        sent = self._send(example.caller, route.method, path, example.body)
        if isinstance(sent.body, Mapping) and "token" in sent.body:
            self.tokens[sent.body["client_id"]] = sent.body["token"]
        return sent

    def compare(self, expected: Any, actual: Any, path: str = "") -> list[str]:
        """Where an answer is not the one that was told."""
        name = path.rpartition(".")[2]
        if name in _VOLATILE_FIELDS:
            return []
        if isinstance(expected, Mapping) and isinstance(actual, Mapping):
            if expected.keys() != actual.keys():
                return [f"{path}: {sorted(expected.keys() ^ actual.keys())}"]
            return [
                each for key in expected for each in self.compare(expected[key], actual[key], f"{path}.{key}")
            ]
        if isinstance(expected, list) and isinstance(actual, list):
            return self._compare_lists(expected, actual, path)
        if name in _IDENTIFIER_FIELDS:
            actual, expected = self._actual_names.setdefault(expected, actual), actual
        return (
            []
            if self._actual_names.get(expected, expected) == actual
            else [f"{path}: {expected!r}, {actual!r}"]
        )

    def _compare_lists(self, expected: list[Any], actual: list[Any], path: str) -> list[str]:
        if path.rpartition(".")[2] in _SHARED_LISTS and path.count(".") == 1:
            return [
                f"{path}: {each} is not there"
                for each in expected
                if all(self.compare(each, other) for other in actual)
            ]
        if len(expected) != len(actual):
            return [f"{path}: {len(actual)} and not {len(expected)}"]
        return [
            each
            for position, (one, other) in enumerate(zip(expected, actual, strict=True))
            for each in self.compare(one, other, f"{path}.{position}")
        ]
