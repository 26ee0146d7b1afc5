"""How the domain says no: an exception with a stable code, which `problems` turns into an answer."""

from dataclasses import dataclass
from typing import ClassVar, Self


class Refusal(Exception):
    """A request the domain declines.

    `code` is part of the API; the message is for logs and names no person.
    """

    code: ClassVar[str]
    retry_after_seconds: int | None = None
    """When the very same request may succeed; None if waiting does not help."""

    def with_retry_after(self, seconds: int) -> Self:
        """This refusal, with word of when to send the request again."""
        self.retry_after_seconds = seconds
        return self


@dataclass(frozen=True)
class BrokenRule:
    """One rule that one field breaks: `field` is a dotted path, `code` is stable. Never holds the value."""

    field: str
    code: str


class RulesBroken(Refusal):
    """A well-formed request that breaks rules of the field; `broken` names each of them."""

    code = "rules_broken"

    def __init__(self, *broken_rules: BrokenRule) -> None:
        super().__init__(", ".join(f"{rule.field}: {rule.code}" for rule in broken_rules))
        self.broken_rules = broken_rules


class TryAgain(Refusal):
    """Nothing was stored and nothing is wrong with the request: send it again after `retry_after_seconds`."""

    code = "try_again"

    def __init__(self, reason: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class NotAllowed(Refusal):
    """The caller's roles do not include this act."""

    code = "role_not_allowed"


class CampaignNotAllowed(Refusal):
    """The caller is bound to other campaigns; whether this one exists is not said."""

    code = "campaign_not_yours"
