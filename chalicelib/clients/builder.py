"""The wiring of the trackers of clients' calls."""

from typing import TYPE_CHECKING

from chalicelib.clients.service import LastSeenTracker
from chalicelib.clients.store import DynamoLastSeenStore
from chalicelib.clients.store_uses import DynamoTokenUseStore
from chalicelib.clients.uses import TokenUseTracker

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
