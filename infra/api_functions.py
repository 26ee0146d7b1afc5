"""The functions behind the API, by trust, and the routes that each of them answers.

All run the same code. What differs is what they may do: the roles are in `roles_api.yaml`.
"""

from collections.abc import Mapping

# Chalice makes it for all routes; it answers those that are not below, which strangers write to.
INTAKE = "APIHandler"

# Makes clients and tokens, and reads the audit trail.
_ADMINISTRATION = "Administration"

# Discloses and erases what is stored of a person.
_PEOPLES_DATA = "PeoplesData"

# A route without its method stands for all of its methods.
ROUTES: Mapping[str, tuple[str, ...]] = {
    _ADMINISTRATION: (
        # The first request of a phone with ODK Collect makes its token.
        "/odk/{token}/formList",
        "HEAD /odk/{token}/submission",
        "/v1/audit",
        "POST /v1/campaigns/{campaign_id}/devices",
        "/v1/campaigns/{campaign_id}/screens",
        "/v1/clients",
        "/v1/clients/{client_id}",
        "/v1/clients/{client_id}/enrolment-codes",
        "/v1/clients/{client_id}/token",
        "/v1/device/token",
        "/v1/enrolments",
    ),
    _PEOPLES_DATA: ("/v1/disclosures", "/v1/erasures"),
}

API_FUNCTIONS = (INTAKE, *ROUTES)


def find_function(method: str, path: str) -> str:
    """Return the function that answers a request for a path, or for a route with its parameters in braces."""
    for function, routes in ROUTES.items():
        for route in routes:
            *methods, pattern = route.split(" ")
            if method in (methods or [method]) and _matches(path, pattern):
                return function
    return INTAKE


def _matches(path: str, pattern: str) -> bool:
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        name.startswith("{") or name == part for part, name in zip(parts, wanted, strict=True)
    )
