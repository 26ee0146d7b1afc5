"""The description's examples as a story that is really told to an API, and compared with what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app import app
from ops.openapi.document import every_endpoint
from ops.openapi.examples import Example

# Drawn at random or read from a clock: these are not compared.
_VARYING = {
    *("asked_at", "at", "content_hash", "counted_at", "cursor", "done_at", "enrolled_at", "expires_at"),
    *("expires_on", "last_seen_at", "older_tokens_end_at", "received_at", "resume", "rotated_at"),
    *("by_received_day", "received_on"),
    # How far a text has come when it is asked for, nobody knows.
    "texts",
}
# Drawn at random too, but the story goes on to speak of them.
_NAMES = {"reference", "token"}
# Others may stand in these lists as well, where the story is told to an API that is in use.
_LISTS_OF_ALL = {"campaigns", "clients"}


@dataclass(frozen=True)
class Sent:
    """One answer: its status and, where it has a body, what it holds."""

    status: int
    body: Any


# Sends a request as a client: by whom, method, path, body.
Send = Callable[[str | None, str, str, Any], Sent]


class Story:
    """One telling. `token_of` holds the tokens that the story itself was given, by client."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._routes = {each.name: each for each in every_endpoint(app)}
        self._called: dict[str, str] = {}
        self.token_of: dict[str, str] = {}

    def ask(self, example: Example) -> Sent:
        """Send an example's request as it is, but for the names that this telling has found out."""
        route = self._routes[example.operation]
        path = route.path
        for name, value in example.path.items():
            path = path.replace(f"{{{name}}}", self._called.get(value, value))
        if example.query:
            path += f"?{urlencode(example.query)}"
        sent = self._send(example.by, route.method, path, example.body)
        if isinstance(sent.body, Mapping) and "token" in sent.body:
            self.token_of[sent.body["client_id"]] = sent.body["token"]
        return sent

    def differences(self, told: Any, found: Any, at: str = "") -> list[str]:
        """Where an answer is not the one that was told."""
        name = at.rpartition(".")[2]
        if name in _VARYING:
            return []
        if isinstance(told, Mapping) and isinstance(found, Mapping):
            if told.keys() != found.keys():
                return [f"{at}: {sorted(told.keys() ^ found.keys())}"]
            return [each for key in told for each in self.differences(told[key], found[key], f"{at}.{key}")]
        if isinstance(told, list) and isinstance(found, list):
            return self._in_lists(told, found, at)
        if name in _NAMES:
            found, told = self._called.setdefault(told, found), found
        return [] if self._called.get(told, told) == found else [f"{at}: {told!r}, {found!r}"]

    def _in_lists(self, told: list[Any], found: list[Any], at: str) -> list[str]:
        if at.rpartition(".")[2] in _LISTS_OF_ALL and at.count(".") == 1:
            return [
                f"{at}: {each} is not there"
                for each in told
                if all(self.differences(each, other) for other in found)
            ]
        if len(told) != len(found):
            return [f"{at}: {len(found)} and not {len(told)}"]
        return [
            each
            for position, (one, other) in enumerate(zip(told, found, strict=True))
            for each in self.differences(one, other, f"{at}.{position}")
        ]
