"""The round over the exports: no day starves another, and no round gets in another's way."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.exports import schedule
from chalicelib.exports.model import ExportFile, Manifest
from chalicelib.exports.schedule import ExportAlreadyRunning, ExportPartialFailure
from chalicelib.exports.service import ExportService
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from tests.rollups.test_service import FINAL
from tests.rollups.test_service import Stage as Counting
from tests.support.logs import collect_logs
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY

A_MINUTE = timedelta(minutes=1)
A_ROUND = timedelta(minutes=15)


class CutOff(BaseException):
    """Lambda ended the run."""


class Invocation:
    """One that may take a quarter of an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends_at = clock() + A_ROUND

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends_at - self._clock()).total_seconds() * 1000)


class Shelf:
    """Satisfies `exports.service.ExportStore`: keeps the order of what was published."""

    def __init__(self) -> None:
        self.published: list[CampaignDay] = []

    def put(self, campaign_day: CampaignDay, version: int, rows: Iterable[bytes]) -> ExportFile:
        return ExportFile(key="rows", rows=len(list(rows)), bytes=0, sha256="")

    def publish(self, manifest: Manifest) -> None:
        self.published.append(CampaignDay(manifest.campaign_id, manifest.day))


class Stage(Counting):
    """Two final days that wait; reading one takes as long as is said here."""

    def __init__(self) -> None:
        super().__init__(FINAL)
        self.shelf = Shelf()
        self.takes: dict[CampaignDay, timedelta] = {}
        self.cut_off: CampaignDay | None = None
        self.exporter = ExportService(
            outbox=self.summaries.outbox,
            summaries=self.summaries,
            captures=self,
            store=self.shelf,
            hashing=KeyedHash(lambda: HashKey(b"k" * 32)),
            clock=self.clock,
        )
        self.clock.now = FINAL + timedelta(days=1)
        for of in (FIRST_DAY, SECOND_DAY):
            self.capture(of)
            self.tick()
            self.clock.advance(A_MINUTE)

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Any:
        """Satisfies `exports.service.Captures`."""
        for fact in self.facts.iter_capture_facts(campaign_day):
            self.clock.advance(self.takes.get(campaign_day, timedelta()))
            if campaign_day == self.cut_off:
                raise CutOff
            yield fact

    def ask(self, of: CampaignDay, at: datetime) -> None:
        self.summaries.outbox.enqueue(Consumer.ANALYSTS, OutboxEntry(of, 1, at))

    def round(self) -> dict[str, int]:
        return schedule.export_days(self.exporter, self.clock, Invocation(self.clock))


@pytest.fixture
def harness() -> Stage:
    return Stage()


def test_the_day_that_was_asked_for_first_comes_first(harness: Stage) -> None:
    harness.ask(FIRST_DAY, harness.clock())

    assert harness.round() == {"exported": 2, "open": 0}
    assert harness.shelf.published == [SECOND_DAY, FIRST_DAY]


def test_a_day_that_fails_goes_last(harness: Stage) -> None:
    harness.facts.unreadable_days.add(FIRST_DAY)
    with pytest.raises(ExportPartialFailure):
        harness.round()
    harness.facts.unreadable_days.clear()
    harness.shelf.published.clear()
    # Asked for after the first day was, and before it was tried.
    harness.ask(SECOND_DAY, harness.clock() - timedelta(seconds=30))

    harness.round()

    assert harness.shelf.published == [SECOND_DAY, FIRST_DAY]


def test_a_day_that_takes_too_long_is_stopped_and_starves_no_other(harness: Stage) -> None:
    harness.takes[FIRST_DAY] = A_ROUND
    with collect_logs() as lines, pytest.raises(ExportPartialFailure):
        harness.round()
    assert [line["day"] for line in lines.with_message("campaign day export timed out")] == ["2024-10-09"]
    assert [
        line["records"]
        for line in lines.with_message("time limit reached, remaining days wait for the next run")
    ] == [1]
    assert harness.shelf.published == []

    with pytest.raises(ExportPartialFailure):
        harness.round()

    assert harness.shelf.published == [SECOND_DAY]


def test_a_day_in_which_the_run_was_cut_off_goes_last_too(harness: Stage) -> None:
    harness.cut_off = FIRST_DAY
    with pytest.raises(CutOff):
        harness.round()

    with pytest.raises(CutOff):
        harness.round()

    assert harness.shelf.published == [SECOND_DAY]


def test_no_day_is_begun_in_the_second_half_of_a_round(harness: Stage) -> None:
    harness.takes[FIRST_DAY] = A_ROUND * 0.6

    with collect_logs() as lines:
        assert harness.round() == {"exported": 1, "open": 1}
    assert len(lines.with_message("time limit reached, remaining days wait for the next run")) == 1

    assert harness.round() == {"exported": 1, "open": 0}
    assert harness.shelf.published == [FIRST_DAY, SECOND_DAY]


def test_a_round_refuses_to_run_beside_another_one(harness: Stage) -> None:
    harness.exporter.acquire_lease(harness.clock() + A_ROUND)

    with pytest.raises(ExportAlreadyRunning):
        harness.round()

    assert harness.shelf.published == []


def test_a_round_that_was_cut_off_keeps_the_next_one_waiting_no_longer_than_it_could_run(
    harness: Stage,
) -> None:
    harness.exporter.acquire_lease(harness.clock() + A_ROUND)
    harness.clock.advance(A_ROUND)

    assert harness.round() == {"exported": 2, "open": 0}
