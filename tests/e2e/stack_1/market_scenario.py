"""A random scenario at a market: what happens step by step, with the books that a recount is made from."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import httpx

from tests.e2e.stack_1.market_books import DEVICES, Application, MarketBooks, Person, SentCapture
from tests.support.isolated_campaign import Market
from tests.support.payloads import make_capture_id, make_expiry_day

DAYS = ("2024-10-09", "2024-10-10")
ENDED = {"cancelled", "lapsed"}
OCCUPATIONS = ("porter", "tailor", "market_trader")
SHARED = "0824-5559-"
SPONSORS: list[dict[str, Any]] = [
    {"sponsor_id": "yayasan-satu", "name": "Yayasan Satu", "quota": 6},
    {"sponsor_id": "yayasan-dua", "name": "Yayasan Dua"},
]
PHONE_FLAGGED_AFTER = 5


@dataclass(kw_only=True)
class Scenario(MarketBooks):
    """What happens at a market, step by step, with the books that the recount keeps of it."""

    market: Market
    chance: Random
    people: list[Person] = field(default_factory=list)
    given: Counter[str | None] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
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
            (6, self.request_sms),
            (6, self.erase_worker),
            (6, self.fire_hourly_run),
            (1, self.fire_daily_run),
        )
        weights, calls = zip(*acts, strict=True)
        for call in self.chance.choices(calls, weights, k=steps):
            call()

    def register_new_worker(self) -> None:
        # Every fifth one gives the same number: a family's, or an agent's. Every tenth one has none.
        self.number += 1
        is_shared = self.chance.random() < 0.2
        phone: str | None = f"{SHARED}{self.number // 400:04}" if is_shared else f"0824-5558-{self.number:04}"
        phone = phone if is_shared or self.chance.random() > 0.12 else None
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
        known = [each for each in self.people if not str(each.phone).startswith(SHARED)]
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
            paid.take_payment(amount)

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
            self.give_place_back(ended)

    def request_sms(self) -> None:
        asked = self.applications()
        if asked:
            of = self.chance.choice(asked)
            purpose = self.chance.choice(("received", "already_registered"))
            answer = self.report("POST", of, "sms", {"purpose": purpose}, by="van-1")
            assert answer.status_code in ({409} if of.person.phone is None else {202, 409, 429}), answer.text

    def give_place_back(self, application: Application) -> None:
        if application.sponsor is not None:
            self.places[application.sponsor] -= 1

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
                if known.status in {"received", "awaiting_payment"} and not known.is_erased:
                    self.give_place_back(known)
                known.reference, known.is_erased = None, True
        person.standing = None

    def fire_hourly_run(self) -> None:
        for _ in range(self.chance.choice((1, 1, 2))):
            told = self.fire("cron(0 * * * ? *)")
            assert told["unfinished"] == 0

    def fire_daily_run(self) -> None:
        self.fire("cron(10/30 * * * ? *)")
        for each in self.applied:
            if each.status == "active" and not each.is_erased:
                each.status = "lapsed"

    # What the acts are made of.

    def make_person(self, phone: str | None) -> Person:
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
                **self.choose_payer(),
            },
        )

    def choose_payer(self) -> dict[str, str]:
        return self.chance.choice(
            (
                *[{"payer": "self"}] * 4,
                {"payer": "sponsor"},
                *({"payer": "sponsor", "sponsor_id": each["sponsor_id"]} for each in SPONSORS),
            )
        )

    def register(self, person: Person, *, by: str, captured_at: str | None = None) -> None:
        self.send(self.make_body(person, captured_at), person, by)

    def send(self, body: dict[str, Any], person: Person, by: str) -> None:
        """A capture is taken in, and the books say beforehand what it comes to."""
        outcome = self.expected_outcome(person)
        answer = self.market.register(body, caller=by)
        told = answer.json()
        assert told["outcome"] == ("accepted" if by == "bot" else outcome), (body["capture_id"], told)
        over_flag = person.phone is not None and self.given[person.phone] >= PHONE_FLAGGED_AFTER
        sponsor = body["coverage"].get("sponsor_id")
        sent = SentCapture(body, by, outcome, person, over_flag=over_flag)
        self.given[person.phone] += 1
        if outcome != "already_registered":
            day, quoted = str(body["captured_at"])[:10], told["quote"]["total"]
            sent.application = person.standing = Application(person, day, quoted, told.get("reference"))
            person.standing.monthly = [each["amount"] for each in told["quote"]["months"]]
            self.applied.append(person.standing)
            if sponsor is not None:
                person.standing.sponsor = sponsor
                quota = {each["sponsor_id"]: each.get("quota") for each in SPONSORS}[sponsor]
                sent.is_over_quota = quota is not None and self.places[sponsor] >= quota
                self.places[sponsor] += 1
        self.sent_captures[body["capture_id"]] = sent

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


_EVENT = ("version", "account", "region", "id", "source", "detail-type", "time")
