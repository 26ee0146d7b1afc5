"""Calling Daftar's API as a device does: again and again until it has answered for good."""

import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

_MAX_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.25
_MAX_PAUSE_SECONDS = 15.0
_MAX_RETRY_AFTER_SECONDS = 60
_TIMEOUT_SECONDS = 35


class ApiUnavailable(Exception):
    """The API could not be reached, or put us off, until we gave up."""


class ApiClient:
    """The API with one client's token. Every request may be repeated: the API makes that safe."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._sleep = sleep
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
        )
        self._url = url

    def send(self, method: str, path: str, body: str | bytes | None = None) -> httpx.Response:
        """The definite answer: success, or a refusal that sending again will not change. Raises ApiUnavailable."""
        because = ""
        for attempt in range(_MAX_ATTEMPTS):
            seconds = min(_FIRST_PAUSE_SECONDS * 2**attempt, _MAX_PAUSE_SECONDS)
            try:
                response = self._http.request(method, f"{self._url}{path}", content=body)
            except httpx.TransportError as error:
                because = type(error).__name__
            else:
                if not _is_transient(response):
                    return response
                because = f"status {response.status_code}"
                seconds = _retry_pause_seconds(response) or seconds
            self._sleep(seconds)
        raise ApiUnavailable(f"{method} {path}: {because}, {_MAX_ATTEMPTS} times")

    def close(self) -> None:
        """Let its connections go."""
        self._http.close()


def _is_transient(response: httpx.Response) -> bool:
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        # A day's cap is as definite as any refusal: nobody waits here for tomorrow.
        return _retry_after_seconds(response) <= _MAX_RETRY_AFTER_SECONDS
    return response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR


def _retry_pause_seconds(response: httpx.Response) -> float | None:
    return min(_retry_after_seconds(response), _MAX_PAUSE_SECONDS) or None


def _retry_after_seconds(response: httpx.Response) -> float:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0
