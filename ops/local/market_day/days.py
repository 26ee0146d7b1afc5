"""The captures of the two market days, with repeats, returns, mistakes and reused ids."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from ops.local.market_day.lines import CaptureLine, LineOutcome, RefusalReason, select_counted
from ops.local.market_day.mistakes import CORRECTED_MISTAKES, MAKE_MISTAKE, UNCORRECTED_MISTAKES
from ops.local.market_day.people import NIK_SHAPES, PHONE_SHAPES
from ops.local.market_day.randomness import RandomSource
from ops.local.market_day.setting import (
    ARRIVALS,
    CAMPAIGN,
    CAPTURE_REUSED_AFTER,
    DEVICES,
    KIOSK_1,
    REPEATED_CAPTURES,
    REPEATED_RETURNING_CAPTURES,
    THURSDAY,
    VAN_1,
    VAN_2,
    VAN_2_OFFLINE_FROM,
    VAN_2_SYNCED_AT,
    WEDNESDAY,
    ZONE,
    Body,
    Device,
)
from ops.local.market_day.workers import Worker, WorkerGenerator


class MarketDayGenerator:
    """Makes the lines of every device, each with its intended outcome."""

    def __init__(self, seed: int) -> None:
        self._source = RandomSource(seed)
        self._workers = WorkerGenerator(seed, self._source)
        self._used_instants: set[tuple[str, datetime]] = set()

    def generate(self) -> dict[str, list[CaptureLine]]:
        """Return the lines by device, in the order of sending."""
        lines = [line for device in DEVICES for day in device.workers for line in self._make_day(device, day)]
        lines += self._make_return_visits(lines)
        lines += self._make_reused_captures(lines)
        return {device.client_id: self._order_lines(device, lines) for device in DEVICES}

    def _make_day(self, device: Device, day: date) -> list[CaptureLine]:
        workers = [self._workers.make_worker() for _ in range(device.workers[day])]
        if device is VAN_1:
            workers = _share_phones(workers)
        lines = [self._make_capture(worker, device, self._pick_arrival(device, day)) for worker in workers]
        if device is KIOSK_1:
            return lines
        # The two vans take the mistakes in turn.
        corrected = CORRECTED_MISTAKES[day][DEVICES.index(device) // 2 :: 2]
        uncorrected = UNCORRECTED_MISTAKES[day][DEVICES.index(device) // 2 :: 2]
        mistakes = [
            self._make_mistake(
                line.worker,
                device,
                self._pick_earlier_instant(line, minutes=3),
                reason,
                officer=line.body["officer"],
            )
            for line, reason in zip(lines, corrected, strict=False)
        ]
        mistakes += [
            self._make_mistake(self._workers.make_worker(), device, self._pick_arrival(device, day), reason)
            for reason in uncorrected
        ]
        return lines + mistakes

    def _make_return_visits(self, lines: Sequence[CaptureLine]) -> list[CaptureLine]:
        """Return second captures of workers: at another device or on the other day, with another phone."""
        mistaken = {line.worker.nik for line in lines if line.outcome is LineOutcome.REFUSED}
        free = self._source.shuffle(line for line in lines if line.worker.nik not in mistaken)

        def take(
            count: int, device: Device, day: date, captured_after: datetime | None = None
        ) -> list[CaptureLine]:
            fitting = [
                line
                for line in free
                if line.device is device
                and line.day == day
                and (captured_after is None or line.captured_at > captured_after)
            ][:count]
            free[:] = [line for line in free if line not in fitting]
            return fitting

        visits = [
            self._make_return_visit(first, other, day)
            for device, day, other, count in (
                (VAN_1, WEDNESDAY, VAN_2, 7),
                (VAN_2, WEDNESDAY, VAN_1, 2),
                (VAN_1, THURSDAY, VAN_2, 6),
                (KIOSK_1, WEDNESDAY, VAN_1, 2),
                (KIOSK_1, THURSDAY, VAN_2, 1),
            )
            for first in take(count, device, day)
        ]
        visits += [
            self._make_return_visit(first, other, THURSDAY)
            for device, other, count in ((VAN_1, VAN_2, 3), (VAN_2, VAN_1, 2), (KIOSK_1, KIOSK_1, 1))
            for first in take(count, device, WEDNESDAY)
        ]
        # This worker's capture of Wednesday is still on the offline van, so that of Thursday arrives first.
        (unsent,) = take(1, VAN_2, WEDNESDAY, captured_after=VAN_2_OFFLINE_FROM)
        captured_at = datetime.combine(THURSDAY, time(7, 12, self._source.below(60)), ZONE)
        return [*visits, self._make_capture(self._restate(unsent.worker), VAN_2, captured_at)]

    def _make_return_visit(self, first: CaptureLine, device: Device, day: date) -> CaptureLine:
        return self._make_capture(self._restate(first.worker), device, self._pick_arrival(device, day))

    def _restate(self, worker: Worker) -> Worker:
        return replace(
            worker, mobile=self._workers.make_mobile(), monthly_income=worker.monthly_income + 100_000
        )

    def _make_reused_captures(self, lines: Sequence[CaptureLine]) -> list[CaptureLine]:
        """Return one capture of each day that reuses the id of another capture."""
        once = _find_niks_sent(lines, times=1)
        own = sorted(
            (line for line in select_counted(lines) if line.device is VAN_1 and line.worker.nik in once),
            key=lambda line: line.captured_at,
        )
        edited = next(line for line in own if line.captured_at > CAPTURE_REUSED_AFTER[WEDNESDAY])
        # The officer corrects the phone of a capture that was sent, and the tablet keeps the id.
        corrected = self._make_capture(
            replace(edited.worker, mobile=self._workers.make_mobile()), VAN_1, edited.captured_at
        )
        # The next worker's capture is sent with the id of the last one, and minutes later with its own id.
        last, following = next(
            (line, after)
            for line, after in pairwise(own)
            if CAPTURE_REUSED_AFTER[THURSDAY] < line.captured_at < after.captured_at - timedelta(minutes=5)
        )
        mixed_up = self._make_capture(
            following.worker, VAN_1, self._pick_earlier_instant(following, minutes=2)
        )
        return [_reuse_capture_id(edited, corrected), _reuse_capture_id(last, mixed_up)]

    def _order_lines(self, device: Device, capture_lines: Sequence[CaptureLine]) -> list[CaptureLine]:
        """Return one device's lines in the order of sending, with its repeats."""

        def sent_at(line: CaptureLine) -> tuple[datetime, datetime]:
            was_offline = device is VAN_2 and line.day == WEDNESDAY and line.captured_at > VAN_2_OFFLINE_FROM
            return (VAN_2_SYNCED_AT if was_offline else line.captured_at), line.captured_at

        lines = sorted((line for line in capture_lines if line.device is device), key=sent_at)
        reused = {line.capture_id for line in lines if line.outcome is LineOutcome.REUSED}
        plain = [line for line in select_counted(lines) if line.capture_id not in reused]
        # Some repeats are of workers who came twice, to repeat the answer "already registered" as well.
        twice = _find_niks_sent(select_counted(capture_lines), times=2)
        repeated = [line for line in plain if line.worker.nik in twice][:REPEATED_RETURNING_CAPTURES]
        repeated = (
            self._source.shuffle(line for line in plain if line not in repeated)[:REPEATED_CAPTURES]
            + repeated
        )
        for number, line in enumerate(repeated):
            self._insert_repeats(lines, line, times=3 if number == 0 else 1, is_immediate=number % 3 == 1)
        return lines

    def _insert_repeats(
        self, lines: list[CaptureLine], line: CaptureLine, *, times: int, is_immediate: bool
    ) -> None:
        """Send a line again: at once (its answer was lost) or much later (its queue was sent twice)."""
        first = lines.index(line)
        for _ in range(times):
            place = (
                first + 1 if is_immediate else self._source.between(min(first + 20, len(lines)), len(lines))
            )
            lines.insert(place, replace(line, outcome=LineOutcome.REPLAYED))

    def _make_capture(self, worker: Worker, device: Device, captured_at: datetime) -> CaptureLine:
        return CaptureLine(device, captured_at, worker, self._make_body(worker, device, captured_at))

    def _make_mistake(
        self,
        worker: Worker,
        device: Device,
        captured_at: datetime,
        reason: RefusalReason,
        *,
        officer: str | None = None,
    ) -> CaptureLine:
        body = self._make_body(worker, device, captured_at)
        body["officer"] = officer or body["officer"]
        MAKE_MISTAKE[reason](body, self._source)
        return CaptureLine(device, captured_at, worker, body, LineOutcome.REFUSED, reason)

    def _pick_arrival(self, device: Device, day: date) -> datetime:
        hour = self._source.pick_weighted(ARRIVALS)
        arrival = datetime.combine(day, time(hour, self._source.below(60), self._source.below(60)), ZONE)
        return arrival if self._claim_instant(device, arrival) else self._pick_arrival(device, day)

    def _pick_earlier_instant(self, line: CaptureLine, *, minutes: int) -> datetime:
        instant = line.captured_at - timedelta(minutes=minutes, seconds=self._source.below(60))
        if self._claim_instant(line.device, instant):
            return instant
        return self._pick_earlier_instant(line, minutes=minutes)

    def _claim_instant(self, device: Device, captured_at: datetime) -> bool:
        instant = (device.client_id, captured_at)
        is_free = instant not in self._used_instants
        self._used_instants.add(instant)
        return is_free

    def _make_body(self, worker: Worker, device: Device, captured_at: datetime) -> Body:
        source = self._source
        mobile, nik = worker.mobile, worker.nik
        return {
            "capture_id": self._make_capture_id(captured_at),
            "campaign_id": CAMPAIGN["campaign_id"],
            "captured_at": captured_at.isoformat(),
            "officer": source.pick(device.officers),
            "worker": {
                "nik": source.pick_weighted(NIK_SHAPES).format(nik[:4], nik[4:8], nik[8:12], nik[12:]),
                "name": worker.name,
                "birth_date": worker.birth_date.isoformat(),
                "phone": source.pick_weighted(PHONE_SHAPES).format(mobile[:3], mobile[3:7], mobile[7:]),
                "email": worker.email,
                "address": worker.address,
                "postal_code": worker.postal_code,
                "language": "id",
            },
            "work": {
                "occupations": list(worker.occupations),
                "place": worker.place,
                "monthly_income": worker.monthly_income,
                "employs_others": worker.employs_others,
            },
            "coverage": {
                "programmes": list(worker.programmes),
                "months": worker.months,
                "payer": worker.payer,
            },
            "consent": {
                "text_version": "2024-10",
                "given_at": (captured_at - timedelta(seconds=source.between(15, 150))).isoformat(),
                "method": "tick",
            },
        }

    def _make_capture_id(self, captured_at: datetime) -> str:
        """Return a UUIDv7: the milliseconds of the capture, then 74 random bits (RFC 9562, section 5.7)."""
        milliseconds = int(captured_at.astimezone(UTC).timestamp()) * 1000
        high, middle, low = (
            self._source.below(1 << 12),
            self._source.below(1 << 31),
            self._source.below(1 << 31),
        )
        bits = milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | middle << 31 | low
        return str(uuid.UUID(int=bits))


def _find_niks_sent(lines: Iterable[CaptureLine], *, times: int) -> set[str]:
    return {nik for nik, count in Counter(line.worker.nik for line in lines).items() if count == times}


def _reuse_capture_id(first: CaptureLine, second: CaptureLine) -> CaptureLine:
    body = second.body | {"capture_id": first.capture_id, "officer": first.body["officer"]}
    return replace(second, body=body, outcome=LineOutcome.REUSED)


def _share_phones(workers: Sequence[Worker]) -> list[Worker]:
    """Return the workers with three families among the first seven, each with one phone."""
    heads = {1: 0, 3: 2, 5: 4, 6: 0}
    return [
        replace(worker, mobile=workers[heads.get(number, number)].mobile)
        for number, worker in enumerate(workers)
    ]
