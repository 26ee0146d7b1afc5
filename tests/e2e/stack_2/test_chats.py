"""On the packaged stack: workers register by Telegram and by WhatsApp's link, and hear of it in the chat."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.isolated_campaign import await_pipeline_idle
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

_DISTRICT = "940302"
_NUMBERS = count(1)


class Chat:
    """One person with one app, at the fake chat of the stack."""

    def __init__(self, stack: RunningStack, app: str, user_id: str) -> None:
        self._path = f"{stack.description.chat_url}/{app}/users/{user_id}"

    def list_messages(self) -> list[dict[str, Any]]:
        """Return what the bot has said."""
        transcript = httpx.get(f"{self._path}/transcript", trust_env=False).json()
        return [message for message in transcript if message["from"] == "bot"]

    def act(self, **act: Any) -> dict[str, Any]:
        """Write, or press a button. Return the bot's next message."""
        before = len(self.list_messages())
        httpx.post(f"{self._path}/messages", json=act, trust_env=False, timeout=30).raise_for_status()
        return wait_until(f"an answer to {act}", lambda: self.list_messages()[before:])[0]

    def await_text(self, part: str) -> dict[str, Any]:
        """Return the first message that has a text in it."""

        def find() -> dict[str, Any] | None:
            return next((each for each in self.list_messages() if part in each["text"]), None)

        found = wait_until(f"a message with {part}", find)
        assert found is not None
        return found


@pytest.fixture
def campaign_id(stack: RunningStack) -> str:
    """A campaign that runs today."""
    today = (datetime.now(UTC) + timedelta(hours=7)).date()
    name = f"chat-market-{next(_NUMBERS)}"
    days = {
        "first_day": (today - timedelta(days=1)).isoformat(),
        "last_day": (today + timedelta(days=1)).isoformat(),
    }
    payload = make_campaign_payload(campaign_id=name, accepts_until="2999-12-31", **days)
    answer = stack.send("manager", "POST", "/v1/campaigns", payload)
    assert answer.status_code == 201, answer.text
    return name


@pytest.fixture
def user_id() -> str:
    return f"62824555{next(_NUMBERS):05}"


def _find_registration(stack: RunningStack, campaign_id: str) -> dict[str, Any]:
    path = f"/v1/registrations?campaign_id={campaign_id}"

    def find() -> list[dict[str, Any]]:
        days = [datetime.now(UTC) + timedelta(hours=7), datetime.now(UTC)]
        return [
            registration
            for day in {each.date().isoformat() for each in days}
            for registration in stack.send("core", "GET", f"{path}&day={day}").json()["registrations"]
        ]

    return wait_until("the registration", find)[0]


def _issue_payment_code(stack: RunningStack, reference: str) -> None:
    expires_on = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    code = {"code": "KODE-77", "amount": 49_200, "expires_on": expires_on}
    answer = stack.send("core", "PUT", f"/v1/registrations/{reference}/payment-code", code)
    assert answer.status_code == 200, answer.text


def _count_sms_to(stack: RunningStack, phone: str) -> int:
    return sum(sms["to"].endswith(phone) for sms in stack.list_sms())


def test_a_worker_registers_by_telegram_and_hears_of_the_payment_code_there(
    stack: RunningStack, campaign_id: str, user_id: str
) -> None:
    chat = Chat(stack, "telegram", user_id)
    chat.act(text=f"/start {campaign_id}")
    nik, phone = make_nik(77, district_code=_DISTRICT), "082455528877"
    answers: list[dict[str, Any]] = [
        {"button": "Setuju"},
        {"text": nik},
        {"contact": {"phone_number": phone, "own": True}},
        {"text": "Siti Aminah"},
        {"text": "Jalan Contoh 3"},
        {"text": "10240"},
        {"button": "Porter"},
        {"text": "Blok A"},
        {"text": "2,5 juta"},
        {"button": "Tidak"},
        {"button": "Tidak"},
        {"button": "3 bulan"},
        {"button": "Kirim"},
    ]
    for answer in answers:
        last = chat.act(**answer)
    assert last["text"].startswith("Pendaftaran diterima.")
    # No message of ours repeats the number.
    assert nik not in str(chat.list_messages())

    registration = _find_registration(stack, campaign_id)
    assert registration["channel"] == "telegram"
    wait_until("the confirmation", lambda: _count_sms_to(stack, phone[1:]))
    _issue_payment_code(stack, registration["reference"])
    assert chat.await_text("KODE-77")["text"].startswith("BPJAMSOSTEK: ")
    await_pipeline_idle(stack)
    assert _count_sms_to(stack, phone[1:]) == 1


def test_a_worker_who_blocked_the_bot_hears_of_the_payment_code_by_sms(
    stack: RunningStack, campaign_id: str, user_id: str
) -> None:
    phone = "082455529988"
    registration = _register_by_link(stack, campaign_id, user_id, phone)
    httpx.post(
        f"{stack.description.chat_url}/whatsapp/users/{user_id}/messages",
        json={"blocks": True},
        trust_env=False,
    ).raise_for_status()
    wait_until("the confirmation", lambda: _count_sms_to(stack, phone[1:]))
    _issue_payment_code(stack, registration["reference"])

    def is_told() -> bool:
        # The report of WhatsApp makes the SMS due; the schedule of every minute queues it.
        stack.fire_schedules()
        return _count_sms_to(stack, phone[1:]) == 2

    wait_until("the SMS in the chat's place", is_told)


def test_a_worker_registers_by_whatsapps_link_and_hears_of_the_payment_code_there(
    stack: RunningStack, campaign_id: str, user_id: str
) -> None:
    phone = "082455529977"
    registration = _register_by_link(stack, campaign_id, user_id, phone)
    assert registration["channel"] == "web"
    wait_until("the confirmation", lambda: _count_sms_to(stack, phone[1:]))
    _issue_payment_code(stack, registration["reference"])
    Chat(stack, "whatsapp", user_id).await_text("KODE-77")
    await_pipeline_idle(stack)
    assert _count_sms_to(stack, phone[1:]) == 1


def _register_by_link(stack: RunningStack, campaign_id: str, user_id: str, phone: str) -> dict[str, Any]:
    """Register a worker by the form that WhatsApp's link leads to. Return the registration."""
    chat = Chat(stack, "whatsapp", user_id)
    chat.act(text=f"/start {campaign_id}")
    given = chat.act(button="Setuju")
    [link] = given["links"].values()
    # Whoever types a number of identity into WhatsApp gets an answer that asks for none.
    refused = chat.act(text=make_nik(78, district_code=_DISTRICT))
    assert "NIK Anda (16 angka" not in refused["text"]
    code = link.partition("#self=")[2]
    number = next(_NUMBERS)
    opened = httpx.post(
        f"{stack.description.api_url}/v1/enrolments",
        json={"code": code, "enrolment_id": f"01926f3e-7c00-4000-8000-{number:012}"},
        trust_env=False,
        timeout=30,
    )
    assert opened.status_code == 201, opened.text
    stack.enrolled_tokens[user_id] = opened.json()["token"]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    capture = make_capture_payload(
        capture_id=make_capture_id(7000 + number),
        campaign_id=campaign_id,
        captured_at=now,
        officer=None,
        worker={"nik": make_nik(7000 + number, district_code=_DISTRICT), "phone": phone},
        consent={"text_version": "2024-10", "given_at": now, "method": "tick"},
    )
    answer = stack.send(user_id, "POST", "/v1/registrations", capture)
    assert answer.status_code == 202, answer.text
    return _find_registration(stack, campaign_id)
