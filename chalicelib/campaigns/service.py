"""Opening campaigns, changing them and finding them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import Protocol

from chalicelib.callers import EVERY_CAMPAIGN, Caller
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.http.pagination import CursorInvalid, Page, Position
from chalicelib.refusals import TryAgain

# A campaign changes rarely and every registration needs it: a container asks again after this long.
_CACHE_DURATION = timedelta(seconds=60)

_MAX_WRITE_ATTEMPTS = 4
_POSITION_PATTERN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) [a-z0-9-]+")


class CampaignWriteConflict(Exception):
    """Another change has moved the campaign's days since they were read."""


class Campaigns(Protocol):
    """Where campaigns are kept."""

    def add(self, campaign: Campaign) -> None:
        """Store a new campaign. Raises CampaignExists if its id is taken."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""

    def replace(self, campaign: Campaign, *, previous: Campaign) -> None:
        """Store the fields that differ, and no other. Raises CampaignWriteConflict if the days are no longer as they
        were, since they have to stay in order with one another.
        """

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later, by last day."""


@dataclass(frozen=True)
class _CachedCampaign:
    campaign: Campaign
    expires_at: datetime


class CampaignService:
    """Opens and changes campaigns, and remembers the ones it has lately been asked for."""

    def __init__(self, *, campaigns: Campaigns, clock: Clock) -> None:
        self._campaigns = campaigns
        self._clock = clock
        self._cache: dict[str, _CachedCampaign] = {}

    def open(self, campaign: Campaign) -> bool:
        """Store a campaign;

        False if exactly this one stands already. Raises CampaignExists if another one has its id.
        """
        try:
            self._campaigns.add(campaign)
        except CampaignExists:
            if self._campaigns.get(campaign.campaign_id) == campaign:
                return False
            raise
        return True

    def get(self, campaign_id: str) -> Campaign:
        """The campaign, at most a minute old. Raises CampaignUnknown."""
        known = self._cache.get(campaign_id)
        if known is None or known.expires_at <= self._clock():
            return self.get_current(campaign_id)
        return known.campaign

    def get_current(self, campaign_id: str) -> Campaign:
        """The campaign as it stands. Raises CampaignUnknown."""
        return self._store_in_cache(self._campaigns.get(campaign_id))

    def change(self, campaign_id: str, changes: Mapping[str, object]) -> Campaign:
        """The campaign with some fields changed; the same change again changes nothing.

        Of two changes at once each keeps what it alone names; the later one decides what both do. Raises
        CampaignUnknown, RulesBroken, TryAgain, or ValidationError for days out of order.
        """
        for _ in range(_MAX_WRITE_ATTEMPTS):
            was = self._campaigns.get(campaign_id)
            campaign = was.with_changes(changes)
            if campaign == was:
                return was
            try:
                self._campaigns.replace(campaign, previous=was)
            except CampaignWriteConflict:
                continue
            return self._store_in_cache(campaign)
        raise TryAgain("other changes were in the way")

    def list_for_caller(
        self, *, caller: Caller, start_after: Position | None, page_size: int
    ) -> Page[Campaign]:
        """A page of the campaigns that a caller works for, by last day and id. Raises CursorInvalid."""
        since = _parse_day(start_after)
        found = (
            self._iter_by_last_day(since) if EVERY_CAMPAIGN in caller.campaigns else self._iter_own(caller)
        )
        rows = list(
            islice(
                (each for each in found if start_after is None or _build_position(each) > start_after),
                page_size + 1,
            )
        )
        kept = rows[:page_size]
        return Page(
            kept,
            last_position=_build_position(kept[-1]) if kept else start_after,
            has_more=len(rows) > page_size,
        )

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later."""
        return self._campaigns.iter_ending_since(first_last_day)

    def _iter_by_last_day(self, first_last_day: date) -> Iterator[Campaign]:
        # Those that end on one day come in no order of their own.
        for _, ending in groupby(
            self._campaigns.iter_ending_since(first_last_day), key=lambda each: each.last_day
        ):
            yield from sorted(ending, key=_build_position)

    def _iter_own(self, caller: Caller) -> Iterator[Campaign]:
        own = []
        for campaign_id in caller.campaigns:
            # A token may be made before its campaign is opened.
            with suppress(CampaignUnknown):
                own.append(self._campaigns.get(campaign_id))
        return iter(sorted(own, key=_build_position))

    def _store_in_cache(self, campaign: Campaign) -> Campaign:
        self._cache[campaign.campaign_id] = _CachedCampaign(
            campaign, expires_at=self._clock() + _CACHE_DURATION
        )
        return campaign


def _build_position(campaign: Campaign) -> Position:
    return Position(f"{campaign.last_day} {campaign.campaign_id}")


def _parse_day(position: Position | None) -> date:
    if position is None:
        return date.min
    found = _POSITION_PATTERN.fullmatch(position)
    if found is None:
        raise CursorInvalid("not a position among campaigns")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise CursorInvalid("not a day") from None
