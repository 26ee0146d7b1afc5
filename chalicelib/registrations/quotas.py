"""The places that a campaign's sponsor pays for. Every registration that names the sponsor takes one.

A place is given back when a registration ends unpaid, or is erased before it was paid. A sponsor without
places left refuses nobody: the registration is stored with a flag.
"""

from chalicelib.campaigns.model import Campaign
from chalicelib.registrations.model import Registration
from chalicelib.values import Value


class CampaignSponsor(Value):
    """One sponsor of one campaign."""

    campaign_id: str
    sponsor_id: str


class QuotaState(Value):
    """The state of a sponsor's quota that a write expects: with a place left, or `is_full`."""

    quota: int
    is_full: bool


class QuotaChanged(Exception):
    """A sponsor has `places_taken`, which is not what the write expected."""

    def __init__(self, places_taken: int) -> None:
        super().__init__(str(places_taken))
        self.places_taken = places_taken


def find_sponsor(registration: Registration) -> CampaignSponsor | None:
    """Return the sponsor who pays for a registration; None if it names none."""
    sponsor_id = registration.coverage.sponsor_id
    if sponsor_id is None:
        return None
    return CampaignSponsor(registration.capture_metadata.campaign_id, sponsor_id)


def find_quota(campaign: Campaign, sponsor_id: str | None) -> int | None:
    """Return the quota of a campaign's sponsor; None if there is none."""
    return next((each.quota for each in campaign.sponsors if each.sponsor_id == sponsor_id), None)


def expect_quota_state(quota: int | None, places_taken: int) -> QuotaState | None:
    """Return the state that a write expects after `places_taken` were read; None without a quota."""
    return None if quota is None else QuotaState(quota, is_full=places_taken >= quota)
