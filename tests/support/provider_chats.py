"""The app with the fake providers of chats: people write, and the functions run under their roles."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.edge.conftest import Edge
from tests.support.aws_events import make_sqs_event
from tests.support.fake_chat import FakeChat, run_fake_chat
from tests.support.payloads import make_campaign_payload
from tests.support.polling import wait_until

CAMPAIGN = "today"
APP_URL = "https://daftar.example/app"
_MAX_SECONDS = 60


class ProviderChats:
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
        """Run a function until its queue is empty. What a provider asks to wait for comes again."""
        sqs, url = boto3.client("sqs"), self._queues[queue]
        deadline = time.monotonic() + _MAX_SECONDS
        while self._count(queue):
            assert time.monotonic() < deadline, f"{queue} is not emptied"
            messages = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], WaitTimeSeconds=1
            ).get("Messages", [])
            if not messages:
                continue
            event = make_sqs_event(*(message["Body"] for message in messages))
            for record, message in zip(event["Records"], messages, strict=True):
                record["attributes"] = message["Attributes"]
                record["receiptHandle"] = message["ReceiptHandle"]
            failures = self.edge.invoke(function, event)["batchItemFailures"]
            failed = {failure["itemIdentifier"] for failure in failures}
            for record, message in zip(event["Records"], messages, strict=True):
                if record["messageId"] in failed:
                    continue
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _count(self, queue: str) -> int:
        counts = boto3.client("sqs").get_queue_attributes(
            QueueUrl=self._queues[queue],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(count) for count in counts["Attributes"].values())

    def list_texts(self, app: str, user_id: str) -> list[str]:
        transcript = self.chat.get_transcript(app, user_id)
        return [message["text"] for message in transcript if message["from"] == "bot"]


@contextmanager
def run_chats(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderChats]:
    """Run the fake chat with the queues, accounts and a campaign of these days."""
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
            "DAFTAR_APP_URL": APP_URL,
            "DAFTAR_CHAT_LINK_CLIENT": "web-tanah-abang",
            "DAFTAR_CHAT_CAMPAIGN": CAMPAIGN,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        web = {"client_id": "web-tanah-abang", "roles": ["bot"], "channel": "web", "campaigns": [CAMPAIGN]}
        edge.enrol("web", web)
        today = (datetime.now(UTC) + timedelta(hours=7)).date()
        days = {
            "first_day": (today - timedelta(days=1)).isoformat(),
            "last_day": (today + timedelta(days=1)).isoformat(),
        }
        campaign = make_campaign_payload(campaign_id=CAMPAIGN, accepts_until="2999-12-31", **days)
        assert edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
        edge.restart()
        yield ProviderChats(edge, chat, queues)
