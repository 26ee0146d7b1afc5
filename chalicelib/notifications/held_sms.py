"""SMS that are held until a person decides, because a campaign's budget is spent or no receipts come in."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.notifications.templates import get_template
from chalicelib.refusals import RecordUnreadable

# A request of API Gateway ends after 29 seconds.
_MAX_RUN_TIME = timedelta(seconds=15)


class HeldSmsLedger(Protocol):
    """Finds held SMS in the ledger, and what was spent of a budget."""

    def get(self, sms_id: SmsId) -> Sms | None:
        """Return one SMS, or None. Raise RecordUnreadable."""

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store the next revision of an SMS. Return False if the row has changed. Raise WriteConflict."""

    def iter_held(self) -> Iterator[SmsId]:
        """Yield held SMS, longest held first."""

    def get_committed(self, campaign_id: str, day: date) -> int:
        """Return the rupiah spent and reserved of a campaign's budget of a day."""


class Campaigns(Protocol):
    def get_current(self, campaign_id: str) -> Campaign:
        """Return a campaign as it is stored now. Raise CampaignUnknown."""


@dataclass(frozen=True)
class HeldSms:
    """The held SMS of a campaign by the reason, and the budget of its today, in rupiah."""

    counts: Mapping[str, int]
    day: date
    budget: int
    committed: int


@dataclass(frozen=True)
class Release:
    """The outcome of a release. `is_finished` is False if time ran out: the same request goes on."""

    released: int
    is_finished: bool


def release_held_sms(
    ledger: HeldSmsLedger, campaign_id: str, *, clock: Clock, max_run_time: timedelta = timedelta.max
) -> Release:
    """Release a campaign's held SMS, each with a new deadline, for as long as `max_run_time`.

    One that cannot be read stays held; `daftar records unreadable` lists it.
    """
    started_at, released = clock(), 0
    for sms in _iter_held(ledger, campaign_id):
        now = clock()
        if now - started_at > max_run_time:
            return Release(released, is_finished=False)
        deadline = now + get_template(sms.purpose).time_to_live
        released += ledger.update(sms.release(now, deadline=deadline), previous=sms)
    return Release(released, is_finished=True)


class HeldSmsService:
    """Counts and releases the held SMS of a campaign."""

    def __init__(self, *, ledger: HeldSmsLedger, campaigns: Campaigns, clock: Clock) -> None:
        self._ledger = ledger
        self._campaigns = campaigns
        self._clock = clock

    def count(self, campaign_id: str) -> HeldSms:
        """Return the number of held SMS. Raise CampaignUnknown."""
        campaign = self._campaigns.get_current(campaign_id)
        today = campaign.local_day(self._clock())
        return HeldSms(
            counts=Counter(str(sms.reason) for sms in _iter_held(self._ledger, campaign_id)),
            day=today,
            budget=campaign.sms_budget,
            committed=self._ledger.get_committed(campaign_id, today),
        )

    def release(self, campaign_id: str) -> Release:
        """Release the held SMS of a campaign that exists, in the time that a request has."""
        return release_held_sms(self._ledger, campaign_id, clock=self._clock, max_run_time=_MAX_RUN_TIME)


def _iter_held(ledger: HeldSmsLedger, campaign_id: str) -> Iterator[Sms]:
    """Yield the held SMS of a campaign that can be read."""
    for sms_id in ledger.iter_held():
        try:
            sms = ledger.get(sms_id)
        except RecordUnreadable:
            continue
        # The index may lag behind the table.
        if sms is not None and sms.campaign_id == campaign_id and sms.state is SmsState.HELD:
            yield sms
