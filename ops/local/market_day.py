"""Writes examples/tanah-abang-2024: two days of registering workers at a market, with the mess they bring.

Everybody in it is invented. The same seed gives the same bytes on every supported Python, so the files can
stand in the repository and a test can tell when they and this module part ways. What must come out of sending
them is counted here from what the generator meant by each line, never by the code that the files try.

    python -m ops.local.market_day [--seed N] [--out DIR]
"""

import argparse
import json
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from faker import Faker

Option = TypeVar("Option")
Body = dict[str, Any]

SEED = 20241009
EXAMPLE_DIR = Path(__file__).resolve().parents[2] / "examples" / "tanah-abang-2024"
ZONE = ZoneInfo("Asia/Jakarta")
WEDNESDAY, THURSDAY = date(2024, 10, 9), date(2024, 10, 10)

CAMPAIGN: Body = {
    "campaign_id": "tanah-abang-2024",
    "name": "Aktivasi Pasar Tanah Abang",
    "branch": "Jakarta Salemba",
    "place": "Pasar Tanah Abang",
    "zone": ZONE.key,
    "first_day": WEDNESDAY.isoformat(),
    "last_day": THURSDAY.isoformat(),
    "accepts_until": "2030-12-31",
    "summary_hour": 20,
    "target": 500,
    "managers": [
        {"name": "Manajer Contoh Satu", "email": "manajer.satu@example.com", "phone": "+62 854-0000-0001"},
        {"name": "Manajer Contoh Dua", "email": "manajer.dua@example.org", "phone": "+62 854-0000-0002"},
    ],
    "sms_budget": 500000,
}


@dataclass(frozen=True)
class Device:
    client_id: str
    channel: str
    officers: tuple[str, ...]
    workers: Mapping[date, int]


VAN_1 = Device("van-1", "van", ("ofc-11", "ofc-12", "ofc-13", "ofc-14"), {WEDNESDAY: 72, THURSDAY: 62})
VAN_2 = Device("van-2", "van", ("ofc-21", "ofc-22", "ofc-23", "ofc-24"), {WEDNESDAY: 66, THURSDAY: 58})
KIOSK_1 = Device("kiosk-1", "kiosk", ("ofc-31", "ofc-32"), {WEDNESDAY: 38, THURSDAY: 34})
DEVICES = (VAN_1, KIOSK_1, VAN_2)
"""In the order in which the files are replayed when they are replayed one after another."""

# The share of a day's workers who come in each hour. The first porters come before seven, when it is still
# the day before in UTC: a count that takes the UTC date for the market's day comes out wrong on this data.
ARRIVALS = {6: 3, 7: 7, 8: 13, 9: 19, 10: 18, 11: 12, 12: 6, 13: 8, 14: 7, 15: 5, 16: 2}

# From half past eleven on Wednesday van 2 stands under Blok F without a signal. It sends what it took there
# on Thursday, after the first of that day's captures.
VAN_2_OFFLINE_FROM = datetime.combine(WEDNESDAY, time(11, 30), ZONE)
VAN_2_SYNCED_AT = datetime.combine(THURSDAY, time(9, 40), ZONE)

# The tablet's bug shows on each day after ten, when the queue is longest.
CAPTURE_REUSED_AFTER = {day: datetime.combine(day, time(10), ZONE) for day in (WEDNESDAY, THURSDAY)}
REPEATED_CAPTURES, REPEATED_RETURNING_CAPTURES = 7, 2
"""How many captures of each device are sent again, and how many more of workers who came twice."""


@dataclass(frozen=True)
class OccupationProfile:
    weight: int
    lowest_income: int
    highest_income: int
    may_employ: bool = False


OCCUPATIONS = {
    "porter": OccupationProfile(32, 800_000, 2_600_000),
    "market_trader": OccupationProfile(24, 1_500_000, 6_000_000, may_employ=True),
    "street_vendor": OccupationProfile(10, 1_000_000, 3_000_000),
    "food_vendor": OccupationProfile(9, 1_200_000, 4_200_000, may_employ=True),
    "shop_owner": OccupationProfile(5, 2_500_000, 6_000_000, may_employ=True),
    "ojek_driver": OccupationProfile(6, 1_500_000, 4_000_000),
    "angkot_driver": OccupationProfile(3, 1_800_000, 3_600_000),
    "courier": OccupationProfile(3, 1_800_000, 4_000_000),
    "parking_attendant": OccupationProfile(3, 1_000_000, 2_400_000),
    "tailor": OccupationProfile(4, 1_500_000, 4_500_000, may_employ=True),
    "waste_picker": OccupationProfile(2, 800_000, 1_500_000),
    "odd_jobs": OccupationProfile(3, 800_000, 1_800_000),
}

PLACES = {
    "Blok A": 18, "Blok B": 15, "Blok C": 4, "Blok D": 4, "Blok E": 4, "Blok F": 12, "Blok G": 13,
    "Jalan Jatibaru": 8, "Jalan Kebon Jati": 4, "Jalan Fachrudin": 4, "Stasiun Tanah Abang": 6,
    "Jembatan Penghubung": 4,
}  # fmt: skip

# Where people of this market live; everybody else lives in some city, at some postal code.
NEIGHBOURHOODS = {
    "Bendungan Hilir": "10210", "Karet Tengsin": "10220", "Kebon Melati": "10230", "Kebon Kacang": "10240",
    "Kampung Bali": "10250", "Petamburan": "10260", "Gelora": "10270", "Palmerah": "11480",
    "Manggarai": "12850",
}  # fmt: skip

# The provinces of the civil ministry's numbering, and how often this market's workers first got their NIK
# there. That numbering is not the statistics office's: 91 to 96 mean other provinces there, and 65 is easily
# forgotten.
PROVINCES = {
    "11": 2, "12": 5, "13": 9, "14": 1, "15": 1, "16": 3, "17": 1, "18": 4, "19": 1, "21": 1,
    "31": 90, "32": 46, "33": 44, "34": 5, "35": 22, "36": 28, "51": 1, "52": 2, "53": 2,
    "61": 1, "62": 1, "63": 1, "64": 1, "65": 1, "71": 1, "72": 1, "73": 3, "74": 1, "75": 1, "76": 1,
    "81": 1, "82": 1, "91": 1, "92": 1, "93": 1, "94": 1, "95": 1, "96": 1,
}  # fmt: skip
JAKARTA = "31"
NO_PROVINCE = "39"

# No operator holds these blocks of mobile numbers, and no registry hands out a serial this high for one
# birthday in one district: the numbers are valid in form, and belong to nobody.
UNASSIGNED_MOBILE_PREFIXES = ("824", "825", "826", "834", "835", "836", "837", "854")
LOWEST_INVENTED_SERIAL, HIGHEST_SERIAL = 6001, 9999

PHONE_SHAPES = {
    "0{0}-{1}-{2}": 28, "0{0}{1}{2}": 26, "0{0} {1} {2}": 16, "+62 {0} {1} {2}": 9, "+62{0}{1}{2}": 6,
    "62{0}{1}{2}": 7, "+62 {0}-{1}-{2}": 4, "{0}{1}{2}": 2, "+62 0{0} {1} {2}": 2,
}  # fmt: skip
NIK_SHAPES = {"{0}{1}{2}{3}": 92, "{0} {1} {2} {3}": 5, "{0}.{1}.{2}.{3}": 2, "{0}-{1}-{2}-{3}": 1}

# Faker's Indonesian names have no apostrophes, and Indonesian people's do. Some tablets type the curly one,
# which no single GSM-7 text can carry.
NAMES_WITH_APOSTROPHE = {
    "M": ("Nu'man", "Mas'ud", "Syafi'i", "Ma'mun", "Ri\u2019fat"),
    "F": ("Nur'aini", "Sa'diyah", "Mu'minah", "Isti'anah", "Ni\u2019mah"),
}
NAME_SHAPES = {"one": 19, "two": 58, "three": 10, "long": 2, "apostrophe": 5, "title": 4, "degree": 2}
TITLES = {"M": ("H.", "R.", "Tgk.", "Sutan"), "F": ("Hj.", "R.A.", "Cut", "Puti")}

FEMALE_DAYS = 40
OLDEST_BIRTH, YOUNGEST_BIRTH = date(1959, 10, 11), date(2007, 10, 9)
"""They make 17 to 64 on both days: the first turns 65 the day after, the last turns 17 on Wednesday."""


class RefusalReason(StrEnum):
    """Why a capture must be refused."""

    NIK_TOO_SHORT = "nik_too_short"
    NIK_TOO_LONG = "nik_too_long"
    NIK_DATE = "nik_date"
    NIK_SERIAL = "nik_serial"
    NIK_PROVINCE = "nik_province"
    PHONE_LANDLINE = "phone_landline"
    PHONE_TOO_SHORT = "phone_too_short"


class LineOutcome(StrEnum):
    """What one line must come to: a capture counts once, as created or as already registered."""

    COUNTED = "counted"
    REPLAYED = "replayed"
    REUSED = "reused"
    REFUSED = "refused"


CORRECTED_MISTAKES = {
    WEDNESDAY: (
        RefusalReason.NIK_TOO_SHORT,
        RefusalReason.NIK_DATE,
        RefusalReason.NIK_TOO_LONG,
        RefusalReason.PHONE_LANDLINE,
    ),
    THURSDAY: (
        RefusalReason.NIK_TOO_SHORT,
        RefusalReason.NIK_DATE,
        RefusalReason.NIK_SERIAL,
        RefusalReason.PHONE_TOO_SHORT,
    ),
}
"""Slips that the officer saw at once: the same worker is captured again, rightly, a few minutes later."""

UNCORRECTED_MISTAKES = {
    WEDNESDAY: (RefusalReason.NIK_SERIAL, RefusalReason.NIK_PROVINCE, RefusalReason.PHONE_LANDLINE),
    THURSDAY: (RefusalReason.NIK_DATE, RefusalReason.NIK_TOO_LONG, RefusalReason.PHONE_LANDLINE),
}
"""Slips of people who had walked on before the tablet refused them: they are registered nowhere."""


class RandomSource:
    """Draws made of `random()` alone, the one method whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311  An example must come out the same every time.

    def below(self, bound: int) -> int:
        return int(self._random() * bound)

    def between(self, lowest: int, highest: int) -> int:
        return lowest + self.below(highest - lowest + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.below(len(options))]

    def pick_weighted(self, weights: Mapping[Option, int]) -> Option:
        return self.pick([option for option, weight in weights.items() for _ in range(weight)])

    def shuffle(self, options: Iterable[Option]) -> list[Option]:
        rest = list(options)
        return [rest.pop(self.below(len(rest))) for _ in range(len(rest))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))


@dataclass(frozen=True)
class Worker:
    nik: str
    name: str
    birth_date: date
    mobile: str
    email: str | None
    address: str
    postal_code: str
    occupations: tuple[str, ...]
    place: str
    monthly_income: int
    employs_others: bool
    programmes: tuple[str, ...]
    months: int
    payer: str


@dataclass(frozen=True)
class CaptureLine:
    """One line of a file: the body that goes out, and what the generator meant by it."""

    device: Device
    captured_at: datetime
    worker: Worker
    body: Body = field(repr=False)
    outcome: LineOutcome = LineOutcome.COUNTED
    reason: RefusalReason | None = None

    @property
    def day(self) -> date:
        return self.captured_at.astimezone(ZONE).date()

    @property
    def capture_id(self) -> str:
        return str(self.body["capture_id"])


class WorkerGenerator:
    """Invents workers, no two with the same NIK."""

    def __init__(self, seed: int, source: RandomSource) -> None:
        self._source = source
        self._faker = Faker("id_ID")
        self._faker.seed_instance(seed)
        # Every province once, so that the rare numbers are there whatever the seed; the rest by weight.
        self._provinces = source.shuffle(PROVINCES)
        self._birth_dates = [OLDEST_BIRTH, YOUNGEST_BIRTH]
        self._districts: set[tuple[str, date]] = set()

    def make_worker(self) -> Worker:
        dice = self._source
        sex = "F" if dice.chance(38) else "M"
        birth_date = self._pick_birth_date()
        name = self._make_name(sex)
        occupations = self._pick_occupations()
        employs_others = any(OCCUPATIONS[trade].may_employ for trade in occupations) and dice.chance(22)
        address, postal_code = self._make_address()
        return Worker(
            nik=self._make_nik(sex, birth_date),
            name=name,
            birth_date=birth_date,
            mobile=self.make_mobile(),
            email=self._make_email(name) if dice.chance(7) else None,
            address=address,
            postal_code=postal_code,
            occupations=occupations,
            place=dice.pick_weighted(PLACES),
            monthly_income=self._pick_income(OCCUPATIONS[occupations[0]]),
            employs_others=employs_others,
            # Whoever employs others has to take the old-age programme as well.
            programmes=("JKK", "JKM", "JHT") if employs_others or dice.chance(24) else ("JKK", "JKM"),
            months=dice.pick_weighted({1: 36, 2: 10, 3: 30, 6: 14, 12: 10}),
            payer=dice.pick_weighted({"self": 80, "sponsor": 8, "csr": 7, "state_budget": 5}),
        )

    def make_mobile(self) -> str:
        """A mobile number without its leading zero, in a block that no operator holds."""
        return self._source.pick(UNASSIGNED_MOBILE_PREFIXES) + self._source.digits(
            self._source.pick_weighted({7: 15, 8: 70, 9: 15})
        )

    def _pick_birth_date(self) -> date:
        if self._birth_dates:
            return self._birth_dates.pop()
        span = (YOUNGEST_BIRTH - OLDEST_BIRTH).days
        # Two draws, because most people at a market are neither 17 nor 64.
        return OLDEST_BIRTH + timedelta(days=(self._source.below(span) + self._source.below(span)) // 2)

    def _make_nik(self, sex: str, birth_date: date) -> str:
        """Province, regency, district, birth date with 40 added to a woman's day, serial."""
        dice = self._source
        day = birth_date.day + (FEMALE_DAYS if sex == "F" else 0)
        place = self._pick_district()
        while (place, birth_date) in self._districts:
            place = self._pick_district()
        self._districts.add((place, birth_date))
        serial = dice.between(LOWEST_INVENTED_SERIAL, HIGHEST_SERIAL)
        return f"{place}{day:02}{birth_date:%m%y}{serial:04}"

    def _pick_district(self) -> str:
        dice = self._source
        province = self._provinces.pop() if self._provinces else dice.pick_weighted(PROVINCES)
        if province == JAKARTA:
            return f"{province}{dice.between(71, 75)}{dice.between(1, 10):02}"
        regency = dice.between(71, 74) if dice.chance(30) else dice.between(1, 18)
        return f"{province}{regency:02}{dice.between(1, 30):02}"

    def _make_name(self, sex: str) -> str:
        dice, faker = self._source, self._faker
        first = faker.first_name_female if sex == "F" else faker.first_name_male
        last = faker.last_name_female if sex == "F" else faker.last_name_male
        shapes: dict[str, Callable[[], str]] = {
            "one": first,
            "two": lambda: f"{first()} {last()}",
            "three": lambda: f"{first()} {first()} {last()}",
            "long": lambda: " ".join([first(), *(last() for _ in range(6))]),
            "apostrophe": lambda: f"{first()} {dice.pick(NAMES_WITH_APOSTROPHE[sex])}",
            "title": lambda: f"{dice.pick(TITLES[sex])} {first()} {last()}",
            "degree": lambda: f"{first()} {last()}, {faker.suffix()}",
        }
        return shapes[dice.pick_weighted(NAME_SHAPES)]()

    def _make_email(self, name: str) -> str:
        local = "".join(
            letter for letter in name.lower().replace(" ", ".") if letter in ascii_lowercase + "."
        )
        domain = self._source.pick(("example.com", "example.net", "example.org"))
        return f"{local.strip('.')}{self._source.between(1, 99)}@{domain}"

    def _make_address(self) -> tuple[str, str]:
        dice = self._source
        street = f"{self._faker.street_address()} RT {dice.between(1, 15):03}/RW {dice.between(1, 12):02}"
        if dice.chance(65):
            neighbourhood = dice.pick(list(NEIGHBOURHOODS))
            return f"{street}, {neighbourhood}, Jakarta", NEIGHBOURHOODS[neighbourhood]
        return f"{street}, {self._faker.city()}", f"{dice.between(1, 9)}{dice.digits(4)}"

    def _pick_occupations(self) -> tuple[str, ...]:
        weights = {trade: facts.weight for trade, facts in OCCUPATIONS.items()}
        first = self._source.pick_weighted(weights)
        if not self._source.chance(12):
            return (first,)
        del weights[first]
        return first, self._source.pick_weighted(weights)

    def _pick_income(self, profile: OccupationProfile) -> int:
        step = 50_000
        steps = (profile.highest_income - profile.lowest_income) // step
        # The lower of two draws: few earn the most that their trade can bring.
        return profile.lowest_income + step * min(
            self._source.between(0, steps), self._source.between(0, steps)
        )


class MarketDayGenerator:
    """Plays the two days on every device, and keeps what each of its lines means."""

    def __init__(self, seed: int) -> None:
        self._source = RandomSource(seed)
        self._workers = WorkerGenerator(seed, self._source)
        self._used_instants: set[tuple[str, datetime]] = set()

    def generate(self) -> dict[str, list[CaptureLine]]:
        """The lines of each device's file, in the order of sending."""
        sends = [send for device in DEVICES for day in device.workers for send in self._make_day(device, day)]
        sends += self._make_return_visits(sends)
        sends += self._make_reused_captures(sends)
        return {device.client_id: self._order_lines(device, sends) for device in DEVICES}

    def _make_day(self, device: Device, day: date) -> list[CaptureLine]:
        workers = [self._workers.make_worker() for _ in range(device.workers[day])]
        if device is VAN_1:
            workers = _share_phones(workers)
        sends = [self._make_capture(worker, device, self._pick_arrival(device, day)) for worker in workers]
        if device is KIOSK_1:
            return sends
        # The slips are dealt out to the two vans in turn.
        corrected = CORRECTED_MISTAKES[day][DEVICES.index(device) // 2 :: 2]
        gone = UNCORRECTED_MISTAKES[day][DEVICES.index(device) // 2 :: 2]
        slips = [
            self._make_mistake(
                send.worker,
                device,
                self._pick_earlier_instant(send, minutes=3),
                reason,
                officer=send.body["officer"],
            )
            for send, reason in zip(sends, corrected, strict=False)
        ]
        slips += [
            self._make_mistake(self._workers.make_worker(), device, self._pick_arrival(device, day), reason)
            for reason in gone
        ]
        return sends + slips

    def _make_return_visits(self, lines: Sequence[CaptureLine]) -> list[CaptureLine]:
        """The same worker at two devices or on two days: another phone, most often another officer."""
        slipped = {send.worker.nik for send in lines if send.outcome is LineOutcome.REFUSED}
        free = self._source.shuffle(send for send in lines if send.worker.nik not in slipped)

        def take(count: int, device: Device, day: date, after: datetime | None = None) -> list[CaptureLine]:
            fitting = [
                send
                for send in free
                if send.device is device and send.day == day and (after is None or send.captured_at > after)
            ][:count]
            free[:] = [send for send in free if send not in fitting]
            return fitting

        again = [
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
        again += [
            self._make_return_visit(first, other, THURSDAY)
            for device, other, count in ((VAN_1, VAN_2, 3), (VAN_2, VAN_1, 2), (KIOSK_1, KIOSK_1, 1))
            for first in take(count, device, WEDNESDAY)
        ]
        # This worker's Wednesday capture is still on the van when Thursday's is sent, so Thursday's is first.
        (held,) = take(1, VAN_2, WEDNESDAY, after=VAN_2_OFFLINE_FROM)
        at = datetime.combine(THURSDAY, time(7, 12, self._source.below(60)), ZONE)
        return [*again, self._make_capture(self._restate(held.worker), VAN_2, at)]

    def _make_return_visit(self, first: CaptureLine, device: Device, day: date) -> CaptureLine:
        return self._make_capture(self._restate(first.worker), device, self._pick_arrival(device, day))

    def _restate(self, worker: Worker) -> Worker:
        return replace(
            worker, mobile=self._workers.make_mobile(), monthly_income=worker.monthly_income + 100_000
        )

    def _make_reused_captures(self, lines: Sequence[CaptureLine]) -> list[CaptureLine]:
        """A tablet's bug, once on each day: a capture's id goes out again with other content."""
        once = _find_niks_sent(lines, times=1)
        own = sorted(
            (send for send in _select_counted(lines) if send.device is VAN_1 and send.worker.nik in once),
            key=lambda send: send.captured_at,
        )
        edited = next(send for send in own if send.captured_at > CAPTURE_REUSED_AFTER[WEDNESDAY])
        # The officer mends the phone of a capture that has been sent, and the tablet keeps the id.
        mended = self._make_capture(
            replace(edited.worker, mobile=self._workers.make_mobile()), VAN_1, edited.captured_at
        )
        # The next worker's capture goes out under the last one's id, and minutes later under one of its own.
        last, following = next(
            (send, after)
            for send, after in pairwise(own)
            if CAPTURE_REUSED_AFTER[THURSDAY] < send.captured_at < after.captured_at - timedelta(minutes=5)
        )
        mixed_up = self._make_capture(
            following.worker, VAN_1, self._pick_earlier_instant(following, minutes=2)
        )
        return [_reuse_capture_id(edited, mended), _reuse_capture_id(last, mixed_up)]

    def _order_lines(self, device: Device, capture_lines: Sequence[CaptureLine]) -> list[CaptureLine]:
        """One device's lines as captured, but for what was held back without a signal; and its repeats."""

        def sent_at(send: CaptureLine) -> tuple[datetime, datetime]:
            held = device is VAN_2 and send.day == WEDNESDAY and send.captured_at > VAN_2_OFFLINE_FROM
            return (VAN_2_SYNCED_AT if held else send.captured_at), send.captured_at

        lines = sorted((send for send in capture_lines if send.device is device), key=sent_at)
        reused = {send.capture_id for send in lines if send.outcome is LineOutcome.REUSED}
        plain = [send for send in _select_counted(lines) if send.capture_id not in reused]
        # Some repeats are of workers who came twice: the answer "already registered" has to repeat as well.
        twice = _find_niks_sent(_select_counted(capture_lines), times=2)
        repeated = [send for send in plain if send.worker.nik in twice][:REPEATED_RETURNING_CAPTURES]
        repeated = (
            self._source.shuffle(send for send in plain if send not in repeated)[:REPEATED_CAPTURES]
            + repeated
        )
        for number, send in enumerate(repeated):
            self._insert_repeats(lines, send, times=3 if number == 0 else 1, is_immediate=number % 3 == 1)
        return lines

    def _insert_repeats(
        self, lines: list[CaptureLine], line: CaptureLine, *, times: int, is_immediate: bool
    ) -> None:
        """Sends a line again: at once when an answer was lost, much later when a queue is emptied twice."""
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
        _MISTAKES[reason](body, self._source)
        return CaptureLine(device, captured_at, worker, body, LineOutcome.REFUSED, reason)

    def _pick_arrival(self, device: Device, day: date) -> datetime:
        hour = self._source.pick_weighted(ARRIVALS)
        at = datetime.combine(day, time(hour, self._source.below(60), self._source.below(60)), ZONE)
        return at if self._claim_instant(device, at) else self._pick_arrival(device, day)

    def _pick_earlier_instant(self, line: CaptureLine, *, minutes: int) -> datetime:
        at = line.captured_at - timedelta(minutes=minutes, seconds=self._source.below(60))
        return (
            at if self._claim_instant(line.device, at) else self._pick_earlier_instant(line, minutes=minutes)
        )

    def _claim_instant(self, device: Device, captured_at: datetime) -> bool:
        instant = (device.client_id, captured_at)
        free = instant not in self._used_instants
        self._used_instants.add(instant)
        return free

    def _make_body(self, worker: Worker, device: Device, captured_at: datetime) -> Body:
        dice = self._source
        mobile, nik = worker.mobile, worker.nik
        return {
            "capture_id": self._make_capture_id(captured_at),
            "campaign_id": CAMPAIGN["campaign_id"],
            "captured_at": captured_at.isoformat(),
            "officer": dice.pick(device.officers),
            "worker": {
                "nik": dice.pick_weighted(NIK_SHAPES).format(nik[:4], nik[4:8], nik[8:12], nik[12:]),
                "name": worker.name,
                "birth_date": worker.birth_date.isoformat(),
                "phone": dice.pick_weighted(PHONE_SHAPES).format(mobile[:3], mobile[3:7], mobile[7:]),
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
                "given_at": (captured_at - timedelta(seconds=dice.between(15, 150))).isoformat(),
                "method": "tick",
            },
        }

    def _make_capture_id(self, captured_at: datetime) -> str:
        """A UUIDv7: the milliseconds of the capture, then 74 bits of chance (RFC 9562, section 5.7)."""
        milliseconds = int(captured_at.astimezone(UTC).timestamp()) * 1000
        high, middle, low = (
            self._source.below(1 << 12),
            self._source.below(1 << 31),
            self._source.below(1 << 31),
        )
        bits = milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | middle << 31 | low
        return str(uuid.UUID(int=bits))


def _select_counted(lines: Iterable[CaptureLine]) -> list[CaptureLine]:
    return [send for send in lines if send.outcome is LineOutcome.COUNTED]


def _find_niks_sent(lines: Iterable[CaptureLine], *, times: int) -> set[str]:
    return {nik for nik, count in Counter(send.worker.nik for send in lines).items() if count == times}


def _reuse_capture_id(first: CaptureLine, second: CaptureLine) -> CaptureLine:
    body = second.body | {"capture_id": first.capture_id, "officer": first.body["officer"]}
    return replace(second, body=body, outcome=LineOutcome.REUSED)


def _share_phones(workers: Sequence[Worker]) -> list[Worker]:
    """A day's three families with one phone each: three, two and two of its first seven workers."""
    heads = {1: 0, 3: 2, 5: 4, 6: 0}
    return [
        replace(worker, mobile=workers[heads.get(number, number)].mobile)
        for number, worker in enumerate(workers)
    ]


def _mistype_nik(change: Callable[[str, RandomSource], str]) -> Callable[[Body, RandomSource], None]:
    def mistype(body: Body, dice: RandomSource) -> None:
        digits = "".join(character for character in body["worker"]["nik"] if character.isdigit())
        body["worker"]["nik"] = change(digits, dice)

    return mistype


def _replace_phone(make_phone: Callable[[RandomSource], str]) -> Callable[[Body, RandomSource], None]:
    def give(body: Body, dice: RandomSource) -> None:
        body["worker"]["phone"] = make_phone(dice)

    return give


# No subscriber's number in Jakarta begins with 1, so these landlines ring nowhere.
_MISTAKES: dict[RefusalReason, Callable[[Body, RandomSource], None]] = {
    RefusalReason.NIK_TOO_SHORT: _mistype_nik(
        lambda nik, dice: nik[: (cut := dice.between(6, 15))] + nik[cut + 1 :]
    ),
    RefusalReason.NIK_TOO_LONG: _mistype_nik(
        lambda nik, dice: nik[: (held := dice.between(6, 15))] + nik[held] + nik[held:]
    ),
    RefusalReason.NIK_DATE: _mistype_nik(
        lambda nik, dice: nik[:6] + dice.pick(("3102", "0013", "3511", "7204")) + nik[10:]
    ),
    RefusalReason.NIK_SERIAL: _mistype_nik(lambda nik, _: nik[:12] + "0000"),
    RefusalReason.NIK_PROVINCE: _mistype_nik(lambda nik, _: NO_PROVINCE + nik[2:]),
    RefusalReason.PHONE_LANDLINE: _replace_phone(lambda dice: f"021-1{dice.digits(3)}-{dice.digits(4)}"),
    RefusalReason.PHONE_TOO_SHORT: _replace_phone(
        lambda dice: f"0{dice.pick(UNASSIGNED_MOBILE_PREFIXES)}-{dice.digits(4)}"
    ),
}


@dataclass(frozen=True)
class FirstCaptures:
    """One worker's captures that could arrive first: the first of each device, which sends in order."""

    lines: tuple[CaptureLine, ...]

    def all_match(self, predicate: Callable[[CaptureLine], bool]) -> bool:
        return all(predicate(send) for send in self.lines)

    def any_match(self, predicate: Callable[[CaptureLine], bool]) -> bool:
        return any(predicate(send) for send in self.lines)


def compute_expected(files: Mapping[str, Sequence[CaptureLine]], seed: int) -> Body:
    """What must come out of sending the files: at once, in any interleaving, and one after another."""
    sends = [send for lines in files.values() for send in lines]
    contests = _group_first_captures(sends)
    return {
        "seed": seed,
        "sends": {"total": len(sends), "by_file": {name: len(lines) for name, lines in files.items()}},
        "workers": len(contests),
        "texts": len(contests),
        "captures": _count_lines(sends, LineOutcome.COUNTED),
        "already_registered": _count_lines(sends, LineOutcome.COUNTED) - len(contests),
        "replays": _count_lines(sends, LineOutcome.REPLAYED),
        "conflicts": _count_lines(sends, LineOutcome.REUSED),
        "refused": _count_refusals(sends),
        "by_occupation": _tally(
            trade for contest in contests for trade in contest.lines[0].worker.occupations
        ),
        "days": {day.isoformat(): _expect_any_order(sends, contests, day) for day in (WEDNESDAY, THURSDAY)},
        "in_device_order": {
            "order": list(files),
            "days": {day.isoformat(): _expect_file_order(sends, day) for day in (WEDNESDAY, THURSDAY)},
        },
        "across_days": _find_multi_day_captures(sends),
    }


def _group_first_captures(lines: Iterable[CaptureLine]) -> list[FirstCaptures]:
    firsts: dict[str, dict[str, CaptureLine]] = {}
    for send in _select_counted(lines):
        firsts.setdefault(send.worker.nik, {}).setdefault(send.device.client_id, send)
    return [FirstCaptures(tuple(by_device.values())) for by_device in firsts.values()]


def _expect_any_order(
    lines: Sequence[CaptureLine], first_captures: Sequence[FirstCaptures], day: date
) -> Body:
    ours = [send for send in lines if send.day == day]
    captures = _count_lines(ours, LineOutcome.COUNTED)

    def created(fits: Callable[[CaptureLine], bool]) -> dict[str, int]:
        return {
            "least": sum(
                contest.all_match(lambda send: send.day == day and fits(send)) for contest in first_captures
            ),
            "most": sum(
                contest.any_match(lambda send: send.day == day and fits(send)) for contest in first_captures
            ),
        }

    all_created = created(lambda _: True)
    return {
        "captures": captures,
        "created": all_created,
        "already_registered": {
            "least": captures - all_created["most"],
            "most": captures - all_created["least"],
        },
        "refused": _count_refusals(ours),
        "replays": _count_lines(ours, LineOutcome.REPLAYED),
        "conflicts": _count_lines(ours, LineOutcome.REUSED),
        "by_client": {
            device.client_id: {
                "captures": _count_lines(
                    (send for send in ours if send.device is device), LineOutcome.COUNTED
                ),
                "created": created(lambda send, device=device: send.device is device),  # type: ignore[misc]
                "refused": _count_lines(
                    (send for send in ours if send.device is device), LineOutcome.REFUSED
                ),
            }
            for device in DEVICES
        },
    }


def _expect_file_order(lines: Sequence[CaptureLine], day: date) -> Body:
    """The day's counts in the words of a summary."""
    first_of: dict[str, CaptureLine] = {}
    for send in _select_counted(lines):
        first_of.setdefault(send.worker.nik, send)
    created = [send for send in first_of.values() if send.day == day]
    ours = [send for send in lines if send.day == day]
    captures = _count_lines(ours, LineOutcome.COUNTED)
    return {
        "counts": {
            "captures": captures,
            "created": len(created),
            "already_registered": captures - len(created),
            "refused": _count_lines(ours, LineOutcome.REFUSED),
        },
        "by_channel": _tally(send.device.channel for send in created),
        "by_client": _tally(send.device.client_id for send in created),
        "by_occupation": _tally(trade for send in created for trade in send.worker.occupations),
    }


def _find_multi_day_captures(lines: Sequence[CaptureLine]) -> list[list[Body]]:
    """The captures of workers who came on both days: which one is created may hang on the order."""
    visits: dict[str, list[CaptureLine]] = {}
    for send in _select_counted(lines):
        visits.setdefault(send.worker.nik, []).append(send)
    return [
        [
            {"client": send.device.client_id, "day": send.day.isoformat(), "capture_id": send.capture_id}
            for send in captures
        ]
        for captures in visits.values()
        if len({send.day for send in captures}) > 1
    ]


def _count_lines(lines: Iterable[CaptureLine], outcome: LineOutcome) -> int:
    return sum(send.outcome is outcome for send in lines)


def _count_refusals(lines: Sequence[CaptureLine]) -> Body:
    return {
        "total": _count_lines(lines, LineOutcome.REFUSED),
        "by_reason": _tally(send.reason.value for send in lines if send.reason is not None),
    }


def _tally(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def render_files(seed: int) -> dict[str, str]:
    """Every generated file of the example by its name."""
    files = MarketDayGenerator(seed).generate()
    lines = {
        f"{client_id}.jsonl": "".join(json.dumps(send.body, ensure_ascii=False) + "\n" for send in sends)
        for client_id, sends in files.items()
    }
    return {
        "campaign.json": json.dumps(CAMPAIGN, ensure_ascii=False, indent=2) + "\n",
        **lines,
        "expected.json": json.dumps(compute_expected(files, seed), ensure_ascii=False, indent=2) + "\n",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ops.local.market_day", description="Write the market example."
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="which two days to invent (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=EXAMPLE_DIR, help="where to write them (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in render_files(options.seed).items():
        (options.out / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{options.out / name}: {text.count(chr(10))} lines\n")


if __name__ == "__main__":
    main()
