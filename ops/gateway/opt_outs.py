"""The account's own list of numbers that the AWS service sends nothing to, whatever its caller knows."""

import time
from typing import Any

LIST = "Default"


class NotThere(Exception):
    """There is no such list, or no such number on it: `kind` is AWS's word for which."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class OptOutList:
    """Numbers and since when. It is forgotten when the stand-in stops."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def holds(self, number: str) -> bool:
        """Whether nothing is sent to a number."""
        return number in self._since

    def put(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a number onto the list. Raises NotThere."""
        number = _listed(request)["OptedOutNumber"]
        self._since.setdefault(number, time.time())
        return self._described(number)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a number off the list. Raises NotThere."""
        number = _listed(request)["OptedOutNumber"]
        described = self._described(number)
        del self._since[number]
        return described

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """Some numbers of the list, or all. Raises NotThere."""
        numbers = _listed(request).get("OptedOutNumbers") or list(self._since)
        return {"OptOutListName": LIST, "OptedOutNumbers": [self._described(number) for number in numbers]}

    def _described(self, number: str) -> dict[str, Any]:
        if number not in self._since:
            raise NotThere("opted-out-number")
        since = self._since[number]
        return {"OptedOutNumber": number, "OptedOutTimestamp": since, "EndUserOptedOut": False}


def _listed(request: dict[str, Any]) -> dict[str, Any]:
    if request["OptOutListName"] != LIST:
        raise NotThere("opt-out-list")
    return request
