"""The description of a running local stack."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx

from ops.errors import StackUnavailable


@dataclass(frozen=True)
class StackDescription:
    """The description of a running local stack: the content of `.local/stack.json`, which other tools read.

    The tokens are valid for every campaign, including later ones.
    """

    api_url: str
    app_url: str
    console_url: str
    odk_url: str
    aws_endpoint_url: str
    region: str
    campaign_id: str
    tokens: dict[str, str]
    device_tokens: dict[str, str]
    gateway_url: str
    chat_url: str
    outputs: dict[str, str]
    mails: str

    @classmethod
    def from_file(cls, file: Path) -> "StackDescription":
        """Read a description. Raise StackUnavailable if it is damaged, or written by another version."""
        try:
            return cls(**json.loads(file.read_bytes()))
        except (ValueError, TypeError):
            raise StackUnavailable(
                f"{file} cannot be read: daftar down, then daftar up writes it anew"
            ) from None

    @property
    def port(self) -> int | None:
        """Return the port of the emulator; None if the URL has none."""
        return httpx.URL(self.aws_endpoint_url).port

    def find_token(self, client: str) -> str | None:
        """Return the token of a device or of a role; None if the stack has no such client."""
        return self.device_tokens.get(client) or self.tokens.get(client)

    def fetch_sms(self) -> list[dict[str, str]]:
        """Return the SMS that the fake gateway has received, oldest first. Raise StackUnavailable."""
        try:
            answer = httpx.get(f"{self.gateway_url}/messages", trust_env=False).raise_for_status()
            sms_list: list[dict[str, str]] = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise StackUnavailable(
                "the fake SMS gateway does not answer: daftar down, then daftar up starts it again"
            ) from None
        return sms_list

    def list_mails(self) -> list[Path]:
        """Return the files of the mails that were sent (`.eml`), oldest first."""
        return sorted(Path(self.mails).glob("*.eml"))
