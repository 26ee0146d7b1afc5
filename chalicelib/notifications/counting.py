"""Totals of the SMS of campaign days."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.notifications.confirmations import UNTOLD_STATES, judge_confirmation
from chalicelib.notifications.model import SmsState
from chalicelib.sms_purposes import Purpose

DIALOGUE = "dialogue"
"""Stands for the purpose of an SMS in the rows that count the messages of chats' dialogues."""


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
    to each chat channel, and what they cost, `dialogues` the same of the dialogues in which workers
    registered that day, or began to; `money` includes both.
    """

    by_state: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    money: int = 0
    untold: dict[str, int] = field(default_factory=dict)
    chats: dict[str, tuple[int, int]] = field(default_factory=dict)
    dialogues: dict[str, tuple[int, int]] = field(default_factory=dict)


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
        notices, dialogues = ChatTotals(), ChatTotals()
        parts = money = 0
        for number, facts in enumerate(self._ledger.iter_day_facts(campaign_day), start=1):
            if number % _ROWS_PER_CHECK == 0:
                check_time()
            money += facts.money
            if facts.purpose == DIALOGUE:
                dialogues.add(facts)
                continue
            by_state[facts.state] = by_state.get(facts.state, 0) + 1
            if facts.purpose == Purpose.RECEIVED:
                confirmation = judge_confirmation(SmsState(facts.state), facts.reason)
                untold[confirmation] += confirmation in UNTOLD_STATES
            notices.add(facts)
            parts += facts.parts
        return SmsTotals(
            by_state=dict(sorted(by_state.items())),
            parts=parts,
            money=money,
            untold=dict(sorted((+untold).items())),
            chats=notices.by_channel(),
            dialogues=dialogues.by_channel(),
        )


class ChatTotals:
    """The messages to each chat channel, and what they cost."""

    def __init__(self) -> None:
        self._messages: Counter[str] = Counter()
        self._costs: Counter[str] = Counter()

    def add(self, facts: SmsFacts) -> None:
        """Add what a row counts."""
        for channel, (count, cost) in facts.chats.items():
            self._messages[channel] += count
            self._costs[channel] += cost

    def by_channel(self) -> dict[str, tuple[int, int]]:
        """Return messages and rupiah by channel."""
        return {each: (self._messages[each], self._costs[each]) for each in sorted(self._messages)}
