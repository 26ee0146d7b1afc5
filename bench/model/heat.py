"""Write units a second in the hottest partition of each key design. Pure.

Adaptive capacity is not counted on: a partition takes what AWS promises for one, whatever the others do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.model.designs import ONE
from bench.model.profile import OperationProfile
from bench.model.quotas import Assumptions
from chalicelib.notifications import store_items
from chalicelib.registrations import store_keys

# What a registration costs over its life, per registration. Bots and officers are told apart in `share`.
_LIFE = (
    "publish_a_registration",
    "send_a_confirmation",
    "record_a_receipt",
    "issue_a_payment_code",
    "report_a_payment",
)
# A process writes these at most once in some minutes, whatever the load.
_RARE = frozenset({"SendingTable RECEIPTS", "ClientsTable CLIENT#{client}"})
# Written once for a day or a campaign that becomes due, and not for each registration.
_OF_DAYS = frozenset({"SummariesTable.by_due due"})


@dataclass(frozen=True)
class Heat:
    """The write units of a key design for one registration, and the part of them in the hottest partition."""

    design: str
    units: float
    hottest_share: float

    def count_registrations(self, partition_units: float) -> float:
        """Return the registrations a second at which the hottest partition is full."""
        return partition_units / (self.units * self.hottest_share)


def list_heat(profiles: Mapping[str, OperationProfile], load: Assumptions) -> list[Heat]:
    """Return the key designs that concentrate writes, the hottest first. Keys of one record each do not."""
    units = count_units(profiles, load)
    return sorted(
        (
            Heat(design, number, _find_hottest_share(design, load))
            for design, number in units.items()
            if design not in _RARE | _OF_DAYS and ONE not in design
        ),
        key=lambda heat: -heat.units * heat.hottest_share,
    )


def count_units(profiles: Mapping[str, OperationProfile], load: Assumptions) -> dict[str, float]:
    """Return the write units that one registration costs under each key design, from intake to payment."""
    bots = load["share_of_bots"]
    shares = {"register_by_an_officer": 1 - bots, "register_by_a_bot": bots, **dict.fromkeys(_LIFE, 1.0)}
    total: dict[str, float] = {}
    for operation, share in shares.items():
        for design, units in profiles[operation].written.items():
            total[design] = total.get(design, 0.0) + units * share
    return total


def count_place_units(units: Mapping[str, float]) -> dict[str, float]:
    """Return the write units of one registration by table or index."""
    total: dict[str, float] = {}
    for design, number in units.items():
        place = design.partition(" ")[0]
        total[place] = total.get(place, 0.0) + number
    return total


def _find_hottest_share(design: str, load: Assumptions) -> float:
    share = 1.0
    if "{campaign}" in design:
        share *= load["share_of_the_largest_campaign"]
    if "{client}" in design:
        share *= load["share_of_core_in_payment_events"]
    if "{shard}" in design:
        is_ledger = design.startswith("SmsLedgerTable")
        share /= store_items.SHARD_COUNT if is_ledger else store_keys.SHARD_COUNT
    return share
