"""Read the fake gateway's account of a campaign while it grows."""

from threading import Lock

import httpx


class GatewayAccount:
    """The phones that got an SMS of one campaign. Each SMS is fetched once; several threads may ask."""

    def __init__(self, gateway_url: str, campaign_id: str) -> None:
        self._url = f"{gateway_url}/messages"
        self._campaign_id = campaign_id
        self._lock = Lock()
        self._fetched = 0
        self._phones: list[str] = []

    def list_phones(self) -> list[str]:
        """Return the phone of each SMS so far, oldest first."""
        with self._lock:
            answer = httpx.get(self._url, params={"start": self._fetched}, trust_env=False)
            later = answer.raise_for_status().json()
            self._fetched += len(later)
            self._phones += [
                each["to"] for each in later if each["context"].get("campaign_id") == self._campaign_id
            ]
            return list(self._phones)
