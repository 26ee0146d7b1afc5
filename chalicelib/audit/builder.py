"""Building of the audit trail."""

from typing import TYPE_CHECKING

from chalicelib import observability
from chalicelib.audit.store import DynamoAuditTrail
from chalicelib.randomness import generate_write_id

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_audit_trail(container: "Container") -> DynamoAuditTrail:
    return DynamoAuditTrail(
        container.aws.dynamodb,
        container.settings.audit_table,
        retention_period=container.settings.audit_retention,
        new_id=generate_write_id,
        get_correlation_id=observability.get_correlation_id,
    )
