"""The address at which a request reached the API. Pure."""

from collections.abc import Mapping
from typing import Any, Self

from chalicelib.values import Value

_ADDRESS_KEYS = {"domain": "domainName", "api_id": "apiId", "stage": "stage"}


class ApiAddress(Value):
    """The address at which a request reached the API, as API Gateway tells it.

    `base_path` is what stands before the API's own paths: the stage, or the mapping of a domain of our own.
    """

    domain: str
    base_path: str
    api_id: str
    stage: str

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Read the context of API Gateway's event."""
        # In the path, parameters have their values: each part of the route is one part of it.
        own_parts = context["resourcePath"].strip("/").count("/") + 1
        base_path = context.get("path", "").rstrip("/").rsplit("/", own_parts)[0]
        names = {name: str(context.get(key, "")) for name, key in _ADDRESS_KEYS.items()}
        return cls(base_path=base_path, **names)

    def fill_in(self, template: str) -> str:
        """Return a URL, with the parts of this address at their names in braces."""
        return template.format(**vars(self))
