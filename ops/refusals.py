"""Refusals of the API, as one readable line for people and as values for programs."""

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class ApiRefusal:
    """A problem document: the status, the code, the title and the invalid fields.

    Each field has `field` (empty for the whole body), `code` and `message`.
    """

    status: int
    code: str
    title: str
    fields: tuple[dict[str, str], ...] = ()

    @classmethod
    def from_response(cls, response: httpx.Response) -> "ApiRefusal":
        """Read the refusal. Without a problem document its code is the status."""
        try:
            problem = response.json()
            return cls(
                status=response.status_code,
                code=str(problem["code"]),
                title=str(problem.get("title", "The API refuses it.")),
                fields=tuple(_parse_field(each) for each in problem.get("errors", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            status = response.status_code
            return cls(status, f"status {status}", "The API answered with no problem document.")

    @property
    def outcome(self) -> str:
        """Return the codes of the invalid fields or, if there are none, the code of the problem."""
        return " + ".join(sorted({each["code"] for each in self.fields})) or self.code

    def __str__(self) -> str:
        fields = [
            f"{name}: {each['message']} ({each['code']})"
            if (name := each["field"])
            else f"{each['message']} ({each['code']})"
            for each in self.fields
        ]
        return "; ".join([f"{self.title} ({self.code})", *fields])


def _parse_field(error: dict[str, Any]) -> dict[str, str]:
    return {name: str(error[name]) for name in ("field", "code", "message")}
