"""A count of a day that is under way: it has an end, and is stored so that another run goes on with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import DayFact
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.errors import CountUnfinished

# A checkpoint costs a write, and bounds the work that an interrupted count repeats. A day that changes
# meanwhile is counted from its beginning, so that one run must have the time for all of it.
_FACTS_PER_CHECKPOINT = 20_000
FACTS_PER_CLOCK_CHECK = 500


@dataclass(frozen=True)
class Checkpoint:
    """An unfinished count of a day: its state after the fact at `position`, and the day's etag at its start.

    A count is resumed only while the day has the same etag. Otherwise facts that were added before the
    position would be missed, and facts that were erased would be counted.
    """

    started_at: datetime
    etag: str
    position: Position
    counter_state: str


class RunningCount:
    """Counts the facts of a day from its beginning, or from a checkpoint of the same state of the day."""

    def __init__(
        self,
        campaign_day: CampaignDay,
        etag: str,
        checkpoint: Checkpoint | None,
        *,
        thresholds: AnomalyThresholds,
        clock: Clock,
        deadline: datetime,
        save_checkpoint: Callable[[Checkpoint | None], object] | None,
    ) -> None:
        """Without `save_checkpoint` nothing is stored."""
        self._campaign_day = campaign_day
        self._etag = etag
        self._clock = clock
        self._deadline = deadline
        self._save = save_checkpoint
        self._has_checkpoint = checkpoint is not None
        self.started_at = clock()
        self.position: Position | None = None
        self.counter = DayCounter(thresholds)
        if checkpoint is not None and checkpoint.etag == etag:
            self.started_at, self.position = checkpoint.started_at, checkpoint.position
            self.counter = DayCounter.resume(checkpoint.counter_state, thresholds)

    def add(self, facts: Iterable[DayFact]) -> None:
        """Count facts in their order. Raise CountUnfinished at the deadline."""
        for number, fact in enumerate(facts, start=1):
            self.counter.add(fact)
            self.position = fact.position
            if number % FACTS_PER_CLOCK_CHECK == 0:
                self.check_time()
            if number % _FACTS_PER_CHECKPOINT == 0:
                self._save_checkpoint()

    def check_time(self) -> None:
        """Store a checkpoint and raise CountUnfinished if the deadline has passed."""
        if self._clock() >= self._deadline:
            self._save_checkpoint()
            raise CountUnfinished(f"{self._campaign_day.campaign_id} {self._campaign_day.day}")

    def finish(self) -> None:
        """Forget the checkpoint: all is counted."""
        if self._save is not None and self._has_checkpoint:
            self._save(None)

    def _save_checkpoint(self) -> None:
        if self._save is not None and self.position is not None:
            self._has_checkpoint = True
            self._save(Checkpoint(self.started_at, self._etag, self.position, self.counter.dump_state()))
