"""The example is what it says it is: read line by line, by rules written here and no code of the product."""

import json
import random
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from ops.local import market_day

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "tanah-abang-2024"
DEVICES = ("van-1", "kiosk-1", "van-2")
CHANNELS = {"van-1": "van", "van-2": "van", "kiosk-1": "kiosk"}
WEDNESDAY, THURSDAY = "2024-10-09", "2024-10-10"
OTHER_SEEDS = (1, 2, 3)

PROVINCES = {
    str(code)
    for first, last in ((11, 19), (21, 21), (31, 36), (51, 53), (61, 65), (71, 76), (81, 82), (91, 96))
    for code in range(first, last + 1)
}
# The lowest income of each contribution band, in thousands of rupiah.
BANDS = (0, 1100, 1300, 1500, 1700, 1900, 2100, 2300, 2500, 2700, 3200, 3700, 4200, 4700, 5200, 5700, 6200)
EXAMPLE_DOMAINS = ("@example.com", "@example.net", "@example.org")
# 0824 to 0826, 0834 to 0837 and 0854 are held by no operator.
UNASSIGNED = re.compile(r"\+628(2[4-6]|3[4-7]|54)\d+")

Body = dict[str, Any]


@dataclass(frozen=True)
class Line:
    device: str
    text: str
    body: Body

    @property
    def capture_id(self) -> str:
        return str(self.body["capture_id"])

    @property
    def captured_at(self) -> datetime:
        return datetime.fromisoformat(self.body["captured_at"])

    @property
    def day(self) -> str:
        return str(self.body["captured_at"])[:10]

    @property
    def nik(self) -> str:
        return re.sub(r"[ .\-]", "", self.body["worker"]["nik"])

    @property
    def phone(self) -> phonenumbers.PhoneNumber:
        return phonenumbers.parse(self.body["worker"]["phone"], "ID")

    @property
    def slip(self) -> str | None:
        """Why the line must be refused, if it must."""
        return _nik_slip(self.nik) or _phone_slip(self.phone)

    def is_again(self, other: "Line") -> bool:
        return self.text == other.text


def _nik_slip(nik: str) -> str | None:
    if len(nik) != 16:
        return "nik_too_short" if len(nik) < 16 else "nik_too_long"
    if nik[:2] not in PROVINCES:
        return "nik_province"
    if nik[12:] == "0000":
        return "nik_serial"
    return None if _birth_date(nik) else "nik_date"


def _phone_slip(phone: phonenumbers.PhoneNumber) -> str | None:
    if not phonenumbers.is_valid_number_for_region(phone, "ID"):
        return "phone_too_short"
    mobile = phonenumbers.number_type(phone) == phonenumbers.PhoneNumberType.MOBILE
    return None if mobile else "phone_landline"


def _birth_date(nik: str) -> date | None:
    day, month, year = int(nik[6:8]) % 40, int(nik[8:10]), int(nik[10:12])
    if int(nik[6:8]) > 71:
        return None
    try:
        return date(2000 + year if year < 25 else 1900 + year, month, day)
    except ValueError:
        return None


def _e164(line: Line) -> str:
    return phonenumbers.format_number(line.phone, phonenumbers.PhoneNumberFormat.E164)


def _parsed(files: dict[str, str]) -> dict[str, list[Line]]:
    return {
        device: [Line(device, text, json.loads(text)) for text in files[f"{device}.jsonl"].splitlines()]
        for device in DEVICES
    }


@dataclass
class Day:
    """What one day's lines came to when somebody sent them."""

    counts: Counter[str]
    by_channel: Counter[str]
    by_client: Counter[str]
    by_occupation: Counter[str]
    captures_by_client: Counter[str]
    refused_by_client: Counter[str]
    reasons: Counter[str]


def sent(lines: Sequence[Line]) -> dict[str, Day]:
    """Take the lines in the order given, by the rules of the contract and nothing else."""
    days = {day: Day(*(Counter() for _ in range(7))) for day in (WEDNESDAY, THURSDAY)}
    accepted: dict[str, Line] = {}
    workers: set[str] = set()
    for line in lines:
        day = days[line.day]
        if line.capture_id in accepted:
            day.counts["replays" if line.is_again(accepted[line.capture_id]) else "conflicts"] += 1
        elif line.slip:
            day.counts["refused"] += 1
            day.refused_by_client[line.device] += 1
            day.reasons[line.slip] += 1
        else:
            accepted[line.capture_id] = line
            day.counts["captures"] += 1
            day.captures_by_client[line.device] += 1
            if line.nik in workers:
                day.counts["already_registered"] += 1
            else:
                workers.add(line.nik)
                day.counts["created"] += 1
                day.by_client[line.device] += 1
                day.by_channel[CHANNELS[line.device]] += 1
                day.by_occupation.update(line.body["work"]["occupations"])
    return days


def _interleaved(files: dict[str, list[Line]], seed: int) -> list[Line]:
    """All devices at once, each in its own order."""
    draw = random.Random(seed)  # noqa: S311  A shuffle that can be repeated.
    turns = [device for device, lines in files.items() for _ in lines]
    draw.shuffle(turns)
    rest = {device: iter(lines) for device, lines in files.items()}
    return [next(rest[device]) for device in turns]


def _orders(files: dict[str, list[Line]]) -> Iterator[list[Line]]:
    for devices in permutations(DEVICES):
        yield [line for device in devices for line in files[device]]
    for seed in range(20):
        yield _interleaved(files, seed)


@pytest.fixture(scope="module")
def files() -> dict[str, list[Line]]:
    return _parsed({path.name: path.read_text(encoding="utf-8") for path in EXAMPLE.glob("*.jsonl")})


@pytest.fixture(scope="module")
def lines(files: dict[str, list[Line]]) -> list[Line]:
    return [line for device in DEVICES for line in files[device]]


@pytest.fixture(scope="module")
def captures(lines: list[Line]) -> list[Line]:
    """The first valid line of each capture id."""
    first: dict[str, Line] = {}
    for line in lines:
        if not line.slip:
            first.setdefault(line.capture_id, line)
    return list(first.values())


@pytest.fixture(scope="module")
def visits(captures: list[Line]) -> dict[str, list[Line]]:
    """The captures of each worker."""
    found = defaultdict(list)
    for capture in captures:
        found[capture.nik].append(capture)
    return found


@pytest.fixture(scope="module")
def expected() -> Body:
    loaded: Body = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))
    return loaded


# The files and the generator


def test_the_committed_files_are_what_the_generator_writes() -> None:
    for name, text in market_day.render_files(market_day.SEED).items():
        assert (EXAMPLE / name).read_bytes() == text.encode(), f"{name}: run python -m ops.local.market_day"


def test_nothing_but_the_generated_files_and_the_readme_is_there() -> None:
    generated = set(market_day.render_files(market_day.SEED))
    assert {path.name for path in EXAMPLE.iterdir()} == generated | {"README.md"}


def test_the_same_seed_gives_the_same_files_and_another_seed_gives_others() -> None:
    assert market_day.render_files(1) == market_day.render_files(1)
    first, second = market_day.render_files(1), market_day.render_files(2)
    assert all(first[name] != second[name] for name in first if name != "campaign.json")


def test_the_command_writes_the_files_where_it_is_told(tmp_path: Path) -> None:
    market_day.main(["--seed", "1", "--out", str(tmp_path / "there")])
    written = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    assert written == {name: text.encode() for name, text in market_day.render_files(1).items()}


# The contract


def _fields(body: Body) -> set[str]:
    return {
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in body.items()
        for inner in (value if isinstance(value, dict) else [""])
    }


def test_every_line_has_exactly_the_fields_of_the_contract(lines: list[Line]) -> None:
    fields = {
        "capture_id", "campaign_id", "captured_at", "officer",
        "worker.nik", "worker.name", "worker.birth_date", "worker.phone", "worker.email", "worker.address",
        "worker.postal_code", "worker.language",
        "work.occupations", "work.place", "work.monthly_income", "work.employs_others",
        "coverage.programmes", "coverage.months", "coverage.payer",
        "consent.text_version", "consent.given_at", "consent.method",
    }  # fmt: skip
    for line in lines:
        assert _fields(line.body) == fields


def test_the_campaign_has_exactly_the_fields_of_the_contract_and_its_own_days() -> None:
    campaign = json.loads((EXAMPLE / "campaign.json").read_text(encoding="utf-8"))
    managers = campaign.pop("managers")
    assert set(campaign) == {
        "campaign_id", "name", "branch", "place", "zone", "first_day", "last_day", "accepts_until",
        "summary_hour", "target", "sms_budget",
    }  # fmt: skip
    assert (campaign["first_day"], campaign["last_day"]) == (WEDNESDAY, THURSDAY)
    assert campaign["accepts_until"] == "2030-12-31"
    for manager in managers:
        assert set(manager) == {"name", "email", "phone"}
        assert manager["email"].endswith(EXAMPLE_DOMAINS)
        number = phonenumbers.parse(manager["phone"], "ID")
        assert UNASSIGNED.fullmatch(f"+{number.country_code}{number.national_number}")


def test_every_capture_id_is_a_uuid_of_version_7_made_at_the_capture(lines: list[Line]) -> None:
    seen: set[str] = set()
    for line in lines:
        parsed = uuid.UUID(line.capture_id)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert str(parsed) == line.capture_id
        if line.capture_id not in seen:
            assert parsed.int >> 80 == line.captured_at.timestamp() * 1000
        seen.add(line.capture_id)


def test_every_capture_was_taken_on_a_market_day_shortly_after_consent(lines: list[Line]) -> None:
    for line in lines:
        given_at = datetime.fromisoformat(line.body["consent"]["given_at"])
        assert line.body["captured_at"].endswith("+07:00")
        assert line.day in {WEDNESDAY, THURSDAY}
        assert timedelta(0) < line.captured_at - given_at < timedelta(minutes=3)


def test_every_line_asks_for_what_the_rules_allow(lines: list[Line]) -> None:
    for line in lines:
        work, coverage = line.body["work"], line.body["coverage"]
        assert tuple(coverage["programmes"]) in {("JKK", "JKM"), ("JKK", "JKM", "JHT")}
        assert "JHT" in coverage["programmes"] or not work["employs_others"]
        assert coverage["months"] in {1, 2, 3, 6, 12}
        assert coverage["payer"] in {"self", "sponsor", "csr", "state_budget"}
        assert len(set(work["occupations"])) == len(work["occupations"]) in {1, 2}
        assert re.fullmatch(r"[1-9]\d{4}", line.body["worker"]["postal_code"])
        assert re.fullmatch(r"ofc-\d\d", line.body["officer"])
        assert line.body["consent"]["method"] == "tick"
        assert line.body["worker"]["language"] == "id"


# The people


def test_there_are_at_least_330_captures_and_fewer_than_450_lines(
    lines: list[Line], captures: list[Line], visits: dict[str, list[Line]]
) -> None:
    assert len(visits) >= 300
    assert len(captures) >= 330
    assert len(lines) < 450


def test_every_nik_of_a_valid_capture_is_well_formed_and_states_the_birth_date(captures: list[Line]) -> None:
    for capture in captures:
        assert re.fullmatch(r"\d{16}", capture.nik)
        assert capture.nik[:2] in PROVINCES
        assert _birth_date(capture.nik) == date.fromisoformat(capture.body["worker"]["birth_date"])


def test_no_nik_has_a_serial_that_a_registry_would_have_reached(lines: list[Line]) -> None:
    assert all(line.nik[-4:] > "6000" for line in lines if line.slip not in {"nik_serial", "nik_too_short"})


def test_every_province_is_there_and_jakarta_most_of_all(visits: dict[str, list[Line]]) -> None:
    provinces = Counter(nik[:2] for nik in visits)
    assert set(provinces) == PROVINCES
    assert provinces.most_common(1)[0][0] == "31"


def test_women_and_men_are_there(visits: dict[str, list[Line]]) -> None:
    women = sum(int(nik[6:8]) > 40 for nik in visits)
    assert 0.25 < women / len(visits) < 0.55


def test_every_worker_is_17_to_64_on_the_day_and_both_ends_are_there(captures: list[Line]) -> None:
    ages = set()
    for capture in captures:
        born, day = _birth_date(capture.nik), date.fromisoformat(capture.day)
        assert born is not None
        ages.add(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))
    assert (min(ages), max(ages)) == (17, 64)


def test_every_phone_of_a_valid_capture_is_an_indonesian_mobile_that_nobody_holds(
    captures: list[Line],
) -> None:
    for capture in captures:
        assert phonenumbers.is_valid_number_for_region(capture.phone, "ID")
        assert phonenumbers.number_type(capture.phone) == phonenumbers.PhoneNumberType.MOBILE
        assert UNASSIGNED.fullmatch(_e164(capture))


@pytest.mark.parametrize(
    "shape", [r"08\d\d-", r"08\d+", r"08\d\d \d", r"\+62 8", r"\+628", r"628", r"8", r"\+62 0"]
)
def test_phones_are_typed_in_many_shapes(captures: list[Line], shape: str) -> None:
    assert any(re.match(shape, capture.body["worker"]["phone"]) for capture in captures)


@pytest.mark.parametrize("separator", [" ", ".", "-"])
def test_some_niks_are_typed_in_groups(captures: list[Line], separator: str) -> None:
    assert any(separator in capture.body["worker"]["nik"] for capture in captures)


def test_names_are_of_one_word_and_of_many_with_titles_and_apostrophes(visits: dict[str, list[Line]]) -> None:
    names = [captures[0].body["worker"]["name"] for captures in visits.values()]
    assert sum(" " not in name for name in names) > 40
    assert any(len(name) > 50 for name in names)
    assert any("'" in name for name in names)
    assert any("\u2019" in name for name in names)
    assert any(re.match(r"(H|Hj|R|R\.A)\. ", name) for name in names)
    assert any(re.search(r", [SM]\.", name) for name in names)


def test_e_mail_is_rare_and_never_anybodys(lines: list[Line]) -> None:
    addresses = [line.body["worker"]["email"] for line in lines if line.body["worker"]["email"] is not None]
    assert 0 < len(addresses) < len(lines) / 5
    assert all(address.endswith(EXAMPLE_DOMAINS) for address in addresses)


def test_most_are_porters_and_market_traders_and_some_have_two_trades(captures: list[Line]) -> None:
    trades = Counter(trade for capture in captures for trade in capture.body["work"]["occupations"])
    assert [trade for trade, _ in trades.most_common(2)] == ["porter", "market_trader"]
    assert len(trades) >= 12
    assert any(len(capture.body["work"]["occupations"]) == 2 for capture in captures)


def test_incomes_are_spread_over_the_bands(captures: list[Line]) -> None:
    incomes = [capture.body["work"]["monthly_income"] for capture in captures]
    bands = Counter(max(start for start in BANDS if start * 1000 <= income) for income in incomes)
    assert sum(count >= 5 for count in bands.values()) >= 5
    assert min(incomes) >= 800_000


def test_some_employ_others_and_some_are_paid_for(captures: list[Line]) -> None:
    assert any(capture.body["work"]["employs_others"] for capture in captures)
    payers = Counter(capture.body["coverage"]["payer"] for capture in captures)
    assert set(payers) == {"self", "sponsor", "csr", "state_budget"}
    assert payers["self"] > len(captures) / 2


def test_most_come_in_the_middle_of_the_morning(captures: list[Line]) -> None:
    hours = Counter(capture.captured_at.hour for capture in captures)
    assert hours.most_common(1)[0][0] in {9, 10}


# The mess of a market day


def test_a_worker_seen_twice_was_seen_by_intent(visits: dict[str, list[Line]], expected: Body) -> None:
    twice = {nik: captures for nik, captures in visits.items() if len(captures) > 1}
    assert len(visits) == expected["workers"]
    assert sum(len(captures) - 1 for captures in twice.values()) == expected["already_registered"]
    for captures in twice.values():
        assert len(captures) == 2
        assert len({capture.body["worker"]["name"] for capture in captures}) == 1
        assert len({_e164(capture) for capture in captures}) == 2
        assert len({tuple(capture.body["work"]["occupations"]) for capture in captures}) == 1


def test_workers_came_to_both_vans_on_one_day_and_on_two(visits: dict[str, list[Line]]) -> None:
    both = [captures for captures in visits.values() if {c.device for c in captures} == {"van-1", "van-2"}]
    assert sum(len({capture.day for capture in captures}) == 1 for captures in both) >= 10
    assert sum(len({capture.day for capture in captures}) == 2 for captures in both) >= 3


def test_the_workers_of_both_days_are_listed(visits: dict[str, list[Line]], expected: Body) -> None:
    listed = {frozenset(capture["capture_id"] for capture in pair) for pair in expected["across_days"]}
    assert listed == {
        frozenset(capture.capture_id for capture in captures)
        for captures in visits.values()
        if len({capture.day for capture in captures}) == 2
    }


def test_one_worker_of_both_days_arrives_from_the_later_day_first(visits: dict[str, list[Line]]) -> None:
    turned = [
        captures
        for captures in visits.values()
        if [(capture.device, capture.day) for capture in captures]
        == [("van-2", THURSDAY), ("van-2", WEDNESDAY)]
    ]
    assert len(turned) == 1


@pytest.mark.parametrize("device", DEVICES)
def test_captures_are_sent_again_at_once_and_much_later(files: dict[str, list[Line]], device: str) -> None:
    places = defaultdict(list)
    for place, line in enumerate(files[device]):
        places[line.text].append(place)
    again = [found for found in places.values() if len(found) > 1]
    assert any(found[1] == found[0] + 1 for found in again)
    assert any(found[-1] >= found[0] + 20 for found in again)
    assert any(len(found) == 4 for found in again)


def test_a_capture_that_was_already_registered_is_sent_again(lines: list[Line]) -> None:
    first_of_worker: dict[str, str] = {}
    for line in lines:
        if not line.slip:
            first_of_worker.setdefault(line.nik, line.capture_id)
    repeats = [line for line, count in Counter(line.text for line in lines).items() if count > 1]
    bodies = [Line("", text, json.loads(text)) for text in repeats]
    assert any(first_of_worker[line.nik] != line.capture_id for line in bodies)


def test_a_capture_id_is_reused_once_for_the_same_worker_and_once_for_another(lines: list[Line]) -> None:
    contents: dict[str, dict[str, Line]] = defaultdict(dict)
    for line in lines:
        contents[line.capture_id][line.text] = line
    reused = [list(found.values()) for found in contents.values() if len(found) > 1]
    assert sorted(len({line.nik for line in found}) for found in reused) == [1, 2]
    (mixed_up,) = [found[1] for found in reused if found[0].nik != found[1].nik]
    own = [line for line in lines if line.nik == mixed_up.nik and line.capture_id != mixed_up.capture_id]
    assert own, "the worker refused under another's id must be registered under an own one"


@pytest.mark.parametrize(
    "slip",
    [
        "nik_too_short",
        "nik_too_long",
        "nik_date",
        "nik_serial",
        "nik_province",
        "phone_landline",
        "phone_too_short",
    ],
)
def test_every_kind_of_slip_is_there_under_a_capture_id_of_its_own(
    lines: list[Line], captures: list[Line], expected: Body, slip: str
) -> None:
    found = [line for line in lines if line.slip == slip]
    assert len(found) == expected["refused"]["by_reason"][slip]
    assert not {line.capture_id for line in found} & {capture.capture_id for capture in captures}


def test_a_slip_has_one_fault_only(lines: list[Line]) -> None:
    assert not [line for line in lines if _nik_slip(line.nik) and _phone_slip(line.phone)]


def test_van_2_sends_captures_of_the_first_day_after_the_first_of_the_second(
    files: dict[str, list[Line]],
) -> None:
    days = [line.day for line in files["van-2"]]
    begins, ends = days.index(THURSDAY), len(days) - days[::-1].index(THURSDAY)
    assert days[begins:ends].count(WEDNESDAY) > 10
    assert days[:begins].count(WEDNESDAY) > 10


def test_some_captures_are_of_the_day_before_in_utc(captures: list[Line]) -> None:
    assert sum(capture.captured_at.hour < 7 for capture in captures) >= 10


def test_families_share_a_phone(captures: list[Line]) -> None:
    assert sorted(_sharers(captures)) == [2, 2, 2, 2, 3, 3]


def _sharers(captures: list[Line]) -> list[int]:
    workers = defaultdict(set)
    for capture in captures:
        workers[_e164(capture)].add(capture.nik)
    return [len(found) for found in workers.values() if len(found) > 1]


# What must come out


@pytest.fixture(scope="module", params=[market_day.SEED, *OTHER_SEEDS])
def generated_market(request: pytest.FixtureRequest) -> tuple[dict[str, list[Line]], Body]:
    texts = market_day.render_files(request.param)
    return _parsed(texts), json.loads(texts["expected.json"])


def test_what_is_expected_in_device_order_is_what_an_independent_count_finds(
    generated_market: tuple[dict[str, list[Line]], Body],
) -> None:
    files, expected = generated_market
    order = expected["in_device_order"]["order"]
    assert tuple(order) == DEVICES
    days = sent([line for device in order for line in files[device]])
    for name, day in expected["in_device_order"]["days"].items():
        counted = days[name]
        assert {count: counted.counts[count] for count in day["counts"]} == day["counts"]
        assert day["by_channel"] == counted.by_channel
        assert day["by_client"] == counted.by_client
        assert day["by_occupation"] == counted.by_occupation


def test_what_is_expected_in_any_order_holds_in_every_order(
    generated_market: tuple[dict[str, list[Line]], Body],
) -> None:
    files, expected = generated_market
    for order in _orders(files):
        days = sent(order)
        assert sum(day.counts["created"] for day in days.values()) == expected["workers"] == expected["texts"]
        for total in ("captures", "already_registered", "replays", "conflicts"):
            assert sum(day.counts[total] for day in days.values()) == expected[total]
        assert sum(day.counts["refused"] for day in days.values()) == expected["refused"]["total"]
        assert sum((day.by_occupation for day in days.values()), Counter()) == expected["by_occupation"]
        for name, day in expected["days"].items():
            _check_day(days[name], day)


def _check_day(counted: Day, day: Body) -> None:
    assert counted.counts["captures"] == day["captures"]
    assert counted.counts["refused"] == day["refused"]["total"]
    assert counted.reasons == day["refused"]["by_reason"]
    assert counted.counts["replays"] == day["replays"]
    assert counted.counts["conflicts"] == day["conflicts"]
    for outcome in ("created", "already_registered"):
        assert day[outcome]["least"] <= counted.counts[outcome] <= day[outcome]["most"]
    for client, numbers in day["by_client"].items():
        assert counted.captures_by_client[client] == numbers["captures"]
        assert counted.refused_by_client[client] == numbers["refused"]
        assert numbers["created"]["least"] <= counted.by_client[client] <= numbers["created"]["most"]


def test_the_least_and_the_most_of_a_device_are_reached(files: dict[str, list[Line]], expected: Body) -> None:
    """A range that no order reaches would let a wrong count through."""
    found = defaultdict(set)
    for devices in permutations(DEVICES):
        for name, day in sent([line for device in devices for line in files[device]]).items():
            for client, created in day.by_client.items():
                found[name, client].add(created)
    for name, day in expected["days"].items():
        for client, numbers in day["by_client"].items():
            reached = found[name, client]
            assert (min(reached), max(reached)) == (numbers["created"]["least"], numbers["created"]["most"])


# The page beside the files


def _table(name: str) -> dict[str, list[str]]:
    """The rows, by their first cell, of the table of the README whose head has the name in it."""
    blocks = re.split(r"\n\n", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
    (table,) = [block for block in blocks if block.startswith("|") and name in block.splitlines()[0]]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    return {first: rest for first, *rest in rows}


def test_the_readme_states_the_lines_of_each_file(files: dict[str, list[Line]]) -> None:
    table = _table("Lines")
    assert {f"`{path.name}`" for path in EXAMPLE.iterdir()} == set(table) | {"`README.md`"}
    assert {device: table[f"`{device}.jsonl`"][0] for device in DEVICES} == {
        device: str(len(lines)) for device, lines in files.items()
    }


def test_the_readme_states_what_must_come_out(expected: Body) -> None:
    assert {row: cells[0] for row, cells in _table("In all").items()} == {
        "Lines sent": str(expected["sends"]["total"]),
        "Captures that count": str(expected["captures"]),
        "Workers, and so registrations and texts": str(expected["workers"]),
        "Already registered": str(expected["already_registered"]),
        "Refused": str(expected["refused"]["total"]),
        "Answered again as the first time": str(expected["replays"]),
        "Refused as a reused capture id": str(expected["conflicts"]),
    }
    assert _table("Sent one device after another") == {
        name: [
            str(day["counts"][count]) for count in ("captures", "created", "already_registered", "refused")
        ]
        for name, day in expected["in_device_order"]["days"].items()
    }


def test_the_readme_counts_the_mess_rightly(
    lines: list[Line], captures: list[Line], visits: dict[str, list[Line]], files: dict[str, list[Line]]
) -> None:
    def slipped(*kinds: str) -> int:
        return sum(line.slip in kinds for line in lines)

    def workers(fits: Callable[[list[Line]], bool]) -> int:
        return sum(fits(found) for found in visits.values())

    names = [found[0].body["worker"]["name"] for found in visits.values()]
    days = [line.day for line in files["van-2"]]
    texts = Counter(line.text for line in lines)
    contents = defaultdict(set)
    for text in texts:
        contents[json.loads(text)["capture_id"]].add(text)
    slipped_people = {
        (line.body["worker"]["name"], line.body["worker"]["birth_date"]) for line in lines if line.slip
    }
    held = [line for line in files["van-2"][days.index(THURSDAY) :] if line.day == WEDNESDAY]
    sent_before = {line.capture_id for line in files["van-2"][: days.index(THURSDAY)]}
    assert {row: int(cells[0]) for row, cells in _table("How many").items()} == {
        "Captures sent again, byte for byte": sum(count > 1 for count in texts.values()),
        "Workers who came twice on one day": workers(lambda v: len(v) == 2 and v[0].day == v[1].day),
        "Workers who came on both days": workers(lambda v: len({capture.day for capture in v}) == 2),
        "Capture ids reused for other content": sum(len(found) > 1 for found in contents.values()),
        "NIKs with a digit too few or too many": slipped("nik_too_short", "nik_too_long"),
        "NIKs with an impossible date": slipped("nik_date"),
        "NIKs with serial 0000": slipped("nik_serial"),
        "NIKs of no province": slipped("nik_province"),
        "Landlines": slipped("phone_landline"),
        "Mobile numbers that stop too early": slipped("phone_too_short"),
        "Workers captured rightly after a slip": workers(
            lambda v: (v[0].body["worker"]["name"], v[0].body["worker"]["birth_date"]) in slipped_people
        ),
        "Captures of 9 October that arrive on the 10th": len(
            {line.capture_id for line in held} - sent_before
        ),
        "Captures before 07:00": sum(capture.captured_at.hour < 7 for capture in captures),
        "Phones shared by several workers": len(_sharers(captures)),
        "Workers with a name of one word": sum(" " not in name for name in names),
        "Names with an apostrophe": sum("'" in name or "\u2019" in name for name in names),
    }
