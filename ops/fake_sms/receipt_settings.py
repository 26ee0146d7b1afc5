"""Settings of the fake gateway's receipts."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.fake_sms.faults import InvalidSettings, describe_errors

ReceiptOrder = Literal["normal", "late", "twice", "reversed", "never"]
ReceiptState = Literal["sent", "delivered", "failed"]

_DEFAULT_DELAY_SECONDS = 0.05
_LATE_DELAY_SECONDS = 5.0


class ReceiptSettings(BaseModel):
    """The settings of receipts.

    `final` is the last state of each SMS. AWS's events need a topic and the endpoint of its SNS. Callbacks to
    `public_url`, a host that does not resolve here, are sent to `api_url`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: list[ReceiptOrder] = ["normal"]
    seconds: float = Field(default=_LATE_DELAY_SECONDS, ge=0, le=3600)
    final: Literal["delivered", "failed"] = "delivered"
    topic_arn: str = ""
    endpoint_url: str = ""
    public_url: str = ""
    api_url: str = ""

    def with_changes(self, body: bytes) -> "ReceiptSettings":
        """Return the settings with the changes of a JSON object. Raise InvalidSettings."""
        try:
            changes = json.loads(body)
        except ValueError:
            raise InvalidSettings("the body is not JSON") from None
        if not isinstance(changes, dict):
            raise InvalidSettings("the body is not an object")
        if isinstance(changes.get("order"), str):
            changes["order"] = [changes["order"]]
        try:
            return ReceiptSettings.model_validate({**self.model_dump(), **changes})
        except ValidationError as error:
            raise InvalidSettings(describe_errors(error)) from None

    def plan(self) -> list[tuple[float, ReceiptState]]:
        """Return the states to report, each with its delay in seconds after the SMS was accepted."""
        if "never" in self.order:
            return []
        states: list[ReceiptState] = ["sent", self.final]
        if "reversed" in self.order:
            states.reverse()
        if "twice" in self.order:
            states = [state for state in states for _ in range(2)]
        first = self.seconds if "late" in self.order else _DEFAULT_DELAY_SECONDS
        return [(first + nth * _DEFAULT_DELAY_SECONDS, state) for nth, state in enumerate(states)]
