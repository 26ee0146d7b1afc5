"""Unusual clients in the registrations table, where counting finds them among the facts of the day.

UNUSUAL#<client>#<local day>#<campaign>#<campaign day>   UNUSUAL   the number of unusual attempts; expires
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.aws.table import Table, expires_after
from chalicelib.registrations.captures import UnusualClient, UnusualClientFacts
from chalicelib.registrations.store_keys import REMNANT_ORDER_PREFIX, UNUSUAL_SORT_KEY, make_remnant_shard

_SET_FACTS = (
    "SET facts = :facts, taken = :taken, day_shard = :shard, day_order = :order, expires_at = :expires_at"
)
_COUNT_IS_LOWER = "attribute_not_exists(pk) OR facts.unusual < :attempts"


class DynamoUnusualClients:
    """Stores what campaign days show of unusual clients. Items are kept for `retention`, as refusals are."""

    def __init__(self, client: Any, table_name: str, *, retention: timedelta) -> None:
        self._table = Table(client, table_name)
        self._retention = retention

    def record(self, unusual_client: UnusualClient) -> None:
        """Store a client's number of unusual attempts, unless a higher one is stored."""
        client_id, campaign_day = unusual_client.client_id, unusual_client.campaign_day
        day, received_on = campaign_day.day.isoformat(), unusual_client.received_on.isoformat()
        values = {
            ":facts": {"unusual": unusual_client.attempts, "client_id": client_id},
            ":taken": {"campaign_id": campaign_day.campaign_id, "day": day},
            ":shard": make_remnant_shard(campaign_day),
            ":order": f"{REMNANT_ORDER_PREFIX}{client_id} {received_on}",
            ":expires_at": expires_after(unusual_client.received_on, self._retention),
            ":attempts": unusual_client.attempts,
        }
        key = {
            "pk": f"UNUSUAL#{client_id}#{received_on}#{campaign_day.campaign_id}#{day}",
            "sk": UNUSUAL_SORT_KEY,
        }
        self._table.try_run(self._table.update(key, _SET_FACTS, _COUNT_IS_LOWER, compared=values))


def has_unusual_client_facts(row: Mapping[str, Any]) -> bool:
    """Return True if a row of the day index is of an unusual client."""
    return bool(row["sk"] == UNUSUAL_SORT_KEY)


def parse_unusual_client_facts(facts: Mapping[str, Any]) -> UnusualClientFacts:
    """Return the facts of an unusual client."""
    return UnusualClientFacts(facts["client_id"], int(facts["unusual"]))
