"""The round over the exports: no day starves another, and no round gets in another's way."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.exports import schedule
from chalicelib.exports.model import ExportedFile, Manifest
from chalicelib.exports.schedule import AnotherRoundUnderWay, SomeDaysNotExported
from chalicelib.exports.service import Exporter
from chalicelib.privacy.hashing import HashKey, KeyedHash
from chalicelib.rollups.outbox import Reader, Waiting
from tests.contracts.stored import FIRST_DAY, SECOND_DAY
from tests.logs import logged
from tests.rollups.test_service import FINAL
from tests.rollups.test_service import Stage as Counting

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
    """Satisfies `exports.service.Shelf`: keeps the order of what was published."""

    def __init__(self) -> None:
        self.published: list[CampaignDay] = []

    def put(self, of: CampaignDay, version: int, rows: Iterable[bytes]) -> ExportedFile:
        return ExportedFile(key="rows", rows=len(list(rows)), bytes=0, sha256="")

    def publish(self, manifest: Manifest) -> None:
        self.published.append(CampaignDay(manifest.campaign_id, manifest.day))


class Stage(Counting):
    """Two final days that wait; reading one takes as long as is said here."""

    def __init__(self) -> None:
        super().__init__(FINAL)
        self.shelf = Shelf()
        self.takes: dict[CampaignDay, timedelta] = {}
        self.cut_off: CampaignDay | None = None
        self.exporter = Exporter(
            outbox=self.summaries.outbox,
            summaries=self.summaries,
            captures=self,
            shelf=self.shelf,
            hashing=KeyedHash(lambda: HashKey(b"k" * 32)),
            clock=self.clock,
        )
        self.clock.at = FINAL + timedelta(days=1)
        for of in (FIRST_DAY, SECOND_DAY):
            self.capture(of)
            self.tick()
            self.clock.forward(A_MINUTE)

    def captures_of(self, of: CampaignDay) -> Any:
        """Satisfies `exports.service.Captures`."""
        for fact in self.facts.captures_of(of):
            self.clock.forward(self.takes.get(of, timedelta()))
            if of == self.cut_off:
                raise CutOff
            yield fact

    def ask(self, of: CampaignDay, at: datetime) -> None:
        self.summaries.outbox.ask(Reader.ANALYSTS, Waiting(of, 1, at))

    def round(self) -> dict[str, int]:
        return schedule.export_days(self.exporter, self.clock, Invocation(self.clock))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_day_that_was_asked_for_first_comes_first(stage: Stage) -> None:
    stage.ask(FIRST_DAY, stage.clock())

    assert stage.round() == {"exported": 2, "open": 0}
    assert stage.shelf.published == [SECOND_DAY, FIRST_DAY]


def test_a_day_that_fails_goes_last(stage: Stage) -> None:
    stage.facts.unreadable.add(FIRST_DAY)
    with pytest.raises(SomeDaysNotExported):
        stage.round()
    stage.facts.unreadable.clear()
    stage.shelf.published.clear()
    # Asked for after the first day was, and before it was tried.
    stage.ask(SECOND_DAY, stage.clock() - timedelta(seconds=30))

    stage.round()

    assert stage.shelf.published == [SECOND_DAY, FIRST_DAY]


def test_a_day_that_takes_too_long_is_stopped_and_starves_no_other(stage: Stage) -> None:
    stage.takes[FIRST_DAY] = A_ROUND
    with logged() as lines, pytest.raises(SomeDaysNotExported):
        stage.round()
    assert [line["day"] for line in lines.saying("campaign day takes too long to export")] == ["2024-10-09"]
    assert [line["records"] for line in lines.saying("time is up, days wait for the next round")] == [1]
    assert stage.shelf.published == []

    with pytest.raises(SomeDaysNotExported):
        stage.round()

    assert stage.shelf.published == [SECOND_DAY]


def test_a_day_in_which_the_run_was_cut_off_goes_last_too(stage: Stage) -> None:
    stage.cut_off = FIRST_DAY
    with pytest.raises(CutOff):
        stage.round()

    with pytest.raises(CutOff):
        stage.round()

    assert stage.shelf.published == [SECOND_DAY]


def test_no_day_is_begun_in_the_second_half_of_a_round(stage: Stage) -> None:
    stage.takes[FIRST_DAY] = A_ROUND * 0.6

    with logged() as lines:
        assert stage.round() == {"exported": 1, "open": 1}
    assert len(lines.saying("time is up, days wait for the next round")) == 1

    assert stage.round() == {"exported": 1, "open": 0}
    assert stage.shelf.published == [FIRST_DAY, SECOND_DAY]


def test_a_round_refuses_to_run_beside_another_one(stage: Stage) -> None:
    stage.exporter.take_turn(stage.clock() + A_ROUND)

    with pytest.raises(AnotherRoundUnderWay):
        stage.round()

    assert stage.shelf.published == []


def test_a_round_that_was_cut_off_keeps_the_next_one_waiting_no_longer_than_it_could_run(
    stage: Stage,
) -> None:
    stage.exporter.take_turn(stage.clock() + A_ROUND)
    stage.clock.forward(A_ROUND)

    assert stage.round() == {"exported": 2, "open": 0}
