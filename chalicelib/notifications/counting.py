"""Totals of the SMS of campaign days."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.notifications.confirmations import UNTOLD_STATES, judge_confirmation
from chalicelib.notifications.model import SmsState
from chalicelib.sms_purposes import Purpose


@dataclass(frozen=True)
class SmsFacts:
    """The facts of one SMS that are counted. `money` is in rupiah.

    `reason` is why it failed; rows of earlier releases have none. `chats` is how many messages went to each
    chat channel, and what they cost.
    """

    purpose: str
    state: str
    parts: int
    money: int
    reason: str | None = None
    chats: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class SmsTotals:
    """The SMS of a campaign day's registrations: the number in each state, accepted parts, and rupiah.

    `untold` is the number of confirmations that have not been sent, by why. `chats` is how many messages went
    to each chat channel, and what they cost, which `money` includes.
    """

    by_state: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    money: int = 0
    untold: dict[str, int] = field(default_factory=dict)
    chats: dict[str, tuple[int, int]] = field(default_factory=dict)


class SmsFactSource(Protocol):
    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterable[SmsFacts]:
        """Yield the facts of each SMS to registrations of a campaign day."""


_ROWS_PER_CHECK = 500


class LedgerSmsCounter:
    """Counts the SMS of campaign days, each time from the rows of the ledger."""

    def __init__(self, ledger: SmsFactSource) -> None:
        self._ledger = ledger

    def count_sms(
        self, campaign_day: CampaignDay, *, check_time: Callable[[], object] = lambda: None
    ) -> SmsTotals:
        """Return the totals of a campaign day, with the cost so far.

        `check_time` is called now and then; what it raises ends the count.
        """
        by_state: dict[str, int] = {}
        untold: Counter[str] = Counter()
        messages: Counter[str] = Counter()
        costs: Counter[str] = Counter()
        parts = money = 0
        for number, facts in enumerate(self._ledger.iter_day_facts(campaign_day), start=1):
            if number % _ROWS_PER_CHECK == 0:
                check_time()
            by_state[facts.state] = by_state.get(facts.state, 0) + 1
            if facts.purpose == Purpose.RECEIVED:
                confirmation = judge_confirmation(SmsState(facts.state), facts.reason)
                untold[confirmation] += confirmation in UNTOLD_STATES
            for channel, (count, cost) in facts.chats.items():
                messages[channel] += count
                costs[channel] += cost
            parts += facts.parts
            money += facts.money
        chats = {channel: (messages[channel], costs[channel]) for channel in sorted(messages)}
        return SmsTotals(dict(sorted(by_state.items())), parts, money, dict(sorted((+untold).items())), chats)
