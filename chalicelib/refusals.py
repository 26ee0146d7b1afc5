"""Refusals: exceptions with a stable code, by which the domain declines a request."""

from typing import ClassVar, Self

from chalicelib.values import Value


class Refusal(Exception):
    """A request that the domain declines.

    `code` is part of the API. The message is for logs and holds nothing personal.
    """

    code: ClassVar[str]
    retry_after_seconds: int | None = None
    """Seconds after which the same request may succeed; None if waiting does not help."""

    def with_retry_after(self, seconds: int) -> Self:
        """Set the seconds after which to send the request again, and return this refusal."""
        self.retry_after_seconds = seconds
        return self


class BrokenRule(Value):
    """A rule that a field breaks: `field` is a dotted path, `code` is stable. Never holds the value.

    `digits` is the number of digits that the person typed, where the message tells it.
    """

    field: str
    code: str
    digits: int | None = None


class RulesBroken(Refusal):
    """A well-formed request that breaks rules of registration; `broken_rules` names each of them."""

    code = "rules_broken"

    def __init__(self, *broken_rules: BrokenRule) -> None:
        super().__init__(", ".join(f"{rule.field}: {rule.code}" for rule in broken_rules))
        self.broken_rules = broken_rules


class FieldsRepeated(RulesBroken):
    """A request that names a field twice: the sender and the reader may each mean another of its values."""

    code = "body_invalid"


class TryAgain(Refusal):
    """Nothing was stored, and the request is valid: it may be sent again after `retry_after_seconds`."""

    code = "try_again"

    def __init__(self, reason: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class RecordUnreadable(Refusal):
    """A stored record that cannot be opened or parsed.

    `record` is its key, `reason` the type of the error: neither holds anything personal.
    """

    code = "record_unreadable"

    def __init__(self, record: str, *, reason: str) -> None:
        super().__init__(f"{record}: {reason}")
        self.record = record
        self.reason = reason


class NotAllowed(Refusal):
    """The caller has none of the roles that may do this."""

    code = "role_not_allowed"


class CampaignNotAllowed(Refusal):
    """The caller works for other campaigns; the answer does not reveal if this one exists."""

    code = "campaign_not_yours"


class TokenRevoked(Refusal):
    """The token was revoked, or has expired."""

    code = "token_revoked"
