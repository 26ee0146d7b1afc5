"""The sender of chat messages: each is sent at most once, whatever the provider or the process does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.chats.accounts import TelegramAccount
from chalicelib.conversations.events import DeliveryReport
from chalicelib.conversations.model import Acknowledgement
from chalicelib.conversations.sends import ChatSend, SendState
from chalicelib.refusals import TryAgain
from tests.support.builders import NOW
from tests.support.chat_outbox import DAY, ChatOutboxHarness, make_prompt, make_text, run_outbox
from tests.support.polling import wait_until

_ANI_PHONE = "6283100000001"
_WHATSAPP: dict[str, Any] = {"channel": "whatsapp", "to": _ANI_PHONE}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ChatOutboxHarness]:
    with run_outbox(tmp_path) as running:
        yield running


def _state(message: ChatSend | None) -> SendState:
    assert message is not None
    return SendState(message.state)


def _refuse(harness: ChatOutboxHarness, outbox_id: str = "1", **address: Any) -> TryAgain:
    with pytest.raises(TryAgain) as refused:
        harness.send(outbox_id, **address)
    return refused.value


def test_a_message_is_sent_and_its_content_is_deleted(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text("Terima kasih"))
    assert "sealed" in harness.read_item("1")
    assert _state(harness.send("1")) is SendState.SENT
    assert harness.list_texts() == ["Terima kasih"]
    assert "sealed" not in harness.read_item("1")


def test_a_repeated_entry_sends_nothing_more(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text())
    assert [_state(harness.send("1")) for _ in range(3)] == [SendState.SENT] * 3
    assert harness.list_texts() == ["Halo"]


def test_an_entry_of_an_erased_message_sends_nothing(harness: ChatOutboxHarness) -> None:
    assert harness.send("1") is None


def test_a_prompt_has_buttons_and_the_press_brings_its_id(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_prompt("agree", "disagree"))
    harness.send("1")
    update = harness.chat.act("telegram", "1001", button="Agree")
    assert update["callback_query"]["data"] == "v1:consent:agree:1"


def test_a_tap_is_acknowledged(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_prompt("agree"))
    harness.send("1")
    update = harness.chat.act("telegram", "1001", button="Agree")
    harness.put("2", Acknowledgement(callback_id=update["callback_query"]["id"]))
    assert _state(harness.send("2")) is SendState.SENT
    # One that came too late is of no use, and no reason to try again.
    harness.put("3", Acknowledgement(callback_id=update["callback_query"]["id"]))
    assert _state(harness.send("3")) is SendState.FAILED


def test_a_throttled_message_waits_for_as_long_as_the_provider_says(harness: ChatOutboxHarness) -> None:
    harness.chat.arm(mode="throttle", times=1, seconds=7)
    harness.put("1", make_text())
    assert _refuse(harness).retry_after_seconds == 7
    assert _state(harness.send("1")) is SendState.SENT
    assert harness.list_texts() == ["Halo"]


def test_a_throttled_message_of_whatsapp_waits_too(harness: ChatOutboxHarness) -> None:
    harness.chat.arm(mode="throttle", app="whatsapp", times=1)
    harness.put("1", make_text(), **_WHATSAPP)
    assert _refuse(harness, **_WHATSAPP).retry_after_seconds == 5
    assert _state(harness.send("1", **_WHATSAPP)) is SendState.SENT


@pytest.mark.parametrize("address", [{}, _WHATSAPP])
def test_an_error_of_the_provider_is_tried_again(address: dict[str, Any], harness: ChatOutboxHarness) -> None:
    harness.chat.arm(mode="server_error", times=1)
    harness.put("1", make_text(), **address)
    assert _refuse(harness, **address).retry_after_seconds == 2
    assert _state(harness.send("1", **address)) is SendState.SENT
    assert harness.list_texts(**address) == ["Halo"]


@pytest.mark.parametrize("address", [{}, _WHATSAPP])
def test_a_message_whose_answer_was_lost_is_unknown_and_not_repeated(
    address: dict[str, Any], harness: ChatOutboxHarness
) -> None:
    harness.chat.arm(mode="timeout_after_accept", times=1, seconds=0)
    harness.put("1", make_text(), **address)
    assert [_state(harness.send("1", **address)) for _ in range(2)] == [SendState.UNKNOWN] * 2
    assert harness.list_texts(**address) == ["Halo"]


def test_a_worker_that_died_in_an_attempt_leaves_it_unknown(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text())
    found = harness.outbox.find("telegram-1001", "1")
    assert found is not None
    message = found[0]
    assert harness.outbox.update(message.start_attempt(NOW), previous=message)
    # It may still be at work.
    assert _refuse(harness).retry_after_seconds == 2
    harness.clock.advance(timedelta(minutes=2))
    assert _state(harness.send("1")) is SendState.UNKNOWN
    assert harness.list_texts() == []


def test_of_two_processes_with_one_message_one_sends_it(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text())
    found = harness.outbox.find("telegram-1001", "1")
    assert found is not None
    message = found[0]
    assert harness.outbox.update(message.start_attempt(NOW), previous=message)
    assert not harness.outbox.update(message.start_attempt(NOW), previous=message)


def test_who_blocked_the_bot_gets_no_messages_any_more(harness: ChatOutboxHarness) -> None:
    harness.chat.act("telegram", "1001", blocks=True)
    harness.put("1", make_text())
    assert _state(harness.send("1")) is SendState.FAILED
    assert harness.store.has_opted_out("telegram-1001")


def test_a_message_that_the_provider_refuses_has_failed(harness: ChatOutboxHarness) -> None:
    harness.chat.arm(mode="reject", times=1)
    harness.put("1", make_text())
    assert _state(harness.send("1")) is SendState.FAILED
    assert not harness.store.has_opted_out("telegram-1001")


def test_a_message_of_yesterday_is_not_sent(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text())
    harness.clock.advance(timedelta(days=1))
    assert _state(harness.send("1")) is SendState.FAILED
    assert harness.list_texts() == []


def test_a_wrong_token_stops_the_channel_for_a_minute(tmp_path: Path) -> None:
    account = TelegramAccount(bot_token="1:other", webhook_secret="x")
    with run_outbox(tmp_path, telegram=account) as harness:
        harness.put("1", make_text())
        assert _refuse(harness).args == ("http_401",)
        assert _refuse(harness).retry_after_seconds == 61
        # The other channel is not stopped.
        harness.put("2", make_text(), **_WHATSAPP)
        assert _state(harness.send("2", **_WHATSAPP)) is SendState.SENT


def test_a_message_of_a_channel_that_is_off_has_failed(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text(), channel="sms")
    assert _state(harness.send("1", channel="sms")) is SendState.FAILED


def _report(harness: ChatOutboxHarness, status: str, **changes: Any) -> ChatSend | None:
    tracker = f"{harness.name_chat('whatsapp', _ANI_PHONE)}/1"
    return harness.sender.record_report(
        DeliveryReport(
            **{
                "message_id": "wamid.1",
                "status": status,
                "occurred_at": NOW,
                "tracker": tracker,
                **changes,
            }
        )
    )


def test_a_report_settles_a_message_whose_answer_was_lost(harness: ChatOutboxHarness) -> None:
    harness.chat.arm(mode="timeout_after_accept", times=1, seconds=0)
    harness.put("1", make_text(), **_WHATSAPP)
    assert _state(harness.send("1", **_WHATSAPP)) is SendState.UNKNOWN
    assert _state(_report(harness, "delivered")) is SendState.SENT
    # Repeated and late reports change nothing.
    assert _state(_report(harness, "sent")) is SendState.SENT


def test_a_report_of_failure_is_kept_with_its_code(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text(), **_WHATSAPP)
    harness.send("1", **_WHATSAPP)
    failed = _report(harness, "failed", error_codes=(131047,))
    assert failed is not None
    assert (failed.state, failed.reason) == (SendState.FAILED, "131047")


def test_a_report_about_another_message_is_ignored(harness: ChatOutboxHarness) -> None:
    assert _report(harness, "sent", tracker="0123456789abcdef") is None
    assert _report(harness, "sent", tracker=None) is None


def test_whatsapp_reports_name_the_message_by_its_tracker(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_text(), **_WHATSAPP)
    harness.send("1", **_WHATSAPP)

    def find_trackers() -> set[str]:
        values = [
            update["entry"][0]["changes"][0]["value"]
            for update in harness.chat.webhook.updates
            if "entry" in update
        ]
        return {each["biz_opaque_callback_data"] for value in values for each in value.get("statuses", ())}

    assert wait_until("a status", find_trackers, timeout_seconds=20) == {f"whatsapp-{_ANI_PHONE}/1"}


def test_what_a_channel_accepted_is_counted_once_with_its_price(harness: ChatOutboxHarness) -> None:
    harness.clock.advance(datetime(2026, 11, 29, tzinfo=UTC) - harness.clock())
    harness.put("1", make_text(), **_WHATSAPP)
    harness.chat.arm(mode="throttle", app="whatsapp", times=1)
    _refuse(harness, **_WHATSAPP)
    assert harness.ledger.counted == [], "it was not accepted"
    for _ in range(2):
        harness.send("1", **_WHATSAPP)
    harness.put("2", make_text())
    harness.send("2")
    assert harness.ledger.counted == [(DAY, "whatsapp", 100), (DAY, "telegram", 0)]


def test_what_the_person_does_not_see_is_not_counted(harness: ChatOutboxHarness) -> None:
    harness.put("1", make_prompt("agree"))
    harness.send("1")
    update = harness.chat.act("telegram", "1001", button="Agree")
    harness.put("2", Acknowledgement(callback_id=update["callback_query"]["id"]))
    harness.send("2")
    harness.chat.act("telegram", "1001", blocks=True)
    harness.put("3", make_text())
    assert _state(harness.send("3")) is SendState.FAILED
    assert len(harness.ledger.counted) == 1
