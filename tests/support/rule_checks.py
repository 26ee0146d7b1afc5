"""The rules, applied to a capture, and the codes of those that it breaks."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.campaigns.model import Campaign
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problems import to_field_code
from chalicelib.refusals import RulesBroken
from chalicelib.registrations import rules
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.worker import Worker
from tests.support.builders import NOW, make_submission
from tests.support.payloads import make_campaign_payload


def read_worker(
    *,
    now: datetime = NOW,
    campaign: dict[str, Any] | None = None,
    age_limits: AgeLimits = AgeLimits(),  # noqa: B008 - frozen
    **capture: Any,
) -> Worker:
    """Return the worker whom a capture registers."""
    opened = Campaign.model_validate(make_campaign_payload(**(campaign or {})))
    cleaned = CleanedCapture.from_command(make_submission(**capture))
    return rules.read_worker(cleaned, opened, now=now, age_limits=age_limits)


def find_broken_rules(**read_arguments: Any) -> list[str]:
    """Return the rules that a capture breaks, each as `field: code`."""
    with pytest.raises(RulesBroken) as refused:
        read_worker(**read_arguments)
    # Each has a message in both languages.
    assert {rule.code for rule in refused.value.broken_rules} <= set(FIELD_MESSAGES)
    return [f"{rule.field}: {rule.code}" for rule in refused.value.broken_rules]


def find_shape_errors(**capture: Any) -> list[tuple[str, str]]:
    """Return the fields of a capture with the wrong shape, each with the code in the answer."""
    with pytest.raises(ValidationError) as refused:
        make_submission(**capture)
    return [
        (".".join(str(step) for step in each["loc"]), to_field_code(each["type"]))
        for each in refused.value.errors()
    ]
