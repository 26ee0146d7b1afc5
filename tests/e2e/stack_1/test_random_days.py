"""A random scenario is sent in, and the stack's summaries are compared with an independent recount.

The recount knows what was sent and answered, and nothing of how the stack counts.
DAFTAR_SCENARIO_STEPS sets the length of the scenario, DAFTAR_SCENARIO_SEED its seed.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import httpx
import pytest

from tests.support.isolated_campaign import Market, await_pipeline_idle, open_market
from tests.support.payloads import make_capture_id, make_expiry_day
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

STEPS = int(os.environ.get("DAFTAR_SCENARIO_STEPS", "160"))
SEED = int(os.environ.get("DAFTAR_SCENARIO_SEED", "4711"))

DAYS = ("2024-10-09", "2024-10-10")
DEVICES = {"van-1": "van", "van-2": "van", "kiosk-1": "kiosk", "bot": "bot"}
OCCUPATIONS = ("porter", "tailor", "market_trader")
ENDED = {"cancelled", "lapsed"}
SHARED = "0824-5559-"
PHONE_FLAGGED_AFTER = 5

# What of a summary the recount knows to the last one. Texts are on their way while it is made.
TOLD = (
    *("counts", "by_channel", "by_client", "by_occupation", "by_officer", "by_programme", "by_sex"),
    *("by_age", "by_hour", "refused_by_reason", "funnel", "money"),
)


@dataclass
class Person:
    """Somebody at the market, as the recount knows them; `references` lead to the registrations told of."""

    nik: str
    born: date
    phone: str
    sex: str
    standing: "Application | None" = None


@dataclass
class Application:
    """One registration."""

    person: Person
    day: str
    quoted: int
    reference: str | None
    status: str = "received"
    paid: int = 0
    is_erased: bool = False


@dataclass
class SentCapture:
    """One capture that was sent, and what it must have come to."""

    body: dict[str, Any]
    client: str
    outcome: str
    person: Person
    reasons: tuple[str, ...] = ()
    over_flag: bool = False
    is_erased: bool = False

    @property
    def day(self) -> str:
        return str(self.body["captured_at"])[:10]


@dataclass
class Scenario:
    """What happens at a market, step by step, and the books that the recount keeps of it."""

    market: Market
    chance: Random
    people: list[Person] = field(default_factory=list)
    sent_captures: dict[str, SentCapture] = field(default_factory=dict)
    applied: list[Application] = field(default_factory=list)
    given: Counter[str] = field(default_factory=Counter)
    number: int = 0

    def run(self, steps: int) -> None:
        """So many things happen."""
        acts = (
            (30, self.register_new_worker),
            (8, self.register_known_worker),
            (8, self.resend_capture),
            (8, self.send_mistyped_capture),
            (4, self.send_corrected_capture),
            (12, self.report_payment),
            (5, self.issue_payment_code),
            (8, self.cancel_registration),
            (6, self.erase_worker),
            (6, self.fire_hourly_run),
            (1, self.fire_daily_run),
        )
        weights, calls = zip(*acts, strict=True)
        for call in self.chance.choices(calls, weights, k=steps):
            call()

    def register_new_worker(self) -> None:
        # Every fifth one gives the same number: a family's, or an agent's.
        self.number += 1
        is_shared = self.chance.random() < 0.2
        phone = f"{SHARED}{self.number // 400:04}" if is_shared else f"0824-5558-{self.number:04}"
        person = self.make_person(phone)
        self.people.append(person)
        self.register(person, by="van-1" if is_shared else self.choose_device())

    def register_run(self, length: int) -> None:
        """Somebody makes people up: one serial after the other, a minute between them."""
        first = self.make_person("")
        for serial in range(length):
            person = Person(
                f"{first.nik[:12]}{serial + 1001}", first.born, f"0824-5557-{serial:04}", first.sex
            )
            self.people.append(person)
            at = f"2024-10-10T04:{10 + serial}:00+07:00"
            self.register(person, by="van-2", captured_at=at)

    def register_known_worker(self) -> None:
        known = [each for each in self.people if not each.phone.startswith(SHARED)]
        if known:
            self.register(self.chance.choice(known), by=self.choose_device())

    def resend_capture(self) -> None:
        accepted = [
            each for each in self.sent_captures.values() if each.outcome != "refused" and not each.is_erased
        ]
        if accepted:
            again = self.chance.choice(accepted)
            answer = self.market.register(again.body, caller=again.client)
            assert answer.headers.get("Idempotent-Replayed") == "true", answer.text

    def send_mistyped_capture(self) -> None:
        client = self.chance.choice(sorted(DEVICES))
        faults: list[tuple[dict[str, Any], tuple[str, ...]]] = [
            ({"nik": "31"}, ("nik_length",)),
            ({"postal_code": "0"}, ("postal_code_malformed",)),
            ({"nik": "31", "postal_code": "0"}, ("nik_length", "postal_code_malformed")),
            ({"birth_date": "1950-01-01"}, ("age_too_old",)),
        ]
        fault, reasons = self.chance.choice(faults)
        person = self.make_person(f"0824-5556-{self.number:04}")
        body = self.make_body(person)
        mistyped = {**body, "worker": {**body["worker"], **fault}}
        answer = self.market.register(mistyped, caller=client)
        assert answer.status_code == 422, answer.text
        self.sent_captures[body["capture_id"]] = SentCapture(body, client, "refused", person, reasons)

    def send_corrected_capture(self) -> None:
        refused = [each for each in self.sent_captures.values() if each.outcome == "refused"]
        if refused:
            mended = self.chance.choice(refused)
            self.people.append(mended.person)
            self.send(mended.body, mended.person, mended.client)

    def report_payment(self) -> None:
        open_ones = [
            each
            for each in self.applications()
            if each.status in {"received", "awaiting_payment", "active", "lapsed"}
        ]
        if open_ones:
            paid = self.chance.choice(open_ones)
            self.number += 1
            amount = self.chance.randrange(16_800, 900_000)
            payment = {
                "payment_id": f"{self.market.campaign_id}-{self.number}",
                "amount": amount,
                "months": 1,
                "paid_at": "2024-10-12T09:00:00+07:00",
            }
            answers = [
                self.report("POST", paid, "payments", payment) for _ in range(self.chance.choice((1, 2)))
            ]
            if answers[0].status_code == 409:
                # Its worker has registered anew meanwhile: what has ended for good takes nothing more.
                assert answers[0].json()["code"] == "registration_superseded"
                return
            assert {answer.status_code for answer in answers} == {200}
            paid.paid += amount
            paid.status = "active"

    def issue_payment_code(self) -> None:
        open_ones = [each for each in self.applications() if each.status in {"received", "awaiting_payment"}]
        if open_ones:
            asked = self.chance.choice(open_ones)
            code = {"code": f"E-{self.number}", "amount": 16_800, "expires_on": make_expiry_day()}
            assert self.report("PUT", asked, "payment-code", code).status_code == 200
            asked.status = "awaiting_payment"

    def cancel_registration(self) -> None:
        open_ones = [each for each in self.applications() if each.status in {"received", "awaiting_payment"}]
        if open_ones:
            ended = self.chance.choice(open_ones)
            answer = self.report("POST", ended, "cancellation", {"reason": "worker_request"}, by="van-1")
            assert answer.status_code == 200, answer.text
            ended.status = "cancelled"

    def erase_worker(self) -> None:
        if not self.people:
            return
        person = self.people.pop(self.chance.randrange(len(self.people)))
        self.number += 1
        asked = {"request_id": make_capture_id(self.number + 700_000), "nik": person.nik, "reason": "other"}
        answer = self.market.stack.send("admin", "POST", "/v1/erasures", asked)
        assert answer.status_code == 200, answer.text
        # What they came to stays in the books; nothing leads to it any more.
        for each in self.sent_captures.values():
            if each.person is person:
                each.is_erased = each.outcome != "refused"
        for known in self.applied:
            if known.person is person:
                known.reference, known.is_erased = None, True
        person.standing = None

    def fire_hourly_run(self) -> None:
        for _ in range(self.chance.choice((1, 1, 2))):
            told = self.fire("cron(0 * * * ? *)")
            assert told["unfinished"] == 0

    def fire_daily_run(self) -> None:
        self.fire("cron(10 17 * * ? *)")
        for each in self.applied:
            if each.status == "active" and not each.is_erased:
                each.status = "lapsed"

    # What the acts are made of.

    def make_person(self, phone: str) -> Person:
        born = date(1965, 1, 1) + timedelta(days=self.chance.randrange(14_000))
        sex = self.chance.choice(("female", "male"))
        self.number += 1
        day = born.day + (40 if sex == "female" else 0)
        place = f"7371{self.chance.randrange(1, 90):02}"
        nik = f"{place}{day:02}{born.month:02}{born.year % 100:02}{self.number * 13 % 9000 + 1:04}"
        return Person(nik, born, phone, sex)

    def choose_device(self) -> str:
        return self.chance.choice(sorted(DEVICES))

    def make_body(self, person: Person, captured_at: str | None = None) -> dict[str, Any]:
        self.number += 1
        chance = self.chance
        moment = f"{chance.choice(DAYS)}T{chance.randrange(6, 20):02}:{chance.randrange(60):02}:00+07:00"
        officer = chance.choice(("ofc-1", "ofc-2", None))
        return self.market.make_capture_payload(
            capture_id=make_capture_id(self.number + 500_000),
            captured_at=captured_at or moment,
            officer=officer,
            worker={"nik": person.nik, "birth_date": person.born.isoformat(), "phone": person.phone},
            work={
                "occupations": chance.sample(OCCUPATIONS, chance.choice((1, 2))),
                "monthly_income": chance.randrange(1_000_000, 9_000_000),
            },
            coverage={
                "programmes": chance.choice((["JKK", "JKM"], ["JKM", "JKK", "JHT"])),
                "months": chance.choice((1, 2, 3)),
            },
        )

    def register(self, person: Person, *, by: str, captured_at: str | None = None) -> None:
        self.send(self.make_body(person, captured_at), person, by)

    def send(self, body: dict[str, Any], person: Person, by: str) -> None:
        """A capture is taken in, and the books say beforehand what it comes to."""
        outcome = self.expected_outcome(person)
        answer = self.market.register(body, caller=by)
        told = answer.json()
        assert told["outcome"] == ("accepted" if by == "bot" else outcome), (body["capture_id"], told)
        over_flag = self.given[person.phone] >= PHONE_FLAGGED_AFTER
        if outcome != "already_registered":
            self.given[person.phone] += 1
            day, quoted = str(body["captured_at"])[:10], told["quote"]["total"]
            person.standing = Application(person, day, quoted, told.get("reference"))
            self.applied.append(person.standing)
        self.sent_captures[body["capture_id"]] = SentCapture(body, by, outcome, person, over_flag=over_flag)

    def expected_outcome(self, person: Person) -> str:
        if person.standing is None:
            return "created"
        return "reactivated" if person.standing.status in ENDED | {"expired"} else "already_registered"

    def applications(self) -> list[Application]:
        """The registrations whose reference somebody was told, and that are not erased."""
        return [each for each in self.applied if each.reference is not None]

    def report(
        self, method: str, of: Application, what: str, body: dict[str, Any], *, by: str = "core"
    ) -> httpx.Response:
        return self.market.stack.send(by, method, f"/v1/registrations/{of.reference}/{what}", body)

    def fire(self, schedule: str) -> Any:
        """Fire one schedule, through the target of its rule."""
        events = self.market.stack.aws_client("events")
        (target,) = (
            target
            for rule in events.list_rules()["Rules"]
            if rule.get("ScheduleExpression") == schedule
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        )
        event = json.dumps({**dict.fromkeys(_EVENT, "-"), "resources": [], "detail": {}})
        answer = self.market.stack.aws_client("lambda").invoke(FunctionName=target["Arn"], Payload=event)
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told

    # What the books say.

    def recount(self, day: str) -> dict[str, Any]:
        """All that can be known of a day from what was sent."""
        taken = [each for each in self.sent_captures.values() if each.day == day]
        outcomes = Counter(each.outcome for each in taken)
        created = [each for each in taken if each.outcome == "created"]
        applied = [each for each in self.applied if each.day == day]
        statuses = ("received", "awaiting_payment", "mismatch", "active", "lapsed", "cancelled", "expired")
        return {
            "counts": {
                "captures": len(taken) - outcomes["refused"],
                **{
                    name: outcomes[name]
                    for name in ("created", "already_registered", "reactivated", "refused")
                },
            },
            "by_channel": _many(DEVICES[each.client] for each in created),
            "by_client": _many(each.client for each in created),
            "by_occupation": _many(one for each in created for one in each.body["work"]["occupations"]),
            "by_officer": _many(each.body["officer"] or "-" for each in created),
            "by_programme": _many(one for each in created for one in each.body["coverage"]["programmes"]),
            "by_sex": _many(each.person.sex for each in created),
            "by_age": _many(_band(each.person.born, each.day) for each in created),
            "by_hour": _many(each.body["captured_at"][11:13] for each in created),
            "refused_by_reason": _many(one for each in taken for one in each.reasons),
            "funnel": {name: sum(each.status == name for each in applied) for name in statuses},
            "money": {
                "quoted": sum(each.quoted for each in applied),
                "paid": sum(each.paid for each in applied),
            },
            "oddities": sorted([*self._shared_phones(created), *self._runs(created)]),
        }

    def _shared_phones(self, created: list[SentCapture]) -> list[tuple[str, str, int]]:
        by_client = Counter(each.client for each in created if each.over_flag)
        return [("one_phone_many_workers", client, workers) for client, workers in by_client.items()]

    def _runs(self, created: list[SentCapture]) -> list[tuple[str, str, int]]:
        in_runs: Counter[str] = Counter()
        for client in DEVICES:
            own = sorted(
                (each.body["captured_at"], each.body["capture_id"], each.person.nik)
                for each in created
                if each.client == client and not each.is_erased
            )
            run = 0
            for before, (at, _, nik) in zip([None, *own], own, strict=False):
                goes_on = (
                    before is not None
                    and before[2][:12] == nik[:12]
                    and abs(int(before[2][12:]) - int(nik[12:])) <= 5
                    and datetime.fromisoformat(at) - datetime.fromisoformat(before[0])
                    <= timedelta(minutes=15)
                )
                run = run + 1 if goes_on else 1
                in_runs[client] += {5: 5}.get(run, 1 if run > 5 else 0)
        return [("neighbouring_serials", client, workers) for client, workers in in_runs.items() if workers]


_EVENT = ("version", "account", "region", "id", "source", "detail-type", "time")


def _many(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _band(born: date, day: str) -> str:
    on = date.fromisoformat(day)
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return f"{age // 10}0-{age // 10}9"


def counted(market: Market, day: str, version: int | None = None) -> dict[str, Any]:
    """What the stack says of a day, in the terms of the recount; without counting."""
    asked = "" if version is None else f"?version={version}"
    path = f"/v1/campaigns/{market.campaign_id}/summaries/{day}{asked}"
    answer = market.stack.send("manager", "GET", path)
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    return summary


def to_recount_form(summary: dict[str, Any]) -> dict[str, Any]:
    oddities = [
        (each["pattern"], each["client_id"], each["workers"])
        for each in summary["oddities"]
        if each["pattern"] != "client_above_peers"
    ]
    return {**{name: summary[name] for name in TOLD}, "oddities": sorted(oddities)}


@pytest.fixture(scope="module")
def scenario(stack: RunningStack) -> Scenario:
    """A story that was told to its end, with ticks in between, and one tick after all was announced."""
    told = Scenario(open_market(stack), Random(SEED))  # noqa: S311 - the same story each time
    told.run(STEPS // 2)
    told.register_run(6)
    told.run(STEPS - STEPS // 2)
    await_pipeline_idle(stack)
    told.fire_hourly_run()
    return told


def test_the_scenario_covers_every_kind_of_event(scenario: Scenario) -> None:
    taken = scenario.sent_captures.values()
    assert {each.outcome for each in taken} == {"created", "already_registered", "reactivated", "refused"}
    assert {each.status for each in scenario.applied} >= {
        "received",
        "awaiting_payment",
        "active",
        "cancelled",
    }
    assert any(each.is_erased and each.paid for each in scenario.applied)
    assert any(each.over_flag for each in taken)
    assert "neighbouring_serials" in str([scenario.recount(day) for day in DAYS])


@pytest.mark.parametrize("day", DAYS)
def test_a_day_finally_counts_what_was_sent_whatever_the_order_of_events(
    scenario: Scenario, day: Any
) -> None:
    assert to_recount_form(counted(scenario.market, day)) == scenario.recount(day), f"seed {SEED}"


@pytest.mark.parametrize("day", DAYS)
def test_every_version_stays_readable_and_its_changes_and_notes_lead_to_the_next(
    scenario: Scenario, day: Any
) -> None:
    newest = counted(scenario.market, day)
    versions = [counted(scenario.market, day, number) for number in range(1, newest["version"] + 1)]

    assert versions[-1]["content_hash"] == newest["content_hash"]
    assert len(versions) > 2
    for before, after in pairwise(versions):
        assert before["content_hash"] != after["content_hash"]
        created = after["counts"]["created"] - before["counts"]["created"]
        assert sum(note["difference"] for note in after["notes"]) == created
        for change in after["changes"]:
            group, _, name = change["figure"].partition(".")
            if group != "texts":
                assert (change["was"], change["now"]) == (
                    before[group].get(name, 0),
                    after[group].get(name, 0),
                )


@pytest.mark.parametrize("day", DAYS)
def test_a_recount_of_an_unchanged_day_writes_nothing_and_is_identical(scenario: Scenario, day: Any) -> None:
    path = f"/v1/campaigns/{scenario.market.campaign_id}/summaries/{day}"
    first = scenario.market.stack.send("manager", "POST", path)
    scenario.fire_hourly_run()

    assert scenario.market.stack.send("manager", "POST", path).content == first.content
    assert scenario.market.stack.send("manager", "GET", path).content == first.content


def test_the_days_are_listed_with_what_they_came_to(scenario: Scenario) -> None:
    path = f"/v1/campaigns/{scenario.market.campaign_id}/summaries"
    listed = scenario.market.stack.send("manager", "GET", path).json()["days"]

    shown = [counted(scenario.market, day) for day in DAYS]
    assert [(each["day"], each["version"], each["content_hash"], each["created"]) for each in listed] == [
        (each["day"], each["version"], each["content_hash"], each["counts"]["created"]) for each in shown
    ]
    assert shown[1]["progress"]["created"] == sum(each["counts"]["created"] for each in shown)


def test_facts_for_counting_reveal_no_amount(scenario: Scenario) -> None:
    name = scenario.market.stack.description.outputs["RegistrationsTableName"]
    pages = scenario.market.stack.aws_client("dynamodb").get_paginator("scan").paginate(TableName=name)
    kept = json.dumps([item for page in pages for item in page["Items"]], default=str)

    amounts = {
        str(amount) for each in scenario.applied for amount in (each.quoted, each.paid) if amount > 9_999
    }
    assert amounts
    assert not [amount for amount in amounts if f'"{amount}"' in kept]
