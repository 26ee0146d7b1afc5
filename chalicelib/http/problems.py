"""Problem documents (RFC 9457) for refusals, with a stable `code`, in Indonesian or English.

The codes and their texts are in `problem_texts.py` and `field_texts.py`. No answer repeats a value of the
request. API Gateway's own refusals (no token, unknown route, too many requests) have the same shape:
`infra/gateway_responses.py`.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from chalice.app import Response
from pydantic import ValidationError

from chalicelib.aws.errors import is_transient
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.languages import Language
from chalicelib.refusals import BrokenRule, RecordUnreadable, Refusal, RulesBroken, TokenRevoked, TryAgain
from chalicelib.strict_json import iter_repeated_keys

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

# Our field codes for pydantic's error types.
_FIELD_CODES: Mapping[str, str] = {
    "missing": "field_missing",
    "extra_forbidden": "field_unknown",
    "enum": "value_not_allowed",
    "literal_error": "value_not_allowed",
    "greater_than": "value_out_of_range",
    "greater_than_equal": "value_out_of_range",
    "less_than": "value_out_of_range",
    "less_than_equal": "value_out_of_range",
    "string_too_short": "value_too_short",
    "too_short": "value_too_short",
    "string_too_long": "value_too_long",
    "too_long": "value_too_long",
    "value_not_allowed": "value_not_allowed",
    "value_repeated": "value_repeated",
    "days_out_of_order": "days_out_of_order",
    "campaign_too_long": "campaign_too_long",
    "daily_caps_incomplete": "daily_caps_incomplete",
    "id_looks_personal": "id_looks_personal",
    "role_channel_conflict": "role_channel_conflict",
    "roles_conflict": "roles_conflict",
    "campaign_needed": "campaign_needed",
    "dialect_without_csv": "dialect_without_csv",
}
_WRONG_TYPE_SUFFIX = "_type"
# A hostile body can have tens of thousands of them, and an answer of Lambda has at most 6 MB.
MAX_FIELD_ERRORS = 50
_MAX_REPEATED_FIELDS = 20
_FIELD_NAME = re.compile(r"[a-z_]{1,40}")


def respond_to_error(error: Exception, language: Language) -> Response | None:
    """Return the answer to a refusal, an invalid body or a transient error of AWS; None for our faults."""
    match error:
        case RecordUnreadable():
            return None
        case RulesBroken():
            return respond(
                error.code, language, errors=(describe_rule(rule, language) for rule in error.broken_rules)
            )
        case Refusal():
            return respond(error.code, language, retry_after_seconds=error.retry_after_seconds)
        case ValidationError():
            return _respond_to_validation_error(error, language)
    if is_transient(error):
        return respond(TryAgain.code, language, retry_after_seconds=RETRY_AFTER_SECONDS)
    return None


def respond_to_fault(error: Exception, language: Language) -> Response:
    """Return the answer to a fault of ours, which the caller of this function has logged."""
    return respond(error.code if isinstance(error, RecordUnreadable) else "internal_error", language)


def respond(
    code: str,
    language: Language,
    *,
    errors: Iterable[Mapping[str, str]] = (),
    retry_after_seconds: int | None = None,
) -> Response:
    """Return a problem document for a code of `PROBLEMS`, with the first of its errors."""
    problem = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": "about:blank",
        "code": code,
        "title": problem.english if language == "en" else problem.indonesian,
        "status": problem.status,
    }
    if field_errors := list(islice(errors, MAX_FIELD_ERRORS)):
        body["errors"] = field_errors
    headers: dict[str, Any] = {"Content-Type": CONTENT_TYPE, "Content-Language": language}
    if code == TokenRevoked.code:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return Response(body, headers, problem.status)


def _respond_to_validation_error(error: ValidationError, language: Language) -> Response:
    if error.error_count() == 1 and error.errors(include_input=False)[0]["type"] == "json_invalid":
        return respond("json_malformed", language)
    broken = list_shape_errors(error, limit=MAX_FIELD_ERRORS)
    return respond("body_invalid", language, errors=(describe_rule(rule, language) for rule in broken))


def list_shape_errors(error: ValidationError, *, limit: int | None = None) -> list[BrokenRule]:
    """Return the fields of the wrong shape, each with our code: all, or the first up to a limit."""
    # Neither the input nor pydantic's own message is told: both may hold personal values.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        BrokenRule(
            field=".".join(_format_path_step(step) for step in each["loc"]), code=to_field_code(each["type"])
        )
        for each in found[:limit]
    ]


def find_repeated_fields(document: str) -> list[BrokenRule]:
    """Return a broken rule for each key that a JSON document has twice, up to a maximum.

    Raise ValueError if it is no JSON.
    """
    return [
        BrokenRule(".".join(_format_path_step(step) for step in path), "field_repeated")
        for path in islice(iter_repeated_keys(document), _MAX_REPEATED_FIELDS)
    ]


def name_repeated_fields(names: Iterable[str]) -> list[BrokenRule]:
    """Return a broken rule for each name that a request has twice."""
    return [BrokenRule(_format_path_step(name), "field_repeated") for name in names]


def _format_path_step(step: int | str) -> str:
    # The name of an unknown field comes from the sender, and may hold personal values.
    return str(step) if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "?"


def to_field_code(pydantic_type: str) -> str:
    """Return our stable code for one of pydantic's error types."""
    if pydantic_type in _FIELD_CODES:
        return _FIELD_CODES[pydantic_type]
    return "value_wrong_type" if pydantic_type.endswith(_WRONG_TYPE_SUFFIX) else "value_malformed"


def describe_rule(rule: BrokenRule, language: Language) -> dict[str, str]:
    """Return a broken rule with its message, as it stands in answers."""
    message = FIELD_MESSAGES[rule.code]
    text = message.english if language == "en" else message.indonesian
    if rule.digits is not None:
        text = f"{text} {_describe_digits(rule.digits, language)}"
    return {"field": rule.field, "code": rule.code, "message": text}


def _describe_digits(digits: int, language: Language) -> str:
    if language == "en":
        return f"You typed {digits}."
    return f"Yang diketik {digits} angka."
