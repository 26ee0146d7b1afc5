"""The store of clients, for tests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chalicelib.audit.model import AuditRecord
from chalicelib.audit.store import DynamoAuditTrail
from chalicelib.aws.table import Write
from chalicelib.clients.store import DynamoClients
from chalicelib.randomness import generate_write_id


def _make_audit_write(client: Any, table_name: str) -> Callable[[AuditRecord], Write]:
    """Return what builds the write of a record into a table of the trail."""
    trail = DynamoAuditTrail(
        client,
        table_name,
        retention_period=timedelta(days=30),
        new_id=generate_write_id,
        get_correlation_id=lambda: None,
    )
    return trail.build_append


def open_clients(
    client: Any, table_name: str = "ClientsTable", audit_table: str = "AuditTable"
) -> DynamoClients:
    """Return the store of clients, whose changes are recorded."""
    return DynamoClients(client, table_name, _make_audit_write(client, audit_table))
