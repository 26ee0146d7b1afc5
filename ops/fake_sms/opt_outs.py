"""The account's own opt-out list at AWS."""

import time
from typing import Any

LIST_NAME = "Default"


class ResourceNotFound(Exception):
    """There is no such list, or no such number on it; `resource_type` is AWS's name for which."""

    def __init__(self, resource_type: str) -> None:
        super().__init__(resource_type)
        self.resource_type = resource_type


class OptOutList:
    """The numbers that get no SMS. The list is lost when the fake gateway stops."""

    def __init__(self) -> None:
        self._opted_out_at: dict[str, float] = {}

    def contains(self, phone: str) -> bool:
        return phone in self._opted_out_at

    def put(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add a number. Raise ResourceNotFound."""
        number = _check_list(request)["OptedOutNumber"]
        self._opted_out_at.setdefault(number, time.time())
        return self._describe_number(number)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Remove a number. Raise ResourceNotFound."""
        number = _check_list(request)["OptedOutNumber"]
        described = self._describe_number(number)
        del self._opted_out_at[number]
        return described

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the named numbers of the list, or all. Raise ResourceNotFound."""
        numbers = _check_list(request).get("OptedOutNumbers") or list(self._opted_out_at)
        return {
            "OptOutListName": LIST_NAME,
            "OptedOutNumbers": [self._describe_number(number) for number in numbers],
        }

    def _describe_number(self, phone: str) -> dict[str, Any]:
        if phone not in self._opted_out_at:
            raise ResourceNotFound("opted-out-number")
        since = self._opted_out_at[phone]
        return {"OptedOutNumber": phone, "OptedOutTimestamp": since, "EndUserOptedOut": False}


def _check_list(request: dict[str, Any]) -> dict[str, Any]:
    if request["OptOutListName"] != LIST_NAME:
        raise ResourceNotFound("opt-out-list")
    return request
