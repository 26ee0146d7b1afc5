"""The instances of ODK Collect that are known without a capture of their own, in the table of clients.

ODK_INSTANCE#<id>   ODK_INSTANCE   the capture that it is of, and its campaign; expires
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from chalicelib.aws.table import Table
from chalicelib.channels.odk.model import KnownInstance
from chalicelib.clock import Clock, to_expiry

# Longer than any campaign: a phone that was lost in a drawer may still send its edits.
_LIFETIME = timedelta(days=400)


class DynamoOdkInstances:
    """Satisfies `service.OdkInstances`."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name)
        self._clock = clock

    def find(self, instance_id: UUID) -> KnownInstance | None:
        values = self._table.get(_make_key(instance_id))
        return None if values is None else KnownInstance(values["capture_id"], values["campaign_id"])

    def add(self, instance_id: UUID, known: KnownInstance) -> None:
        expires_at = to_expiry(self._clock() + _LIFETIME)
        values = {**_make_key(instance_id), **vars(known), "expires_at": expires_at}
        self._table.run(self._table.put(values))


def _make_key(instance_id: UUID) -> dict[str, str]:
    return {"pk": f"ODK_INSTANCE#{instance_id}", "sk": "ODK_INSTANCE"}
