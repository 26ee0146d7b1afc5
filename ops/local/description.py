"""The description of a running local stack."""

from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True)
class StackDescription:
    """The description of a running local stack: the content of `.local/stack.json`, which other tools read.

    The tokens are valid for every campaign, including later ones.
    """

    api_url: str
    aws_endpoint_url: str
    region: str
    campaign_id: str
    tokens: dict[str, str]
    device_tokens: dict[str, str]
    gateway_url: str
    outputs: dict[str, str]
    mails: str

    def find_token(self, client: str) -> str | None:
        """Return the token of a device or of a role; None if the stack has no such client."""
        return self.device_tokens.get(client) or self.tokens.get(client)

    def fetch_sms(self) -> list[dict[str, str]]:
        """Return the SMS that the fake gateway has received, oldest first."""
        answer = httpx.get(f"{self.gateway_url}/messages", trust_env=False).raise_for_status()
        sms_list: list[dict[str, str]] = answer.json()
        return sms_list

    def list_mails(self) -> list[Path]:
        """Return the files of the mails that were sent (`.eml`), oldest first."""
        return sorted(Path(self.mails).glob("*.eml"))
