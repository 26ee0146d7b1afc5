"""Call Daftar's API as a device does: with retries until there is a definite answer."""

from collections.abc import Callable
from http import HTTPStatus
from threading import Event

import httpx

from ops.errors import OperationError

_MAX_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.25
_MAX_PAUSE_SECONDS = 15.0
_MAX_RETRY_AFTER_SECONDS = 60
_TIMEOUT_SECONDS = 35


class ApiUnavailable(OperationError):
    """The API gave no definite answer after all attempts."""

    default_code = "api_unavailable"


class ApiClient:
    """The API with one client's token. It repeats requests, which the API makes safe.

    Answers are in `language` if it is given. After `interrupt`, a request ends without a further attempt.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        language: str | None = None,
        max_attempts: int = _MAX_ATTEMPTS,
        sleep: Callable[[float], object] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._interrupted = Event()
        self._sleep = sleep or self._interrupted.wait
        self._max_attempts = max_attempts
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._http = httpx.Client(
            headers=headers | ({"Accept-Language": language} if language else {}),
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
        )
        self._url = url

    def send(self, method: str, path: str, body: str | bytes | None = None) -> httpx.Response:
        """Return a success or a refusal that a retry would not change. Raise ApiUnavailable."""
        cause, seconds = "", 0.0
        for attempt in range(self._max_attempts):
            if attempt:
                self._sleep(seconds)
            if self._interrupted.is_set():
                raise ApiUnavailable(f"{method} {path}: interrupted")
            seconds = min(_FIRST_PAUSE_SECONDS * 2**attempt, _MAX_PAUSE_SECONDS)
            try:
                response = self._http.request(method, f"{self._url}{path}", content=body)
            except httpx.TransportError as error:
                cause = type(error).__name__
            else:
                if not _is_transient(response):
                    return response
                cause = f"status {response.status_code}"
                seconds = _retry_pause_seconds(response) or seconds
        raise ApiUnavailable(f"the API does not answer. {method} {path}: {cause}, {self._max_attempts} times")

    def interrupt(self) -> None:
        """Make no further attempts. Another thread may call it."""
        self._interrupted.set()

    def close(self) -> None:
        self._http.close()


def _is_transient(response: httpx.Response) -> bool:
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        # A daily cap is a definite refusal: its Retry-After names the next day.
        return _retry_after_seconds(response) <= _MAX_RETRY_AFTER_SECONDS
    return response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR


def _retry_pause_seconds(response: httpx.Response) -> float | None:
    return min(_retry_after_seconds(response), _MAX_PAUSE_SECONDS) or None


def _retry_after_seconds(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0
