"""Every worker is told, and nobody twice but those of whom it could not be known, whatever the gateway does.

Small enough for every run.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.fault_injection import run_fault_injection
from tests.support.isolated_campaign import DAY, Market, await_pipeline_idle, open_market
from tests.support.payloads import make_expiry_day
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack
from tests.support.sms_ledger import CampaignSmsLedger, is_settled

pytestmark = pytest.mark.e2e

WORKERS = 30
CALLERS = 8
RUPIAH_A_DOLLAR = 16_500


class Gateway:
    """The stand-in, as a test misuses it."""

    def __init__(self, stack: RunningStack) -> None:
        self._url = stack.description.gateway_url

    def fault(self, mode: str, **more: Any) -> None:
        """From now on it misbehaves so."""
        self._post("faults", {"mode": mode, **more})

    def receipts(self, *order: str) -> None:
        """From now on receipts come so."""
        self._post("receipts", {"order": list(order)})

    def behave(self) -> None:
        """Like a gateway."""
        httpx.delete(f"{self._url}/faults", trust_env=False).raise_for_status()
        self.receipts("normal")

    def account(self, campaign_id: str) -> dict[str, int]:
        """Its own count for a campaign."""
        answer = httpx.get(f"{self._url}/account", params={"zone": "Asia/Jakarta"}, trust_env=False)
        days = [day for day in answer.json()["days"] if day["campaign_id"] == campaign_id]
        return {name: sum(day[name] for day in days) for name in ("texts", "parts", "price_microusd")}

    def _post(self, path: str, body: object) -> None:
        httpx.post(f"{self._url}/{path}", json=body, trust_env=False).raise_for_status()


@pytest.fixture
def gateway(stack: RunningStack) -> Iterator[Gateway]:
    gateway = Gateway(stack)
    yield gateway
    gateway.behave()


def all_settled(stack: RunningStack, ledger: CampaignSmsLedger, workers: int) -> bool:
    """Whether every text has come to an end; if not, an hour passes."""
    found = ledger.read_rows()
    if len(found) == workers and all(is_settled(row) for row in found):
        return True
    if stack.local_stack.count_waiting_sms() == 0:
        ledger.advance_one_hour()
    return False


def register_all(market: Market, workers: int) -> None:
    captures = [market.make_capture_payload() for _ in range(workers)]
    with ThreadPoolExecutor(CALLERS) as threads:
        answers = list(threads.map(market.register, captures))
    assert {answer.status_code for answer in answers} == {201}


def test_every_worker_gets_one_sms_from_a_gateway_that_fails_in_every_way(
    stack: RunningStack, gateway: Gateway
) -> None:
    market = open_market(stack)
    gateway.receipts("twice", "reversed")
    gateway.fault("timeout_after_accept", share=0.05, seconds=0, seed=1)
    gateway.fault("throttle", share=0.10, seed=2)
    gateway.fault("server_error", share=0.05, seed=3)

    register_all(market, WORKERS)
    ledger = CampaignSmsLedger(stack.local_stack, market.campaign_id)
    wait_until("every text to be settled", lambda: all_settled(stack, ledger, WORKERS), timeout_seconds=120)

    rows = ledger.read_rows()
    copies = Counter(text["context"]["sms_id"] for text in of_market(stack, market))
    assert set(copies) == {row["sms_id"] for row in rows}, "every worker is told"
    twice = {sms_id for sms_id, number in copies.items() if number > 1}
    unsure = {row["sms_id"] for row in rows if row["is_resent"]}
    assert twice <= unsure
    sys.stderr.write(f"{len(twice)} of {WORKERS} workers texted twice, {len(unsure)} were in doubt\n")


def test_every_worker_gets_one_sms_while_tables_and_queues_throttle_and_a_sender_is_killed(
    stack: RunningStack,
) -> None:
    await_pipeline_idle(stack)
    # Each function that is told of the throttling costs the embedded AWS seconds.
    told = ("OnRegistrationChanges", "OnNotifications", "QueueDueSms")
    day = run_fault_injection(stack.local_stack, "bad-day", workers=20, first_worker=90_001, functions=told)
    sys.stderr.write(f"{day}\n")
    assert (day.without_sms, day.unexplained_duplicates) == (0, 0)
    assert (day.killed_processes, day.parts) == (1, day.gateway_parts)
    assert day.requests["refused"] > 0
    assert day.requests["unanswered"] > 0
    assert day.faults.keys() >= {"throttle", "server_error"}


def test_parts_and_cost_of_a_campaign_day_equal_the_gateways_own_account(
    stack: RunningStack, gateway: Gateway
) -> None:
    market = open_market(stack)
    gateway.fault("timeout_after_accept", times=1, seconds=0)
    register_all(market, 5)
    ledger = CampaignSmsLedger(stack.local_stack, market.campaign_id)
    wait_until("every text to be settled", lambda: all_settled(stack, ledger, 5), timeout_seconds=120)
    wait_until("every receipt", lambda: {row["state"] for row in ledger.read_rows()} == {"delivered"})

    path = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}"
    texts = stack.send("manager", "POST", path).json()["texts"]

    account = gateway.account(market.campaign_id)
    assert (texts["by_state"], texts["unknown_share"]) == ({"delivered": 5}, 0.0)
    assert texts["parts"] == account["parts"]
    assert texts["rupiah"] == account["price_microusd"] * RUPIAH_A_DOLLAR // 1_000_000


def test_each_payment_code_and_each_payment_sends_one_sms(stack: RunningStack) -> None:
    market = open_market(stack)
    reference = market.register(market.make_capture_payload()).json()["reference"]
    market.await_sms(reference)
    path = f"/v1/registrations/{reference}"
    code = {"code": "AB-1234-56", "amount": 50_400, "expires_on": make_expiry_day()}
    paid_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    payment = {"payment_id": "p-1", "amount": 50_400, "months": 3, "paid_at": paid_at}

    def told(words: str) -> list[str]:
        return [text["text"] for text in of_market(stack, market) if words in text["text"]]

    for _ in range(2):
        assert stack.send("core", "PUT", f"{path}/payment-code", code).is_success
    wait_until("the payment code", lambda: told("AB-123 4-56"))
    for _ in range(2):
        assert stack.send("core", "POST", f"{path}/payments", payment).is_success
    wait_until(
        "the payment", lambda: told("Iuran Rp50.400 sudah kami terima. Melati Kusumawati aktif sampai")
    )
    assert stack.send("core", "PUT", f"{path}/payment-code", {**code, "code": "CD-9"}).is_success

    ledger = CampaignSmsLedger(stack.local_stack, market.campaign_id)

    def fourth() -> list[dict[str, Any]]:
        return [row for row in ledger.read_rows() if row.get("reason") == "daily_limit_reached"]

    (waiting,) = wait_until("the fourth text of the day, which waits for the morning", fourth)
    assert (waiting["purpose"], waiting["state"]) == ("payment_code", "pending")
    assert len(of_market(stack, market)) == 3
    assert Counter(row["purpose"] for row in ledger.read_rows()) == {
        "received": 1,
        "payment_code": 2,
        "active": 1,
    }


def of_market(stack: RunningStack, market: Market) -> list[dict[str, Any]]:
    """The texts of a campaign that the gateway took."""
    return [text for text in stack.list_sms() if text["context"].get("campaign_id") == market.campaign_id]
