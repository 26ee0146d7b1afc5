"""Fakes of what services depend on, one module a package.

Those that store values are compared with the real stores in `contracts/test_fakes_match_stores.py`; the
others return what a test gave them.
"""

from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.deliveries import InMemoryDeliveries
from tests.support.fakes.gateway import ScriptedGateway
from tests.support.fakes.outbox import InMemoryOutbox
from tests.support.fakes.registrations import InMemoryDayFacts, InMemoryRegistrations
from tests.support.fakes.sms import (
    InMemoryOptOutStore,
    InMemorySendRateLimiter,
    InMemorySmsCounts,
    InMemorySmsLedger,
)
from tests.support.fakes.summaries import InMemoryCountingState, InMemorySummaries

__all__ = [
    "FixedClock",
    "InMemoryCampaigns",
    "InMemoryCountingState",
    "InMemoryDayCounts",
    "InMemoryDayFacts",
    "InMemoryDeliveries",
    "InMemoryOptOutStore",
    "InMemoryOutbox",
    "InMemoryRegistrations",
    "InMemorySendRateLimiter",
    "InMemorySmsCounts",
    "InMemorySmsLedger",
    "InMemorySummaries",
    "ScriptedGateway",
]
