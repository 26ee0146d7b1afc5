"""Hooks of schemathesis: the token of each request, the records that requests may change, and valid requests.

They run in schemathesis' own process. The test that starts it passes the context in an environment variable.
"""

import json
import os
import re
from itertools import count
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation

from tests.support.payloads import make_capture_id, make_nik

FUZZ_CONTEXT: dict[str, Any] = json.loads(os.environ["DAFTAR_FUZZ_CONTEXT"])

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")
_REFERENCE = re.compile(r"[0-9A-Z]{3}(-[0-9A-Z]{3}){2}")

# A district of NIKs that no other test uses.
_DISTRICT = "940303"
_NUMBERS = count()

# Rules over several fields, which a JSON schema cannot express.
_CROSS_FIELD_CODES = {
    *("days_out_of_order", "campaign_too_long", "daily_caps_incomplete", "role_channel_conflict"),
    *("dialect_without_csv", "campaign_needed", "roles_conflict", "value_repeated"),
}


@schemathesis.auth(refresh_interval=None)
class RoleTokenAuth:
    """Uses a token of each allowed role in turn, and none for public operations."""

    _role_counter = count()

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
        security = case.operation.definition.raw["security"]
        roles = [role for each in security for role in each["bearer"]]
        return str(FUZZ_CONTEXT["tokens"][roles[next(self._role_counter) % len(roles)]]) if roles else ""

    def set(self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext) -> None:
        if data:
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Restrict a request to this test's own records, and make some well-formed requests valid."""
    if case.operation.method.upper() != "GET":
        _use_own_records(_operation_id(case), case.path_parameters)
    if case.meta is None or not case.meta.is_negative_at(ParameterLocation.BODY):
        case.body = _normalize_integers(case.body)
        _make_valid(case)
        _use_own_names(case)


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], response: schemathesis.Response
) -> None:
    """Store the references of workers registered by these requests."""
    if _operation_id(case) == "submit_registration" and response.status_code == 201:
        FUZZ_CONTEXT["references"].append(response.json()["reference"])


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """Accept a refusal of a well-formed request, unless its body or query cannot be parsed.

    Accept that a request without its optional body is answered.

    The description says little of what ODK Collect sends: there, any refusal will do.
    """
    if "negative_data_rejection" in failure.checks:
        # A body may be so wrong that nothing of it is sent; where it is optional, that is no wrong request.
        described = case.operation.definition.raw.get("requestBody", {})
        return bool(response.request.body or described.get("required", True))
    if "positive_data_acceptance" not in failure.checks:
        return True
    if case.operation.path.startswith("/odk/"):
        return False
    problem = response.json()
    error_codes = {error["code"] for error in problem.get("errors", ())}
    return problem["code"] == "body_invalid" and not error_codes <= _CROSS_FIELD_CODES


def _operation_id(case: schemathesis.Case[Any]) -> str:
    return str(case.operation.definition.raw["operationId"])


def _use_own_records(operation: str, path: dict[str, Any]) -> None:
    if _ID.fullmatch(str(path.get("campaign_id", ""))):
        path["campaign_id"] = FUZZ_CONTEXT["campaign_id"]
    if _ID.fullmatch(str(path.get("client_id", ""))):
        path["client_id"] = (
            FUZZ_CONTEXT["to_revoke"] if operation == "revoke_client" else FUZZ_CONTEXT["client_id"]
        )
    if (
        _REFERENCE.fullmatch(str(path.get("reference", "")))
        and path["reference"] not in FUZZ_CONTEXT["references"]
    ):
        path["reference"] = FUZZ_CONTEXT["references"][0]


def _normalize_integers(value: Any) -> Any:
    """Write integral numbers without a fraction: the API refuses 1.0, a JSON schema accepts it."""
    if isinstance(value, dict):
        return {name: _normalize_integers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_normalize_integers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _make_valid(case: schemathesis.Case[Any]) -> None:
    """Make every second request valid."""
    if next(_NUMBERS) % 2:
        return
    operation = _operation_id(case)
    path, query, body = case.path_parameters, case.query, case.body
    for name in path.keys() & {"campaign_id", "capture_id", "day", "file", "folder", "release"}:
        path[name] = FUZZ_CONTEXT[name]
    if "reference" in path:
        path["reference"] = (
            FUZZ_CONTEXT["to_cancel"] if operation == "cancel_registration" else FUZZ_CONTEXT["references"][0]
        )
    if "client_id" in path:
        path["client_id"] = (
            FUZZ_CONTEXT["to_revoke"] if operation == "revoke_client" else FUZZ_CONTEXT["client_id"]
        )
    if operation == "list_registrations":
        query.update(campaign_id=FUZZ_CONTEXT["campaign_id"], day=FUZZ_CONTEXT["day"])
        query.pop("cursor", None)
    if operation == "show_rates":
        query.update(day=FUZZ_CONTEXT["day"])
    if isinstance(body, dict):
        _make_body_valid(operation, body)


def _use_own_names(case: schemathesis.Case[Any]) -> None:
    """Give new clients ids that no other test uses, and restrict data requests to this test's workers."""
    if isinstance(case.body, dict) and _ID.fullmatch(str(case.body.get("client_id", ""))):
        case.body["client_id"] = f"{FUZZ_CONTEXT['campaign_id']}-{case.body['client_id']}"[:64].rstrip("-")
    if isinstance(case.body, dict) and isinstance(case.body.get("nik"), str):
        number = next(_NUMBERS) % 400
        case.body["nik"] = make_nik(1 + number, district_code=_DISTRICT)
        case.body["request_id"] = make_capture_id(9_200_000 + number)


def _make_body_valid(operation: str, body: dict[str, Any]) -> None:
    match operation:
        case "submit_registration":
            _make_capture_valid(body)
        case "ask_for_quote":
            body |= {"occupations": ["porter"], "programmes": ["JKK", "JKM"], "employs_others": False}
            body |= {"start_month": "2024-10"}
        case "enrol_client":
            body |= {"roles": ["manager"], "channel": None, "expires_at": None}
        case "make_enrolment_code":
            body |= {"mode": None, "reusable": False, "expires_at": None}
        case "open_campaign":
            # From a fixed list: the second request for one is refused.
            body["campaign_id"] = FUZZ_CONTEXT["to_open"][next(_NUMBERS) % len(FUZZ_CONTEXT["to_open"])]
            body |= {
                "first_day": FUZZ_CONTEXT["day"],
                "last_day": FUZZ_CONTEXT["day"],
                "accepts_until": "2999-12-31",
            }
        case "change_campaign":
            body |= {"last_day": FUZZ_CONTEXT["day"], "accepts_until": "2999-12-31"}


def _make_capture_valid(body: dict[str, Any]) -> None:
    number = next(_NUMBERS) % 400
    body |= {
        "campaign_id": FUZZ_CONTEXT["campaign_id"],
        "captured_at": f"{FUZZ_CONTEXT['day']}T09:00:00+07:00",
    }
    body["capture_id"] = make_capture_id(9_100_000 + number)
    body["worker"] |= {
        "nik": make_nik(1 + number, district_code=_DISTRICT),
        "name": "Melati Kusumawati",
        "birth_date": "1985-04-12",
        "phone": f"0824-5553-{1000 + number}",
        "postal_code": "10250",
    }
    body["work"] |= {"occupations": ["porter"], "employs_others": False}
    body["coverage"] |= {"programmes": ["JKK", "JKM"], "months": 1}
