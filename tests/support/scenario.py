"""Send the examples of the OpenAPI document to an API in order, and compare its answers with theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app import app
from ops.openapi.endpoints import iter_endpoints
from ops.openapi.examples import Example
from tests.support.rescue_files import make_content, seal_for

# Random values and times, which are not compared.
_VOLATILE_FIELDS = {
    *(
        "asked_at",
        "at",
        "content_hash",
        "counted_at",
        "cursor",
        "decided_at",
        "done_at",
        "enrolled_at",
        "expires_at",
    ),
    *("expires_on", "last_network", "last_seen_at", "older_tokens_end_at", "received_at", "reported_at"),
    *("resume", "rotated_at", "app_url", "by_received_day", "received_on", "server_time", "occurred_at"),
    *("correlation_id", "url", "odk_qr", "last_capture_at"),
    # The state of an SMS depends on the time of the request.
    *("texts", "confirmation", "sms", "budget_day", "committed"),
}
# Random values that later examples use.
_IDENTIFIER_FIELDS = {"reference", "token"}
# Lists that may have more entries, if the API is used by others too.
_SHARED_LISTS = {"campaigns", "clients", "corrections", "devices"}


@dataclass(frozen=True)
class ScenarioResponse:
    """An answer: its status and, if it has a body, the parsed JSON."""

    status: int
    body: Any


_BUNDLE_PATH = "/v1/campaigns/pasar-contoh-2024/bundle"

# Sends a request: client, method, path, body.
SendRequest = Callable[[str | None, str, str, Any], ScenarioResponse]


class Scenario:
    """A run of the examples. `tokens` has the tokens of clients that the examples enrol."""

    def __init__(self, send: SendRequest) -> None:
        self._send = send
        self._routes = {each.name: each for each in iter_endpoints(app)}
        self._actual_names: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def send_example(self, example: Example) -> ScenarioResponse:
        """Send an example's request, with the identifiers of this run in place of the example's."""
        route = self._routes[example.operation]
        path = route.path
        for name, value in example.path.items():
            path = path.replace(f"{{{name}}}", self._actual_names.get(value, value))
        if example.query:
            path += f"?{urlencode(example.query)}"
        body = self._seal_rescue(example) if example.operation == "take_in_rescue" else example.body
        response = self._send(example.caller, route.method, path, self._fill_in(body))
        if example.operation in {"make_enrolment_code", "make_device"} and example.is_success:
            self._actual_names[example.answer["code"]] = response.body["code"]
        if isinstance(response.body, Mapping) and "token" in response.body:
            self.tokens[response.body["client_id"]] = response.body["token"]
        return response

    def _seal_rescue(self, example: Example) -> dict[str, str]:
        """Return a rescue file without captures: an example cannot be sealed for the key of each stage."""
        client_id = example.answer["client_id"]
        bundle = self._send(client_id, "GET", _BUNDLE_PATH, None).body
        return seal_for(bundle["rescue_key"], make_content([], client_id=client_id))

    def _fill_in(self, body: Any) -> Any:
        """Return a body with the values of this run that earlier answers had."""
        if not isinstance(body, Mapping):
            return body
        return {
            name: self._actual_names.get(value, value) if isinstance(value, str) else value
            for name, value in body.items()
        }

    def compare_answer(self, example: Example, actual: Any) -> list[str]:
        """Return the differences between an example's answer and the actual one.

        Of an excerpt, only what it shows is compared.
        """
        if example.is_excerpt:
            actual = _cut(actual, example.answer)
        return self.compare(example.answer, actual)

    def compare(self, expected: Any, actual: Any, path: str = "") -> list[str]:
        """Return the differences between the expected and the actual answer."""
        name = path.rpartition(".")[2]
        # The version of a bundle is a hash, that of a summary a number.
        if name in _VOLATILE_FIELDS or (name == "version" and isinstance(expected, str)):
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
        if name == "subject":
            kind, _, subject_id = expected.partition(":")
            expected = f"{kind}:{self._actual_names.get(subject_id, subject_id)}"
        return (
            []
            if self._actual_names.get(expected, expected) == actual
            else [f"{path}: {expected!r}, {actual!r}"]
        )

    def _compare_lists(self, expected: list[Any], actual: list[Any], path: str) -> list[str]:
        if path.rpartition(".")[2] in _SHARED_LISTS and path.count(".") == 1:
            return [
                f"{path}: {each} is missing"
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


def _cut(actual: Any, excerpt: Any) -> Any:
    """Return an answer without the entries that an excerpt leaves out."""
    if isinstance(actual, Mapping) and isinstance(excerpt, Mapping):
        return {key: _cut(actual[key], excerpt[key]) for key in excerpt if key in actual}
    if isinstance(actual, list) and isinstance(excerpt, list):
        found = [each for shown in excerpt for each in actual if _cut(each, shown) == shown]
        return [_cut(each, shown) for each, shown in zip(found, excerpt, strict=False)]
    return actual
