"""Writes examples/tanah-abang-2024: two days of registering workers at a market, with the mess they bring.

Everybody in it is invented. The same seed gives the same bytes on every supported Python, so the files can
stand in the repository and a test can tell when they and this module part ways. What must come out of sending
them is counted here from what the generator meant by each line, never by the code that the files try.

    python -m ops.market_day [--seed N] [--out DIR]
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
DIRECTORY = Path(__file__).resolve().parent.parent / "examples" / "tanah-abang-2024"
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
VAN_2_LOST_SIGNAL = datetime.combine(WEDNESDAY, time(11, 30), ZONE)
VAN_2_CAUGHT_UP = datetime.combine(THURSDAY, time(9, 40), ZONE)

# The tablet's bug shows on each day after ten, when the queue is longest.
REUSED_AFTER = {day: datetime.combine(day, time(10), ZONE) for day in (WEDNESDAY, THURSDAY)}
REPEATED, REPEATED_OF_TWICE_TOLD = 7, 2
"""How many captures of each device are sent again, and how many more of workers who came twice."""


@dataclass(frozen=True)
class Trade:
    weight: int
    lowest_income: int
    highest_income: int
    may_employ: bool = False


TRADES = {
    "porter": Trade(32, 800_000, 2_600_000),
    "market_trader": Trade(24, 1_500_000, 6_000_000, may_employ=True),
    "street_vendor": Trade(10, 1_000_000, 3_000_000),
    "food_vendor": Trade(9, 1_200_000, 4_200_000, may_employ=True),
    "shop_owner": Trade(5, 2_500_000, 6_000_000, may_employ=True),
    "ojek_driver": Trade(6, 1_500_000, 4_000_000),
    "angkot_driver": Trade(3, 1_800_000, 3_600_000),
    "courier": Trade(3, 1_800_000, 4_000_000),
    "parking_attendant": Trade(3, 1_000_000, 2_400_000),
    "tailor": Trade(4, 1_500_000, 4_500_000, may_employ=True),
    "waste_picker": Trade(2, 800_000, 1_500_000),
    "odd_jobs": Trade(3, 800_000, 1_800_000),
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
UNASSIGNED_MOBILE = ("824", "825", "826", "834", "835", "836", "837", "854")
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


class Reason(StrEnum):
    """Why a capture must be refused."""

    NIK_TOO_SHORT = "nik_too_short"
    NIK_TOO_LONG = "nik_too_long"
    NIK_DATE = "nik_date"
    NIK_SERIAL = "nik_serial"
    NIK_PROVINCE = "nik_province"
    PHONE_LANDLINE = "phone_landline"
    PHONE_TOO_SHORT = "phone_too_short"


class Fate(StrEnum):
    """What one line must come to: a capture counts once, as created or as already registered."""

    COUNTED = "counted"
    REPLAYED = "replayed"
    REUSED = "reused"
    REFUSED = "refused"


CORRECTED = {
    WEDNESDAY: (Reason.NIK_TOO_SHORT, Reason.NIK_DATE, Reason.NIK_TOO_LONG, Reason.PHONE_LANDLINE),
    THURSDAY: (Reason.NIK_TOO_SHORT, Reason.NIK_DATE, Reason.NIK_SERIAL, Reason.PHONE_TOO_SHORT),
}
"""Slips that the officer saw at once: the same worker is captured again, rightly, a few minutes later."""

GONE = {
    WEDNESDAY: (Reason.NIK_SERIAL, Reason.NIK_PROVINCE, Reason.PHONE_LANDLINE),
    THURSDAY: (Reason.NIK_DATE, Reason.NIK_TOO_LONG, Reason.PHONE_LANDLINE),
}
"""Slips of people who had walked on before the tablet refused them: they are registered nowhere."""


class Dice:
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

    def weighed(self, weights: Mapping[Option, int]) -> Option:
        return self.pick([option for option, weight in weights.items() for _ in range(weight)])

    def shuffled(self, options: Iterable[Option]) -> list[Option]:
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
class Send:
    """One line of a file: the body that goes out, and what the generator meant by it."""

    device: Device
    captured_at: datetime
    worker: Worker
    body: Body = field(repr=False)
    fate: Fate = Fate.COUNTED
    reason: Reason | None = None

    @property
    def day(self) -> date:
        return self.captured_at.astimezone(ZONE).date()

    @property
    def capture_id(self) -> str:
        return str(self.body["capture_id"])


class People:
    """Invents workers, no two with the same NIK."""

    def __init__(self, seed: int, dice: Dice) -> None:
        self._dice = dice
        self._faker = Faker("id_ID")
        self._faker.seed_instance(seed)
        # Every province once, so that the rare numbers are there whatever the seed; the rest by weight.
        self._provinces = dice.shuffled(PROVINCES)
        self._birth_dates = [OLDEST_BIRTH, YOUNGEST_BIRTH]
        self._districts: set[tuple[str, date]] = set()

    def worker(self) -> Worker:
        dice = self._dice
        sex = "F" if dice.chance(38) else "M"
        birth_date = self._birth_date()
        name = self._name(sex)
        occupations = self._occupations()
        employs_others = any(TRADES[trade].may_employ for trade in occupations) and dice.chance(22)
        address, postal_code = self._home()
        return Worker(
            nik=self._nik(sex, birth_date),
            name=name,
            birth_date=birth_date,
            mobile=self.mobile(),
            email=self._email(name) if dice.chance(7) else None,
            address=address,
            postal_code=postal_code,
            occupations=occupations,
            place=dice.weighed(PLACES),
            monthly_income=self._income(TRADES[occupations[0]]),
            employs_others=employs_others,
            # Whoever employs others has to take the old-age programme as well.
            programmes=("JKK", "JKM", "JHT") if employs_others or dice.chance(24) else ("JKK", "JKM"),
            months=dice.weighed({1: 36, 2: 10, 3: 30, 6: 14, 12: 10}),
            payer=dice.weighed({"self": 80, "sponsor": 8, "csr": 7, "state_budget": 5}),
        )

    def mobile(self) -> str:
        """A mobile number without its leading zero, in a block that no operator holds."""
        return self._dice.pick(UNASSIGNED_MOBILE) + self._dice.digits(
            self._dice.weighed({7: 15, 8: 70, 9: 15})
        )

    def _birth_date(self) -> date:
        if self._birth_dates:
            return self._birth_dates.pop()
        span = (YOUNGEST_BIRTH - OLDEST_BIRTH).days
        # Two draws, because most people at a market are neither 17 nor 64.
        return OLDEST_BIRTH + timedelta(days=(self._dice.below(span) + self._dice.below(span)) // 2)

    def _nik(self, sex: str, birth_date: date) -> str:
        """Province, regency, district, birth date with 40 added to a woman's day, serial."""
        dice = self._dice
        day = birth_date.day + (FEMALE_DAYS if sex == "F" else 0)
        place = self._district()
        while (place, birth_date) in self._districts:
            place = self._district()
        self._districts.add((place, birth_date))
        serial = dice.between(LOWEST_INVENTED_SERIAL, HIGHEST_SERIAL)
        return f"{place}{day:02}{birth_date:%m%y}{serial:04}"

    def _district(self) -> str:
        dice = self._dice
        province = self._provinces.pop() if self._provinces else dice.weighed(PROVINCES)
        if province == JAKARTA:
            return f"{province}{dice.between(71, 75)}{dice.between(1, 10):02}"
        regency = dice.between(71, 74) if dice.chance(30) else dice.between(1, 18)
        return f"{province}{regency:02}{dice.between(1, 30):02}"

    def _name(self, sex: str) -> str:
        dice, faker = self._dice, self._faker
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
        return shapes[dice.weighed(NAME_SHAPES)]()

    def _email(self, name: str) -> str:
        local = "".join(
            letter for letter in name.lower().replace(" ", ".") if letter in ascii_lowercase + "."
        )
        domain = self._dice.pick(("example.com", "example.net", "example.org"))
        return f"{local.strip('.')}{self._dice.between(1, 99)}@{domain}"

    def _home(self) -> tuple[str, str]:
        dice = self._dice
        street = f"{self._faker.street_address()} RT {dice.between(1, 15):03}/RW {dice.between(1, 12):02}"
        if dice.chance(65):
            neighbourhood = dice.pick(list(NEIGHBOURHOODS))
            return f"{street}, {neighbourhood}, Jakarta", NEIGHBOURHOODS[neighbourhood]
        return f"{street}, {self._faker.city()}", f"{dice.between(1, 9)}{dice.digits(4)}"

    def _occupations(self) -> tuple[str, ...]:
        weights = {trade: facts.weight for trade, facts in TRADES.items()}
        first = self._dice.weighed(weights)
        if not self._dice.chance(12):
            return (first,)
        del weights[first]
        return first, self._dice.weighed(weights)

    def _income(self, trade: Trade) -> int:
        step = 50_000
        steps = (trade.highest_income - trade.lowest_income) // step
        # The lower of two draws: few earn the most that their trade can bring.
        return trade.lowest_income + step * min(self._dice.between(0, steps), self._dice.between(0, steps))


class MarketDays:
    """Plays the two days on every device, and keeps what each of its lines means."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(seed)
        self._people = People(seed, self._dice)
        self._used_instants: set[tuple[str, datetime]] = set()

    def play(self) -> dict[str, list[Send]]:
        """The lines of each device's file, in the order of sending."""
        sends = [send for device in DEVICES for day in device.workers for send in self._day(device, day)]
        sends += self._people_who_come_twice(sends)
        sends += self._reused_captures(sends)
        return {device.client_id: self._file(device, sends) for device in DEVICES}

    def _day(self, device: Device, day: date) -> list[Send]:
        workers = [self._people.worker() for _ in range(device.workers[day])]
        if device is VAN_1:
            workers = _sharing_phones(workers)
        sends = [self._capture(worker, device, self._arrival(device, day)) for worker in workers]
        if device is KIOSK_1:
            return sends
        # The slips are dealt out to the two vans in turn.
        corrected = CORRECTED[day][DEVICES.index(device) // 2 :: 2]
        gone = GONE[day][DEVICES.index(device) // 2 :: 2]
        slips = [
            self._slip(
                send.worker, device, self._before(send, minutes=3), reason, officer=send.body["officer"]
            )
            for send, reason in zip(sends, corrected, strict=False)
        ]
        slips += [
            self._slip(self._people.worker(), device, self._arrival(device, day), reason) for reason in gone
        ]
        return sends + slips

    def _people_who_come_twice(self, sends: Sequence[Send]) -> list[Send]:
        """The same worker at two devices or on two days: another phone, most often another officer."""
        slipped = {send.worker.nik for send in sends if send.fate is Fate.REFUSED}
        free = self._dice.shuffled(send for send in sends if send.worker.nik not in slipped)

        def take(count: int, device: Device, day: date, after: datetime | None = None) -> list[Send]:
            fitting = [
                send
                for send in free
                if send.device is device and send.day == day and (after is None or send.captured_at > after)
            ][:count]
            free[:] = [send for send in free if send not in fitting]
            return fitting

        again = [
            self._second_visit(first, other, day)
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
            self._second_visit(first, other, THURSDAY)
            for device, other, count in ((VAN_1, VAN_2, 3), (VAN_2, VAN_1, 2), (KIOSK_1, KIOSK_1, 1))
            for first in take(count, device, WEDNESDAY)
        ]
        # This worker's Wednesday capture is still on the van when Thursday's is sent, so Thursday's is first.
        (held,) = take(1, VAN_2, WEDNESDAY, after=VAN_2_LOST_SIGNAL)
        at = datetime.combine(THURSDAY, time(7, 12, self._dice.below(60)), ZONE)
        return [*again, self._capture(self._as_told_again(held.worker), VAN_2, at)]

    def _second_visit(self, first: Send, device: Device, day: date) -> Send:
        return self._capture(self._as_told_again(first.worker), device, self._arrival(device, day))

    def _as_told_again(self, worker: Worker) -> Worker:
        return replace(worker, mobile=self._people.mobile(), monthly_income=worker.monthly_income + 100_000)

    def _reused_captures(self, sends: Sequence[Send]) -> list[Send]:
        """A tablet's bug, once on each day: a capture's id goes out again with other content."""
        once = _workers_sent(sends, times=1)
        own = sorted(
            (send for send in _counted(sends) if send.device is VAN_1 and send.worker.nik in once),
            key=lambda send: send.captured_at,
        )
        edited = next(send for send in own if send.captured_at > REUSED_AFTER[WEDNESDAY])
        # The officer mends the phone of a capture that has been sent, and the tablet keeps the id.
        mended = self._capture(
            replace(edited.worker, mobile=self._people.mobile()), VAN_1, edited.captured_at
        )
        # The next worker's capture goes out under the last one's id, and minutes later under one of its own.
        last, following = next(
            (send, after)
            for send, after in pairwise(own)
            if REUSED_AFTER[THURSDAY] < send.captured_at < after.captured_at - timedelta(minutes=5)
        )
        mixed_up = self._capture(following.worker, VAN_1, self._before(following, minutes=2))
        return [_under_the_id_of(edited, mended), _under_the_id_of(last, mixed_up)]

    def _file(self, device: Device, sends: Sequence[Send]) -> list[Send]:
        """One device's lines as captured, but for what was held back without a signal; and its repeats."""

        def sent_at(send: Send) -> tuple[datetime, datetime]:
            held = device is VAN_2 and send.day == WEDNESDAY and send.captured_at > VAN_2_LOST_SIGNAL
            return (VAN_2_CAUGHT_UP if held else send.captured_at), send.captured_at

        lines = sorted((send for send in sends if send.device is device), key=sent_at)
        reused = {send.capture_id for send in lines if send.fate is Fate.REUSED}
        plain = [send for send in _counted(lines) if send.capture_id not in reused]
        # Some repeats are of workers who came twice: the answer "already registered" has to repeat as well.
        twice = _workers_sent(_counted(sends), times=2)
        repeated = [send for send in plain if send.worker.nik in twice][:REPEATED_OF_TWICE_TOLD]
        repeated = self._dice.shuffled(send for send in plain if send not in repeated)[:REPEATED] + repeated
        for number, send in enumerate(repeated):
            self._repeat(lines, send, times=3 if number == 0 else 1, at_once=number % 3 == 1)
        return lines

    def _repeat(self, lines: list[Send], send: Send, *, times: int, at_once: bool) -> None:
        """Sends a line again: at once when an answer was lost, much later when a queue is emptied twice."""
        first = lines.index(send)
        for _ in range(times):
            place = first + 1 if at_once else self._dice.between(min(first + 20, len(lines)), len(lines))
            lines.insert(place, replace(send, fate=Fate.REPLAYED))

    def _capture(self, worker: Worker, device: Device, captured_at: datetime) -> Send:
        return Send(device, captured_at, worker, self._body(worker, device, captured_at))

    def _slip(
        self,
        worker: Worker,
        device: Device,
        captured_at: datetime,
        reason: Reason,
        *,
        officer: str | None = None,
    ) -> Send:
        body = self._body(worker, device, captured_at)
        body["officer"] = officer or body["officer"]
        _SLIPS[reason](body, self._dice)
        return Send(device, captured_at, worker, body, Fate.REFUSED, reason)

    def _arrival(self, device: Device, day: date) -> datetime:
        hour = self._dice.weighed(ARRIVALS)
        at = datetime.combine(day, time(hour, self._dice.below(60), self._dice.below(60)), ZONE)
        return at if self._take_instant(device, at) else self._arrival(device, day)

    def _before(self, send: Send, *, minutes: int) -> datetime:
        at = send.captured_at - timedelta(minutes=minutes, seconds=self._dice.below(60))
        return at if self._take_instant(send.device, at) else self._before(send, minutes=minutes)

    def _take_instant(self, device: Device, at: datetime) -> bool:
        instant = (device.client_id, at)
        free = instant not in self._used_instants
        self._used_instants.add(instant)
        return free

    def _body(self, worker: Worker, device: Device, captured_at: datetime) -> Body:
        dice = self._dice
        mobile, nik = worker.mobile, worker.nik
        return {
            "capture_id": self._capture_id(captured_at),
            "campaign_id": CAMPAIGN["campaign_id"],
            "captured_at": captured_at.isoformat(),
            "officer": dice.pick(device.officers),
            "worker": {
                "nik": dice.weighed(NIK_SHAPES).format(nik[:4], nik[4:8], nik[8:12], nik[12:]),
                "name": worker.name,
                "birth_date": worker.birth_date.isoformat(),
                "phone": dice.weighed(PHONE_SHAPES).format(mobile[:3], mobile[3:7], mobile[7:]),
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

    def _capture_id(self, captured_at: datetime) -> str:
        """A UUIDv7: the milliseconds of the capture, then 74 bits of chance (RFC 9562, section 5.7)."""
        milliseconds = int(captured_at.astimezone(UTC).timestamp()) * 1000
        high, middle, low = self._dice.below(1 << 12), self._dice.below(1 << 31), self._dice.below(1 << 31)
        bits = milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | middle << 31 | low
        return str(uuid.UUID(int=bits))


def _counted(sends: Iterable[Send]) -> list[Send]:
    return [send for send in sends if send.fate is Fate.COUNTED]


def _workers_sent(sends: Iterable[Send], *, times: int) -> set[str]:
    return {nik for nik, count in Counter(send.worker.nik for send in sends).items() if count == times}


def _under_the_id_of(first: Send, second: Send) -> Send:
    body = second.body | {"capture_id": first.capture_id, "officer": first.body["officer"]}
    return replace(second, body=body, fate=Fate.REUSED)


def _sharing_phones(workers: Sequence[Worker]) -> list[Worker]:
    """A day's three families with one phone each: three, two and two of its first seven workers."""
    heads = {1: 0, 3: 2, 5: 4, 6: 0}
    return [
        replace(worker, mobile=workers[heads.get(number, number)].mobile)
        for number, worker in enumerate(workers)
    ]


def _mistype_nik(change: Callable[[str, Dice], str]) -> Callable[[Body, Dice], None]:
    def mistype(body: Body, dice: Dice) -> None:
        digits = "".join(character for character in body["worker"]["nik"] if character.isdigit())
        body["worker"]["nik"] = change(digits, dice)

    return mistype


def _give_phone(number: Callable[[Dice], str]) -> Callable[[Body, Dice], None]:
    def give(body: Body, dice: Dice) -> None:
        body["worker"]["phone"] = number(dice)

    return give


# No subscriber's number in Jakarta begins with 1, so these landlines ring nowhere.
_SLIPS: dict[Reason, Callable[[Body, Dice], None]] = {
    Reason.NIK_TOO_SHORT: _mistype_nik(
        lambda nik, dice: nik[: (cut := dice.between(6, 15))] + nik[cut + 1 :]
    ),
    Reason.NIK_TOO_LONG: _mistype_nik(
        lambda nik, dice: nik[: (held := dice.between(6, 15))] + nik[held] + nik[held:]
    ),
    Reason.NIK_DATE: _mistype_nik(
        lambda nik, dice: nik[:6] + dice.pick(("3102", "0013", "3511", "7204")) + nik[10:]
    ),
    Reason.NIK_SERIAL: _mistype_nik(lambda nik, _: nik[:12] + "0000"),
    Reason.NIK_PROVINCE: _mistype_nik(lambda nik, _: NO_PROVINCE + nik[2:]),
    Reason.PHONE_LANDLINE: _give_phone(lambda dice: f"021-1{dice.digits(3)}-{dice.digits(4)}"),
    Reason.PHONE_TOO_SHORT: _give_phone(lambda dice: f"0{dice.pick(UNASSIGNED_MOBILE)}-{dice.digits(4)}"),
}


@dataclass(frozen=True)
class Contest:
    """One worker's captures that could arrive first: the first of each device, which sends in order."""

    firsts: tuple[Send, ...]

    def least(self, fits: Callable[[Send], bool]) -> bool:
        return all(fits(send) for send in self.firsts)

    def most(self, fits: Callable[[Send], bool]) -> bool:
        return any(fits(send) for send in self.firsts)


def expectation(files: Mapping[str, Sequence[Send]], seed: int) -> Body:
    """What must come out of sending the files: at once, in any interleaving, and one after another."""
    sends = [send for lines in files.values() for send in lines]
    contests = _contests(sends)
    return {
        "seed": seed,
        "sends": {"total": len(sends), "by_file": {name: len(lines) for name, lines in files.items()}},
        "workers": len(contests),
        "texts": len(contests),
        "captures": _count(sends, Fate.COUNTED),
        "already_registered": _count(sends, Fate.COUNTED) - len(contests),
        "replays": _count(sends, Fate.REPLAYED),
        "conflicts": _count(sends, Fate.REUSED),
        "refused": _refused(sends),
        "by_occupation": _tally(
            trade for contest in contests for trade in contest.firsts[0].worker.occupations
        ),
        "days": {day.isoformat(): _in_any_order(sends, contests, day) for day in (WEDNESDAY, THURSDAY)},
        "in_device_order": {
            "order": list(files),
            "days": {day.isoformat(): _in_this_order(sends, day) for day in (WEDNESDAY, THURSDAY)},
        },
        "across_days": _across_days(sends),
    }


def _contests(sends: Iterable[Send]) -> list[Contest]:
    firsts: dict[str, dict[str, Send]] = {}
    for send in _counted(sends):
        firsts.setdefault(send.worker.nik, {}).setdefault(send.device.client_id, send)
    return [Contest(tuple(by_device.values())) for by_device in firsts.values()]


def _in_any_order(sends: Sequence[Send], contests: Sequence[Contest], day: date) -> Body:
    ours = [send for send in sends if send.day == day]
    captures = _count(ours, Fate.COUNTED)

    def created(fits: Callable[[Send], bool]) -> dict[str, int]:
        return {
            "least": sum(contest.least(lambda send: send.day == day and fits(send)) for contest in contests),
            "most": sum(contest.most(lambda send: send.day == day and fits(send)) for contest in contests),
        }

    all_created = created(lambda _: True)
    return {
        "captures": captures,
        "created": all_created,
        "already_registered": {
            "least": captures - all_created["most"],
            "most": captures - all_created["least"],
        },
        "refused": _refused(ours),
        "replays": _count(ours, Fate.REPLAYED),
        "conflicts": _count(ours, Fate.REUSED),
        "by_client": {
            device.client_id: {
                "captures": _count((send for send in ours if send.device is device), Fate.COUNTED),
                "created": created(lambda send, device=device: send.device is device),  # type: ignore[misc]
                "refused": _count((send for send in ours if send.device is device), Fate.REFUSED),
            }
            for device in DEVICES
        },
    }


def _in_this_order(sends: Sequence[Send], day: date) -> Body:
    """The day's counts in the words of a summary."""
    first_of: dict[str, Send] = {}
    for send in _counted(sends):
        first_of.setdefault(send.worker.nik, send)
    created = [send for send in first_of.values() if send.day == day]
    ours = [send for send in sends if send.day == day]
    captures = _count(ours, Fate.COUNTED)
    return {
        "counts": {
            "captures": captures,
            "created": len(created),
            "already_registered": captures - len(created),
            "refused": _count(ours, Fate.REFUSED),
        },
        "by_channel": _tally(send.device.channel for send in created),
        "by_client": _tally(send.device.client_id for send in created),
        "by_occupation": _tally(trade for send in created for trade in send.worker.occupations),
    }


def _across_days(sends: Sequence[Send]) -> list[list[Body]]:
    """The captures of workers who came on both days: which one is created may hang on the order."""
    visits: dict[str, list[Send]] = {}
    for send in _counted(sends):
        visits.setdefault(send.worker.nik, []).append(send)
    return [
        [
            {"client": send.device.client_id, "day": send.day.isoformat(), "capture_id": send.capture_id}
            for send in captures
        ]
        for captures in visits.values()
        if len({send.day for send in captures}) > 1
    ]


def _count(sends: Iterable[Send], fate: Fate) -> int:
    return sum(send.fate is fate for send in sends)


def _refused(sends: Sequence[Send]) -> Body:
    return {
        "total": _count(sends, Fate.REFUSED),
        "by_reason": _tally(send.reason.value for send in sends if send.reason is not None),
    }


def _tally(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def texts_of_files(seed: int) -> dict[str, str]:
    """Every generated file of the example by its name."""
    files = MarketDays(seed).play()
    lines = {
        f"{client_id}.jsonl": "".join(json.dumps(send.body, ensure_ascii=False) + "\n" for send in sends)
        for client_id, sends in files.items()
    }
    return {
        "campaign.json": json.dumps(CAMPAIGN, ensure_ascii=False, indent=2) + "\n",
        **lines,
        "expected.json": json.dumps(expectation(files, seed), ensure_ascii=False, indent=2) + "\n",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ops.market_day", description="Write the market example.")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="which two days to invent (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=DIRECTORY, help="where to write them (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in texts_of_files(options.seed).items():
        (options.out / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{options.out / name}: {text.count(chr(10))} lines\n")


if __name__ == "__main__":
    main()
