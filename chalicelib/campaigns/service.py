"""Opening, changing, reading and listing of campaigns."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Protocol

from chalicelib.audit.model import OPERATOR, Action, AuditRecord, Subject
from chalicelib.callers import EVERY_CAMPAIGN, Caller
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.http.pagination import CursorInvalid, Page, Position, cut_page
from chalicelib.refusals import BrokenRule, RecordUnreadable, RulesBroken, TryAgain
from chalicelib.values import Value

# Every registration needs its campaign, and campaigns change rarely.
_CACHE_DURATION = timedelta(seconds=60)

_MAX_WRITE_ATTEMPTS = 4
_POSITION_PATTERN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) [a-z0-9-]+")


class CampaignWriteConflict(Exception):
    """The days or sponsors of the campaign changed after it was read."""


class Campaigns(Protocol):
    """The store of campaigns."""

    def add(self, campaign: Campaign, *, record: AuditRecord | None = None) -> None:
        """Store a new campaign and the record of it. Raise CampaignExists if its id is taken."""

    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""

    def replace(self, campaign: Campaign, *, previous: Campaign, record: AuditRecord | None = None) -> None:
        """Store the fields that differ from `previous`, and the record of it.

        Raise CampaignWriteConflict if the stored days, which must stay in order, are not those of `previous`;
        likewise the sponsors, if they change.
        """

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """Yield the campaigns with this or a later last day, by last day."""

    def iter_ids_ending_since(self, first_last_day: date) -> Iterator[tuple[date, str]]:
        """Yield last day and id of the campaigns with this or a later last day, by last day."""


class DueList(Protocol):
    """The campaigns that the next hourly run looks at for days to count."""

    def add_campaign(self, campaign_id: str, due_at: datetime, *, unless_due: bool = False) -> None:
        """Store that a campaign is to be looked at, with `unless_due` only if it is not due by then."""


class _CachedCampaign(Value):
    campaign: Campaign
    expires_at: datetime


class CampaignService:
    """Opens, changes and reads campaigns. Campaigns that were read are cached for a minute.

    `get_due_list` is called by what opens and changes campaigns, because most processes only read them.
    """

    def __init__(self, *, campaigns: Campaigns, get_due_list: Callable[[], DueList], clock: Clock) -> None:
        self._campaigns = campaigns
        self._get_due_list = get_due_list
        self._clock = clock
        self._cache: dict[str, _CachedCampaign] = {}

    def open(self, campaign: Campaign, *, opened_by: str = OPERATOR) -> bool:
        """Store a campaign, its texts cleaned. Return False if it exists already.

        Raise CampaignExists if another has its id, or RulesBroken.
        """
        cleaned = campaign.clean()
        try:
            self._campaigns.add(cleaned, record=self._make_record(cleaned, Action.OPENED, opened_by))
        except CampaignExists:
            # One of an earlier release was stored as it was typed.
            if self._campaigns.get(campaign.campaign_id) not in (campaign, cleaned):
                raise
            is_new = False
        else:
            is_new = True
        self._request_look(campaign.campaign_id, is_repeat=not is_new)
        return is_new

    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign as it was within the last minute. Raise CampaignUnknown."""
        cached = self._cache.get(campaign_id)
        if cached is None or cached.expires_at <= self._clock():
            return self.get_current(campaign_id)
        return cached.campaign

    def get_current(self, campaign_id: str) -> Campaign:
        """Return a campaign as it is stored now. Raise CampaignUnknown."""
        return self._store_in_cache(self._campaigns.get(campaign_id))

    def change(
        self, campaign_id: str, changes: Mapping[str, object], *, changed_by: str = OPERATOR
    ) -> Campaign:
        """Change some fields of a campaign and return it; repeating a change has no effect.

        Of two concurrent changes, each keeps the fields that it alone names; the later one decides the rest.
        Raise CampaignUnknown, RulesBroken, TryAgain, or ValidationError for days out of order.
        """
        for _ in range(_MAX_WRITE_ATTEMPTS):
            previous = self._campaigns.get(campaign_id)
            campaign = previous.with_changes(changes)
            if campaign == previous:
                self._request_look(campaign_id, is_repeat=True)
                return previous
            # Devices may hold captures that would be refused from now on.
            if campaign.accepts_until < min(previous.accepts_until, previous.local_day(self._clock())):
                raise RulesBroken(BrokenRule("accepts_until", "accepts_until_over"))
            fields = sorted(name for name, value in campaign if value != getattr(previous, name))
            record = self._make_record(campaign, Action.CHANGED, changed_by, fields)
            try:
                self._campaigns.replace(campaign, previous=previous, record=record)
            except CampaignWriteConflict:
                continue
            self._request_look(campaign_id)
            return self._store_in_cache(campaign)
        raise TryAgain("other changes were in the way")

    def list_for_caller(
        self, *, caller: Caller, start_after: Position | None, page_size: int
    ) -> Page[Campaign]:
        """Return a page of the campaigns that a caller works for, by last day and id. Raise CursorInvalid."""
        found = self._iter_for_caller(caller, _parse_day(start_after))
        after = (each for each in found if start_after is None or _build_position(each) > start_after)
        return cut_page(after, page_size, start_after=start_after, get_position=_build_position)

    def iter_accepting(self, caller: Caller) -> Iterator[Campaign]:
        """Yield the campaigns of a caller that take captures now, by last day and id."""
        now = self._clock()
        return (each for each in self._iter_for_caller(caller, date.min) if each.is_accepting(now))

    def iter_ids_ending_since(self, first_last_day: date) -> Iterator[tuple[date, str]]:
        return self._campaigns.iter_ids_ending_since(first_last_day)

    def _make_record(
        self, campaign: Campaign, action: Action, client_id: str, fields: Sequence[str] = ()
    ) -> AuditRecord:
        subject = Subject.campaign(campaign.campaign_id)
        return AuditRecord(subject, action, client_id, self._clock(), fields=fields)

    def _iter_for_caller(self, caller: Caller, first_last_day: date) -> Iterator[Campaign]:
        """Yield the campaigns of a caller by last day and id; of one for every campaign since a last day."""
        is_for_all = EVERY_CAMPAIGN in caller.campaigns
        return self._iter_by_last_day(first_last_day) if is_for_all else self._iter_own(caller)

    def _iter_by_last_day(self, first_last_day: date) -> Iterator[Campaign]:
        # The index has no order within one last day.
        for _, ending in groupby(
            self._campaigns.iter_ending_since(first_last_day), key=lambda each: each.last_day
        ):
            yield from sorted(ending, key=_build_position)

    def _iter_own(self, caller: Caller) -> Iterator[Campaign]:
        own = []
        for campaign_id in caller.campaigns:
            # A client may be enrolled before its campaign is opened.
            with suppress(CampaignUnknown, RecordUnreadable):
                own.append(self._campaigns.get(campaign_id))
        return iter(sorted(own, key=_build_position))

    def _request_look(self, campaign_id: str, *, is_repeat: bool = False) -> None:
        """Have the days of a campaign looked at. A repeated call may follow one that ended before this."""
        self._get_due_list().add_campaign(campaign_id, self._clock(), unless_due=is_repeat)

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
