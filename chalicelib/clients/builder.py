"""Building of the services of clients."""

from typing import TYPE_CHECKING

from chalicelib.callers import Role
from chalicelib.clients.caps import DailyCapLimiter
from chalicelib.clients.kiosk_cap import KioskCapLimiter
from chalicelib.clients.service import ClientRegistry, LastSeenTracker, Token, TokenLifetime
from chalicelib.clients.store import DynamoClients, DynamoDayCounts, DynamoLastSeenStore, DynamoMinuteCounts
from chalicelib.clients.store_uses import DynamoTokenUseStore
from chalicelib.clients.uses import TokenUseTracker
from chalicelib.randomness import generate_token

if TYPE_CHECKING:
    from chalicelib.container import Container

# Enough to tell some thousands of networks apart, and too few to be read as an address.
_NETWORK_HASH_DIGITS = 10


def build_last_seen_tracker(container: "Container") -> LastSeenTracker:
    def get_store() -> DynamoLastSeenStore:
        return DynamoLastSeenStore(container.aws.best_effort_dynamodb, container.settings.clients_table)

    return LastSeenTracker(get_store=get_store, clock=container.clock)


def build_token_use_tracker(container: "Container") -> TokenUseTracker:
    def get_store() -> DynamoTokenUseStore:
        return DynamoTokenUseStore(container.aws.best_effort_dynamodb, container.settings.clients_table)

    def hash_network(network: str) -> str:
        return container.hashing.digest("network", network)[:_NETWORK_HASH_DIGITS]

    return TokenUseTracker(get_store=get_store, hash_network=hash_network, clock=container.clock)


def build_client_registry(container: "Container") -> ClientRegistry:
    return ClientRegistry(
        clients=DynamoClients(
            container.aws.dynamodb,
            container.settings.clients_table,
            container.audit_trail.build_append,
        ),
        clock=container.clock,
        generate_token=lambda: Token(generate_token()),
        token_lifetime=TokenLifetime(
            default_lifetime=container.settings.token_lifetime, overlap=container.settings.token_overlap
        ),
    )


def build_daily_cap_limiter(container: "Container") -> DailyCapLimiter:
    return DailyCapLimiter(
        counts=DynamoDayCounts(container.aws.dynamodb, container.settings.clients_table),
        caps={Role.KIOSK: container.settings.device_caps, Role.BOT: container.settings.bot_caps},
        unusual=container.settings.unusual_attempts,
        clock=container.clock,
    )


def build_kiosk_cap_limiter(container: "Container") -> KioskCapLimiter:
    return KioskCapLimiter(
        counts=DynamoMinuteCounts(container.aws.dynamodb, container.settings.clients_table),
        cap=container.settings.kiosk_minute_cap,
        clock=container.clock,
    )
