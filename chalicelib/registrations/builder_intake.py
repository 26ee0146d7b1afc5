"""Building of the intake of captures; apart from other services, because its cold start matters."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib import observability
from chalicelib.randomness import random_index
from chalicelib.registrations.captures import UnusualClient
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.intake_limits import IntakeLimits
from chalicelib.registrations.store_intake import DynamoIntakeStore
from chalicelib.registrations.store_unusual import DynamoUnusualClients

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_intake_service(container: "Container") -> IntakeService:
    """Return the service that accepts captures."""
    settings, dynamodb = container.settings, container.aws.dynamodb
    store = DynamoIntakeStore(
        dynamodb,
        settings.registrations_table,
        container.cipher,
        build_audit_write=container.audit_trail.build_append,
    )
    unusual_clients = DynamoUnusualClients(
        dynamodb, settings.registrations_table, retention=settings.retention_period
    )
    return IntakeService(
        store=store,
        campaigns=container.campaigns,
        quote_service=container.quotes,
        limits=IntakeLimits(
            client_allowance=container.client_caps,
            on_unusual_client=_make_reporter(unusual_clients),
            phone_cap=settings.phone_caps,
            age_limits=container.age_limits,
            payment_period=settings.payment_period,
            refusal_retention=settings.retention_period,
        ),
        hashing=container.hashing,
        clock=container.clock,
        random_index=random_index,
    )


def _make_reporter(unusual_clients: DynamoUnusualClients) -> Callable[[UnusualClient], None]:
    """Return the function that tells operators and managers of an unusual client."""

    def report(unusual_client: UnusualClient) -> None:
        facts = {"client_id": unusual_client.client_id, "attempts": unusual_client.attempts}
        observability.logger.warning("unusual client", extra=facts)
        observability.count("UnusualClients")
        unusual_clients.record(unusual_client)

    return report
