"""Invented workers, with a NIK, a name, a phone and an occupation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from string import ascii_lowercase

from faker import Faker

from ops.local.market_day.people import (
    FEMALE_DAYS,
    HIGHEST_SERIAL,
    JAKARTA,
    LOWEST_INVENTED_SERIAL,
    NAME_SHAPES,
    NAMES_WITH_APOSTROPHE,
    NEIGHBOURHOODS,
    OCCUPATIONS,
    OLDEST_BIRTH,
    PLACES,
    PROVINCES,
    TITLES,
    UNASSIGNED_MOBILE_PREFIXES,
    YOUNGEST_BIRTH,
    OccupationProfile,
)
from ops.local.market_day.randomness import RandomSource

MakeName = Callable[[], str]


@dataclass(frozen=True)
class Worker:
    """An invented worker, with what the worker asks for."""

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


class WorkerGenerator:
    """Makes workers, each with a NIK of its own."""

    def __init__(self, seed: int, source: RandomSource) -> None:
        self._source = source
        self._faker = Faker("id_ID")
        self._faker.seed_instance(seed)
        # First each province once, so that every seed has the rare ones; then by weight.
        self._provinces = source.shuffle(PROVINCES)
        self._birth_dates = [OLDEST_BIRTH, YOUNGEST_BIRTH]
        self._districts: set[tuple[str, date]] = set()

    def make_worker(self) -> Worker:
        source = self._source
        sex = "F" if source.chance(38) else "M"
        birth_date = self._pick_birth_date()
        name = self._make_name(sex)
        occupations = self._pick_occupations()
        employs_others = any(OCCUPATIONS[each].may_employ for each in occupations) and source.chance(22)
        address, postal_code = self._make_address()
        return Worker(
            nik=self._make_nik(sex, birth_date),
            name=name,
            birth_date=birth_date,
            mobile=self.make_mobile(),
            email=self._make_email(name) if source.chance(7) else None,
            address=address,
            postal_code=postal_code,
            occupations=occupations,
            place=source.pick_weighted(PLACES),
            monthly_income=self._pick_income(OCCUPATIONS[occupations[0]]),
            employs_others=employs_others,
            # An employer must also take the old-age programme (JHT).
            programmes=("JKK", "JKM", "JHT") if employs_others or source.chance(24) else ("JKK", "JKM"),
            months=source.pick_weighted({1: 36, 2: 10, 3: 30, 6: 14, 12: 10}),
            payer=source.pick_weighted({"self": 80, "sponsor": 8, "csr": 7, "state_budget": 5}),
        )

    def make_mobile(self) -> str:
        """Return a mobile number without its leading zero, in a block that no operator holds."""
        return self._source.pick(UNASSIGNED_MOBILE_PREFIXES) + self._source.digits(
            self._source.pick_weighted({7: 15, 8: 70, 9: 15})
        )

    def _pick_birth_date(self) -> date:
        if self._birth_dates:
            return self._birth_dates.pop()
        span = (YOUNGEST_BIRTH - OLDEST_BIRTH).days
        # The mean of two draws: most workers are of middle age.
        return OLDEST_BIRTH + timedelta(days=(self._source.below(span) + self._source.below(span)) // 2)

    def _make_nik(self, sex: str, birth_date: date) -> str:
        """Return a NIK: district code, birth date (with 40 added to a woman's day), serial."""
        source = self._source
        day = birth_date.day + (FEMALE_DAYS if sex == "F" else 0)
        district = self._pick_district()
        while (district, birth_date) in self._districts:
            district = self._pick_district()
        self._districts.add((district, birth_date))
        serial = source.between(LOWEST_INVENTED_SERIAL, HIGHEST_SERIAL)
        return f"{district}{day:02}{birth_date:%m%y}{serial:04}"

    def _pick_district(self) -> str:
        source = self._source
        province = self._provinces.pop() if self._provinces else source.pick_weighted(PROVINCES)
        if province == JAKARTA:
            return f"{province}{source.between(71, 75)}{source.between(1, 10):02}"
        regency = source.between(71, 74) if source.chance(30) else source.between(1, 18)
        return f"{province}{regency:02}{source.between(1, 30):02}"

    def _make_name(self, sex: str) -> str:
        source, faker = self._source, self._faker
        first = faker.first_name_female if sex == "F" else faker.first_name_male
        last = faker.last_name_female if sex == "F" else faker.last_name_male
        shapes: dict[str, MakeName] = {
            "one": first,
            "two": lambda: f"{first()} {last()}",
            "three": lambda: f"{first()} {first()} {last()}",
            "long": lambda: " ".join([first(), *(last() for _ in range(6))]),
            "apostrophe": lambda: f"{first()} {source.pick(NAMES_WITH_APOSTROPHE[sex])}",
            "title": lambda: f"{source.pick(TITLES[sex])} {first()} {last()}",
            "degree": lambda: f"{first()} {last()}, {faker.suffix()}",
        }
        return shapes[source.pick_weighted(NAME_SHAPES)]()

    def _make_email(self, name: str) -> str:
        local = "".join(
            letter for letter in name.lower().replace(" ", ".") if letter in ascii_lowercase + "."
        )
        domain = self._source.pick(("example.com", "example.net", "example.org"))
        return f"{local.strip('.')}{self._source.between(1, 99)}@{domain}"

    def _make_address(self) -> tuple[str, str]:
        source = self._source
        street = f"{self._faker.street_address()} RT {source.between(1, 15):03}/RW {source.between(1, 12):02}"
        if source.chance(65):
            neighbourhood = source.pick(list(NEIGHBOURHOODS))
            return f"{street}, {neighbourhood}, Jakarta", NEIGHBOURHOODS[neighbourhood]
        return f"{street}, {self._faker.city()}", f"{source.between(1, 9)}{source.digits(4)}"

    def _pick_occupations(self) -> tuple[str, ...]:
        weights = {occupation: profile.weight for occupation, profile in OCCUPATIONS.items()}
        first = self._source.pick_weighted(weights)
        if not self._source.chance(12):
            return (first,)
        del weights[first]
        return first, self._source.pick_weighted(weights)

    def _pick_income(self, profile: OccupationProfile) -> int:
        step = 50_000
        steps = (profile.highest_income - profile.lowest_income) // step
        # The lower of two draws: high incomes are rare.
        return profile.lowest_income + step * min(
            self._source.between(0, steps), self._source.between(0, steps)
        )
