"""The networks that a client's tokens are used from, as an attribute of its item."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.clients.model import TokenUse, UseFlag
from chalicelib.clients.store_keys import make_client_key
from chalicelib.clock import from_optional_timestamp, to_optional_timestamp, to_timestamp

_IF_FIRST = "attribute_exists(pk) AND attribute_not_exists(token_use)"
_IF_UNCHANGED = "token_use = :previous"


class DynamoTokenUseStore:
    """Satisfies `uses.TokenUseStore`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def get(self, client_id: str) -> TokenUse | None:
        return parse_token_use(self._table.get(make_client_key(client_id)) or {})

    def replace(self, client_id: str, use: TokenUse, *, previous: TokenUse | None) -> bool:
        compared: Values = {":use": _to_values(use)}
        if previous is not None:
            compared[":previous"] = _to_values(previous)
        return self._table.try_run(
            self._table.update(
                make_client_key(client_id),
                "SET token_use = :use",
                _IF_FIRST if previous is None else _IF_UNCHANGED,
                compared=compared,
            )
        )


def parse_token_use(values: Mapping[str, Any]) -> TokenUse | None:
    """Return the use in a client's item, or None if it has none."""
    use = values.get("token_use")
    if use is None:
        return None
    return TokenUse(
        networks=tuple(use["networks"]),
        used_at=datetime.fromisoformat(use["used_at"]),
        flags=tuple(UseFlag(each) for each in use["flags"]),
        flagged_at=from_optional_timestamp(use.get("flagged_at")),
    )


def _to_values(use: TokenUse) -> Values:
    values = {
        "networks": list(use.networks),
        "used_at": to_timestamp(use.used_at),
        "flags": list(use.flags),
        "flagged_at": to_optional_timestamp(use.flagged_at),
    }
    return {name: value for name, value in values.items() if value is not None}
