"""The books of a random scenario: an independent recount of what was sent and answered."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

DEVICES = {"van-1": "van", "van-2": "van", "kiosk-1": "kiosk", "bot": "bot"}


@dataclass
class Person:
    """Somebody at the market, as the recount knows them; `references` lead to the registrations told of."""

    nik: str
    born: date
    phone: str | None
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
    monthly: list[int] = field(default_factory=list)
    payments: int = 0
    is_paid_oddly: bool = False
    sponsor: str | None = None

    def take_payment(self, amount: int) -> None:
        """Each payment is for one month; a month after the quoted ones costs what the last one does."""
        expected = self.monthly[min(self.payments, len(self.monthly) - 1)]
        self.is_paid_oddly |= abs(amount - expected) * 4 > expected
        self.payments += 1
        self.paid += amount
        self.status = "active"


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
    application: Application | None = None
    is_over_quota: bool = False

    @property
    def sponsor(self) -> str | None:
        coverage = self.body["coverage"]
        return coverage.get("sponsor_id") or "-" if coverage["payer"] == "sponsor" else None

    @property
    def day(self) -> str:
        return str(self.body["captured_at"])[:10]


@dataclass(kw_only=True)
class MarketBooks:
    """What was sent and answered at a market."""

    sent_captures: dict[str, SentCapture] = field(default_factory=dict)
    applied: list[Application] = field(default_factory=list)

    def recount(self, day: str) -> dict[str, Any]:
        """All that can be known of a day from what was sent."""
        taken = [each for each in self.sent_captures.values() if each.day == day]
        outcomes = Counter(each.outcome for each in taken)
        created = [each for each in taken if each.outcome == "created"]
        registered = [each for each in taken if each.application and each.application.status != "cancelled"]
        applied = [each for each in self.applied if each.day == day]
        open_statuses = ("received", "awaiting_payment", "mismatch", "active")
        statuses = (*open_statuses, "lapsed", "cancelled", "expired", "deceased")
        return {
            "counts": {
                "captures": len(taken) - outcomes["refused"],
                **{
                    name: outcomes[name]
                    for name in ("created", "already_registered", "reactivated", "refused")
                },
                "registered": len(registered),
            },
            "by_channel": _many(DEVICES[each.client] for each in registered),
            "by_client": _many(each.client for each in registered),
            "by_occupation": _many(one for each in registered for one in each.body["work"]["occupations"]),
            "by_officer": _many(each.body["officer"] or "-" for each in registered),
            "by_programme": _many(one for each in registered for one in each.body["coverage"]["programmes"]),
            "by_sex": _many(each.person.sex for each in registered),
            "by_age": _many(_band(each.person.born, each.day) for each in registered),
            "by_hour": _many(each.body["captured_at"][11:13] for each in registered),
            "by_sponsor": _many(each.sponsor for each in registered if each.sponsor),
            "without_phone": sum(each.person.phone is None for each in registered),
            "refused_by_reason": _many(one for each in taken for one in each.reasons),
            "funnel": {name: sum(each.status == name for each in applied) for name in statuses},
            "money": {
                "quoted": sum(each.quoted for each in applied if each.status != "cancelled"),
                "paid": sum(each.paid for each in applied),
            },
            "oddities": sorted(
                [
                    *self._shared_phones(created),
                    *self._runs(created),
                    *self._odd_payments(applied),
                    *self._over_quota(registered),
                ]
            ),
        }

    def _shared_phones(self, created: list[SentCapture]) -> list[tuple[str, str, int]]:
        by_client = Counter(each.client for each in created if each.over_flag)
        return [("one_phone_many_workers", client, workers) for client, workers in by_client.items()]

    def _over_quota(self, registered: list[SentCapture]) -> list[tuple[str, str, int]]:
        by_sponsor = Counter(each.sponsor or "" for each in registered if each.is_over_quota)
        return [("sponsor_over_quota", sponsor, workers) for sponsor, workers in by_sponsor.items()]

    def _odd_payments(self, applied: list[Application]) -> list[tuple[str, str, int]]:
        workers = sum(each.is_paid_oddly for each in applied)
        return [("payment_differs", "", workers)] if workers else []

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


def _many(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _band(born: date, day: str) -> str:
    on = date.fromisoformat(day)
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return f"{age // 10}0-{age // 10}9"
