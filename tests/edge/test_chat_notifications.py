"""Chats through the functions, under their roles: answers, WhatsApp's link, and notifications."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops.fake_chat.accounts import (
    TELEGRAM_SECRET,
    TELEGRAM_WEBHOOK_SECRET,
    WHATSAPP_SECRET,
    sign_webhook,
)
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.fake_chat import FakeChat, run_fake_chat
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik
from tests.support.polling import wait_until

_ANI, _SITI = "1001", "6283100000001"
_CAMPAIGN = "today"
_APP_URL = "https://daftar.example/app"


class ChatEdge:
    """The app with its queues, between a person's phone and the providers."""

    def __init__(self, edge: Edge, chat: FakeChat, queues: dict[str, str]) -> None:
        self.edge = edge
        self.chat = chat
        self._queues = queues
        self._seen = 0

    def act(self, app: str, user_id: str, **act: Any) -> list[str]:
        """Act as a user, and run the functions until nothing waits. Return the bot's new texts."""
        before = len(self.list_texts(app, user_id))
        self.chat.act(app, user_id, **act)
        self.deliver()
        return self.list_texts(app, user_id)[before:]

    def deliver(self) -> None:
        """Pass what the fake chat has sent to our webhooks, and run the functions until nothing waits."""
        wait_until("the update", lambda: len(self.chat.webhook.received) > self._seen, timeout_seconds=20)
        while len(self.chat.webhook.received) > self._seen:
            received = self.chat.webhook.received[self._seen]
            self._seen += 1
            is_telegram = "update_id" in received.update
            path = "telegram/updates" if is_telegram else "whatsapp/webhook"
            proof = (
                {"X_Telegram_Bot_Api_Secret_Token": TELEGRAM_WEBHOOK_SECRET}
                if is_telegram
                else {"X_Hub_Signature_256": sign_webhook(received.body)}
            )
            answer = self.edge.send("POST", f"/v1/channels/{path}", received.body, caller=None, **proof)
            assert answer.status_code in {200, 204}, answer.body
            self.run("on_chat_events", "DAFTAR_CHAT_EVENTS_QUEUE_URL")
            self.run("on_chat_outbox", "DAFTAR_CHAT_OUTBOX_QUEUE_URL")

    def run(self, function: str, queue: str) -> None:
        """Run a function with what its queue has."""
        sqs, url = boto3.client("sqs"), self._queues[queue]
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", []):
            event = make_sqs_event(*(message["Body"] for message in messages))
            for record, message in zip(event["Records"], messages, strict=True):
                record["attributes"] = message["Attributes"]
                record["receiptHandle"] = message["ReceiptHandle"]
            assert self.edge.invoke(function, event) == {"batchItemFailures": []}
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def list_texts(self, app: str, user_id: str) -> list[str]:
        transcript = self.chat.get_transcript(app, user_id)
        return [message["text"] for message in transcript if message["from"] == "bot"]


@pytest.fixture
def chats(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatEdge]:
    with run_fake_chat(tmp_path / "chats.jsonl") as chat:
        sqs, secrets = boto3.client("sqs"), boto3.client("secretsmanager")
        queues = {
            name: sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            for name in ("DAFTAR_CHAT_EVENTS_QUEUE_URL", "DAFTAR_CHAT_OUTBOX_QUEUE_URL")
        }
        queues["DAFTAR_RECEIPTS_QUEUE_URL"] = sqs.create_queue(QueueName="receipts")["QueueUrl"]
        for name, account in (("TELEGRAM", TELEGRAM_SECRET), ("WHATSAPP", WHATSAPP_SECRET)):
            arn = secrets.create_secret(Name=name, SecretString=json.dumps(account))["ARN"]
            monkeypatch.setenv(f"DAFTAR_{name}_SECRET", arn)
        settings = {
            **queues,
            "DAFTAR_TELEGRAM_URL": chat.url,
            "DAFTAR_WHATSAPP_URL": f"{chat.url}/v23.0",
            "DAFTAR_APP_URL": _APP_URL,
            "DAFTAR_CHAT_LINK_CLIENT": "web-tanah-abang",
            "DAFTAR_CHAT_CAMPAIGN": _CAMPAIGN,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        web = {"client_id": "web-tanah-abang", "roles": ["bot"], "channel": "web", "campaigns": [_CAMPAIGN]}
        edge.enrol("web", web)
        today = (datetime.now(UTC) + timedelta(hours=7)).date()
        days = {
            "first_day": (today - timedelta(days=1)).isoformat(),
            "last_day": (today + timedelta(days=1)).isoformat(),
        }
        campaign = make_campaign_payload(campaign_id=_CAMPAIGN, accepts_until="2999-12-31", **days)
        assert edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
        edge.restart()
        yield ChatEdge(edge, chat, queues)


def _open_form(chats: ChatEdge) -> str:
    """Agree in WhatsApp. Return the code of the link that is given."""
    chats.act("whatsapp", _SITI, text="Halo")
    chats.act("whatsapp", _SITI, button="Setuju")
    [link] = chats.chat.get_transcript("whatsapp", _SITI)[-1]["links"].values()
    assert link.startswith(f"{_APP_URL}#self=")
    code: str = link.partition("=")[2]
    return code


def _register_by_link(chats: ChatEdge) -> str:
    """Register a worker by WhatsApp's link. Return the reference."""
    body = {"code": _open_form(chats), "enrolment_id": "01926f3e-7c00-4000-8000-000000000001"}
    opened = chats.edge.send("POST", "/v1/enrolments", body, caller=None)
    chats.edge.tokens["phone"] = opened.json_body["token"]
    worker = {"nik": make_nik(61), "phone": "0824-5551-0061"}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    capture = make_capture_payload(
        capture_id=make_capture_id(61),
        campaign_id=_CAMPAIGN,
        captured_at=now,
        officer=None,
        worker=worker,
        consent={"text_version": "2024-10", "given_at": now, "method": "tick"},
    )
    assert chats.edge.register(capture, caller="phone").status_code == 202
    shown = chats.edge.send("GET", f"/v1/captures/{make_capture_id(61)}", caller="manager").json_body
    reference: str = shown["registration"]["reference"]
    return reference


def _issue_payment_code(chats: ChatEdge, reference: str) -> None:
    """Issue a payment code, and run the function that tells the worker."""
    expires_on = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    code = {"code": "KODE-77", "amount": 49_200, "expires_on": expires_on}
    path = f"/v1/registrations/{reference}/payment-code"
    assert chats.edge.send("PUT", path, code, caller="core").status_code == 200
    event = make_domain_event(
        type="RegistrationChanged",
        reference=reference,
        event_type="payment_code_issued",
        event_version=2,
    )
    assert chats.edge.invoke("on_notifications", make_sqs_event(event)) == {"batchItemFailures": []}


def test_a_text_in_telegram_is_answered_and_nothing_of_it_is_logged(
    chats: ChatEdge, log_output: LogOutput
) -> None:
    [text] = chats.act("telegram", _ANI, text="halo, saya Siti Aminah")
    assert text
    assert chats.act("telegram", _ANI, text="bantuan")
    assert "Siti Aminah" not in log_output.text
    assert TELEGRAM_SECRET["bot_token"] not in log_output.text


def test_whatsapp_gives_a_link_and_asks_for_no_number_of_identity(chats: ChatEdge) -> None:
    assert _open_form(chats)
    answers = chats.act("whatsapp", _SITI, text=make_nik(60))
    assert make_nik(60) not in str(answers)
    assert "16 angka" not in str(answers)


def test_who_registered_by_whatsapps_link_hears_of_the_payment_code_there(
    chats: ChatEdge, gateway: FakeSmsServer
) -> None:
    reference = _register_by_link(chats)
    _issue_payment_code(chats, reference)
    assert "KODE" in chats.list_texts("whatsapp", _SITI)[-1]
    assert gateway.inbox.list_sms() == []


def test_who_blocked_the_business_hears_of_it_by_sms(chats: ChatEdge, gateway: FakeSmsServer) -> None:
    reference = _register_by_link(chats)
    chats.chat.act("whatsapp", _SITI, blocks=True)
    _issue_payment_code(chats, reference)
    chats.deliver()
    chats.run("on_receipts", "DAFTAR_RECEIPTS_QUEUE_URL")
    [row] = list(chats.edge.container.sms_history.iter_by_reference(reference))
    assert (row.state, row.reason) == ("pending", "chat_not_delivered")
    due = {"type": "SmsDue", "version": 1, "sms_id": row.sms_id}
    chats.edge.invoke("on_notifications", make_sqs_event(due))
    [sms] = gateway.inbox.list_sms()
    assert "KODE" in sms.text


def test_who_wants_to_talk_to_a_person_is_an_item_of_the_review_queue(chats: ChatEdge) -> None:
    chats.act("telegram", _ANI, text="/start")
    chats.act("telegram", _ANI, button="Setuju")
    chats.act("telegram", _ANI, text=make_nik(62))
    [text] = chats.act("telegram", _ANI, text="petugas")
    assert "Petugas kampanye" in text
    chats.act("telegram", _ANI, text="petugas")
    listed = chats.edge.send("GET", f"/v1/campaigns/{_CAMPAIGN}/review-items?state=open", caller="manager")
    [item] = listed.json_body["items"]
    assert (item["kind"], item["note"]) == ("talk_to_person", "telegram, phone, id")
    assert make_nik(62) not in str(listed.json_body)
