"""Records from where tokens are used: a first use from another network, or after a long silence, is flagged.

A flag locks nothing: officers travel, and mobile networks change their addresses. A network is the first half
of an address, and is kept as a keyed hash.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Protocol

from chalicelib.clients.model import TokenUse, UseFlag
from chalicelib.clock import Clock

# Of IPv4 the part that providers get at once, of IPv6 the part that one provider has.
_PREFIX_LENGTHS = {4: 16, 6: 32}

# A known network is looked at once an hour by each process.
_LOOK_INTERVAL = timedelta(hours=1)
_MAX_REMEMBERED = 10_000
_MAX_ATTEMPTS = 2


class TokenUseStore(Protocol):
    """The store of the uses of each client's tokens."""

    def get(self, client_id: str) -> TokenUse | None:
        """Return where a client's tokens were used, or None if that is not known yet."""

    def replace(self, client_id: str, use: TokenUse, *, previous: TokenUse | None) -> bool:
        """Store `use` of an enrolled client. Return False if another than `previous` is stored."""


@lru_cache(1_000)
def find_network(address: str) -> str | None:
    """Return the network of an address, such as `203.0.0.0/16`, or None if it is no address."""
    try:
        version = ip_address(address).version
        return str(ip_network(f"{address}/{_PREFIX_LENGTHS[version]}", strict=False))
    except ValueError:
        return None


class TokenUseTracker:
    """Records the networks that clients call from. One instance per process."""

    def __init__(
        self, *, get_store: Callable[[], TokenUseStore], hash_network: Callable[[str], str], clock: Clock
    ) -> None:
        self._get_store = get_store
        self._hash_network = hash_network
        self._clock = clock
        self._looked_at: dict[tuple[str, str], datetime] = {}

    def record_call(self, client_id: str, address: str) -> tuple[UseFlag, ...]:
        """Record a call from an address, unless this process looked at the network within the hour.

        Return what is unusual about it.
        """
        network, now = find_network(address), self._clock()
        if network is None:
            return ()
        looked_at = self._looked_at.get((client_id, network))
        if looked_at is not None and now - looked_at < _LOOK_INTERVAL:
            return ()
        if len(self._looked_at) >= _MAX_REMEMBERED:
            self._looked_at.clear()
        # Set before the attempt, so that a store that does not answer delays a caller once an hour only.
        self._looked_at[client_id, network] = now
        use = self._store_call(client_id, self._hash_network(network), now)
        return use.flags if use is not None and use.flagged_at == now else ()

    def _store_call(self, client_id: str, network: str, now: datetime) -> TokenUse | None:
        """Store a call. Return what was stored, or None if nothing was to be, or others always came first."""
        store = self._get_store()
        for _ in range(_MAX_ATTEMPTS):
            previous = store.get(client_id)
            use = TokenUse.begin(network, now) if previous is None else previous.after_call(network, now)
            if use == previous:
                return None
            if store.replace(client_id, use, previous=previous):
                return use
        return None
