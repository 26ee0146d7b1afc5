"""Opening campaigns, changing them and finding them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import Protocol

from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.clients.model import EVERY_CAMPAIGN, Caller
from chalicelib.clock import Clock
from chalicelib.pagination import CursorInvalid, Page, Position
from chalicelib.refusals import TryAgain

# A campaign changes rarely and every registration needs it: a container asks again after this long.
_KNOWN_FOR = timedelta(seconds=60)

_ROUNDS = 4
_POSITION = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) [a-z0-9-]+")


class DaysMoved(Exception):
    """Another change has moved the campaign's days since they were read."""


class Campaigns(Protocol):
    """Where campaigns are kept."""

    def add(self, campaign: Campaign) -> None:
        """Store a new campaign. Raises CampaignExists if its id is taken."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""

    def replace(self, campaign: Campaign, *, was: Campaign) -> None:
        """Store the fields that differ, and no other. Raises DaysMoved if the days are no longer as they
        were, since they have to stay in order with one another.
        """

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later, by last day."""


@dataclass(frozen=True)
class _Known:
    campaign: Campaign
    until: datetime


class CampaignOffice:
    """Opens and changes campaigns, and remembers the ones it has lately been asked for."""

    def __init__(self, *, campaigns: Campaigns, clock: Clock) -> None:
        self._campaigns = campaigns
        self._clock = clock
        self._known: dict[str, _Known] = {}

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
        known = self._known.get(campaign_id)
        if known is None or known.until <= self._clock():
            return self.current(campaign_id)
        return known.campaign

    def current(self, campaign_id: str) -> Campaign:
        """The campaign as it stands. Raises CampaignUnknown."""
        return self._remembered(self._campaigns.get(campaign_id))

    def change(self, campaign_id: str, changes: Mapping[str, object]) -> Campaign:
        """The campaign with some fields changed; the same change again changes nothing.

        Of two changes at once each keeps what it alone names; the later one decides what both do. Raises
        CampaignUnknown, RulesBroken, TryAgain, or ValidationError for days out of order.
        """
        for _ in range(_ROUNDS):
            was = self._campaigns.get(campaign_id)
            campaign = was.changed(changes)
            if campaign == was:
                return was
            try:
                self._campaigns.replace(campaign, was=was)
            except DaysMoved:
                continue
            return self._remembered(campaign)
        raise TryAgain("other changes were in the way")

    def page(self, *, by: Caller, after: Position | None, size: int) -> Page[Campaign]:
        """A page of the campaigns that a caller works for, by last day and id. Raises CursorInvalid."""
        since = _day_in(after)
        found = self._in_order(since) if EVERY_CAMPAIGN in by.campaigns else self._own(by)
        rows = list(islice((each for each in found if after is None or _position(each) > after), size + 1))
        kept = rows[:size]
        return Page(kept, end=_position(kept[-1]) if kept else after, has_more=len(rows) > size)

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later."""
        return self._campaigns.ending_since(day)

    def _in_order(self, since: date) -> Iterator[Campaign]:
        # Those that end on one day come in no order of their own.
        for _, ending in groupby(self._campaigns.ending_since(since), key=lambda each: each.last_day):
            yield from sorted(ending, key=_position)

    def _own(self, by: Caller) -> Iterator[Campaign]:
        own = []
        for campaign_id in by.campaigns:
            # A token may be made before its campaign is opened.
            with suppress(CampaignUnknown):
                own.append(self._campaigns.get(campaign_id))
        return iter(sorted(own, key=_position))

    def _remembered(self, campaign: Campaign) -> Campaign:
        self._known[campaign.campaign_id] = _Known(campaign, until=self._clock() + _KNOWN_FOR)
        return campaign


def _position(campaign: Campaign) -> Position:
    return Position(f"{campaign.last_day} {campaign.campaign_id}")


def _day_in(position: Position | None) -> date:
    if position is None:
        return date.min
    found = _POSITION.fullmatch(position)
    if found is None:
        raise CursorInvalid("not a position among campaigns")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise CursorInvalid("not a day") from None
