"""No limit tells an officer's device whether a worker is known: it is reached, or not, for both alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.callers import DailyCap
from chalicelib.clients import errors as client_errors
from chalicelib.clients.caps import AttemptCounts
from chalicelib.refusals import Refusal
from chalicelib.registrations import errors as registration_errors
from tests.registrations.conftest import RegistrationHarness, open_harness
from tests.support.attempts import MANY, ONE_OR_TWO, OTHER_VAN, PHONE_AT_CAP, Attempts

SPONSORED = {"payer": "sponsor", "sponsor_id": "yayasan-contoh"}
KNOWN, UNKNOWN = 1, 2


@dataclass(frozen=True)
class Limit:
    """A limit, how it is reached, and what a capture at it is answered with."""

    answers: set[str]
    reach: Callable[[Attempts], object]
    client_cap: DailyCap = MANY
    phone_cap: DailyCap = MANY
    worker_captures: int = 1_000


def use_up_cap(attempts: Attempts) -> None:
    for number in (801, 802):
        attempts.send(number)


LIMITS = {
    "client_cap_reached": Limit({"client_cap_reached"}, use_up_cap, client_cap=ONE_OR_TWO),
    "phone_cap_reached": Limit({"phone_cap_reached"}, Attempts.fill_phone, phone_cap=ONE_OR_TWO),
    # Below all of them, the worker's own limit is an answer about a known worker, as `already_registered` is.
    "worker_captures_reached": Limit({"created", "worker_captures_reached"}, id, worker_captures=1),
    # The places of a sponsor refuse nobody.
    "sponsor_over_quota": Limit({"created", "already_registered"}, id),
}


# Counted by arrival, before anybody looks for the worker (`clients/test_kiosk_cap.py`).
REACHED_BEFORE_INTAKE = {"kiosk_cap_reached"}


def attempt(limit: Limit, nik: int, **changes: Any) -> tuple[str, AttemptCounts, int]:
    """Return the answer to a capture at a limit, what its client was charged, and what its phone was."""
    with open_harness() as harness:
        attempts = Attempts(
            harness,
            client_cap=limit.client_cap,
            phone_cap=limit.phone_cap,
            worker_captures=limit.worker_captures,
        )
        attempts.send(900, nik=KNOWN, caller=OTHER_VAN)
        limit.reach(attempts)
        worker = {"phone": PHONE_AT_CAP, **changes.pop("worker", {})}
        answer = attempts.send(10, nik=nik, worker=worker, **changes)
        return answer, attempts.count(), count_phone_numbers(harness)


def count_phone_numbers(harness: RegistrationHarness) -> int:
    items = harness.dynamodb.scan(TableName="RegistrationsTable")["Items"]
    return sum(int(item["given"]["N"]) for item in items if item["pk"]["S"].startswith("PHONE#"))


@pytest.mark.parametrize("code", ["client_cap_reached", "phone_cap_reached"])
@pytest.mark.parametrize("worker", [{}, {"name": "Kenanga Larasati"}], ids=["same", "differs"])
def test_a_limit_answers_and_costs_the_same_for_a_known_and_for_an_unknown_worker(
    code: str, worker: dict[str, str]
) -> None:
    known = attempt(LIMITS[code], KNOWN, worker=worker)
    unknown = attempt(LIMITS[code], UNKNOWN, worker=worker)

    assert known == unknown
    assert known[0] == code


@pytest.mark.parametrize("code", ["worker_captures_reached", "sponsor_over_quota"])
def test_an_answer_that_tells_of_a_known_worker_costs_the_client_what_any_answer_costs(code: str) -> None:
    changes = {"coverage": SPONSORED} if code == "sponsor_over_quota" else {}
    known, unknown = (attempt(LIMITS[code], nik, **changes) for nik in (KNOWN, UNKNOWN))

    assert {known[0], unknown[0]} == LIMITS[code].answers
    assert known[1].total == unknown[1].total == 1


def test_a_worker_at_the_limit_of_captures_meets_every_other_limit_first() -> None:
    limit = Limit(set(), Attempts.fill_phone, phone_cap=ONE_OR_TWO, worker_captures=1)

    assert attempt(limit, KNOWN) == attempt(limit, UNKNOWN)


def test_every_limit_is_looked_at_here() -> None:
    limits = {
        error.code
        for module in (client_errors, registration_errors)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, Refusal) and "code" in vars(error)
        if error.code.endswith("_reached")
    }
    assert limits <= LIMITS.keys() | REACHED_BEFORE_INTAKE
