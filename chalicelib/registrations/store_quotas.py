"""The places of sponsors in the registrations table: one item a sponsor, written with its registrations."""

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, Write
from chalicelib.registrations.model import OPEN_UNPAID_STATUSES, Registration
from chalicelib.registrations.quotas import CampaignSponsor, QuotaState, find_sponsor
from chalicelib.registrations.store_keys import make_sponsor_key

_ADD_PLACES = "ADD taken :places"
_PLACE_IS_LEFT = "attribute_not_exists(taken) OR taken < :quota"
_NO_PLACE_IS_LEFT = "taken >= :quota"


def build_place_update(
    table: Table, registration: Registration, places: int, quota_state: QuotaState | None = None
) -> Write | None:
    """Return the write that takes `places` of a registration's sponsor; None if it names none.

    A negative number gives places back. The condition is that the quota is as expected.
    """
    sponsor = find_sponsor(registration)
    if sponsor is None:
        return None
    key = make_sponsor_key(sponsor)
    # A quota of 0 is full before anything was counted.
    if quota_state is None or quota_state.quota == 0:
        return table.update(key, _ADD_PLACES, compared={":places": places})
    return table.update(
        key,
        _ADD_PLACES,
        _NO_PLACE_IS_LEFT if quota_state.is_full else _PLACE_IS_LEFT,
        compared={":places": places, ":quota": quota_state.quota},
        returns_current=True,
    )


def build_place_return_on_erasure(table: Table, erased: Values) -> list[Write]:
    """Return the write that gives a place back, for the item of a registration that is erased unpaid."""
    sponsor_id = erased["coverage"].get("sponsor_id")
    if sponsor_id is None or erased["status"] not in OPEN_UNPAID_STATUSES:
        return []
    key = make_sponsor_key(CampaignSponsor(erased["taken"]["campaign_id"], sponsor_id))
    return [table.update(key, _ADD_PLACES, compared={":places": -1})]


def build_place_return(table: Table, registration: Registration, previous: Registration) -> list[Write]:
    """Return the write that gives a place back, if the registration has just ended unpaid."""
    if not registration.lifecycle.has_ended or previous.lifecycle.status not in OPEN_UNPAID_STATUSES:
        return []
    update = build_place_update(table, registration, -1)
    return [] if update is None else [update]
