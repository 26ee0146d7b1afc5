"""Chats over the app in process: people write, the functions answer, and what they would be sent is read."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from chalice.test import HTTPResponse

from chalicelib.campaigns.model import Campaign
from chalicelib.channels.telegram.rendering import BotCall, render_call
from chalicelib.conversations.messages import OutboxEntry
from tests.edge.conftest import FAR_FUTURE, Edge
from tests.support.aws_events import make_sqs_event
from tests.support.payloads import make_campaign_payload

WEBHOOK_SECRET, GATEWAY_TOKEN = "the-secret-of-the-webhook", "the-token-of-the-gateway"
CAMPAIGN = "pasar-setiap-hari"
TELEGRAM = "/v1/channels/telegram/updates"

Environment = dict[str, str]


def make_chat_environment(edge: Edge) -> Environment:
    """Create the queues and accounts of the chats and a campaign of these days. Return their settings."""
    sqs: Any = boto3.client("sqs")
    secrets = boto3.client("secretsmanager")
    fifo = {"FifoQueue": "true"}
    today = datetime.now(UTC).date()
    days = {
        "first_day": (today - timedelta(days=1)).isoformat(),
        "last_day": (today + timedelta(days=1)).isoformat(),
    }
    campaign = make_campaign_payload(campaign_id=CAMPAIGN, accepts_until=FAR_FUTURE, **days)
    edge.container.campaigns.open(Campaign.model_validate(campaign))
    telegram = {"bot_token": "123456:invented", "webhook_secret": WEBHOOK_SECRET}
    return {
        "DAFTAR_CHAT_CAMPAIGN": CAMPAIGN,
        "DAFTAR_CHAT_EVENTS_QUEUE_URL": sqs.create_queue(QueueName="e.fifo", Attributes=fifo)["QueueUrl"],
        "DAFTAR_CHAT_OUTBOX_QUEUE_URL": sqs.create_queue(QueueName="o.fifo", Attributes=fifo)["QueueUrl"],
        "DAFTAR_TELEGRAM_SECRET": secrets.create_secret(Name="t", SecretString=json.dumps(telegram))["ARN"],
        "DAFTAR_TEXT_GATEWAY_SECRET": secrets.create_secret(
            Name="g", SecretString=json.dumps({"token": GATEWAY_TOKEN})
        )["ARN"],
    }


class ChatEdge:
    """One person who writes to our bot. `updates` are all that Telegram has delivered, and may again."""

    def __init__(self, edge: Edge, chat_id: int = 5_000_000_001) -> None:
        self.edge = edge
        self.chat_id = chat_id
        self.updates: list[dict[str, Any]] = []
        self.calls: list[BotCall] = []
        self.bodies: list[str] = []
        self._numbers = itertools.count(1)
        self._sqs: Any = boto3.client("sqs")

    def say(self, *texts: str) -> list[BotCall]:
        """Write texts one after another, and return the calls that answer the last one."""
        return [self.deliver({"message": self._make_message(text=text)}) for text in texts][-1]

    def share_contact(self, phone: str) -> list[BotCall]:
        """Share the person's own number."""
        card = {"phone_number": phone, "first_name": "x", "user_id": self.chat_id}
        return self.deliver({"message": self._make_message(contact=card)})

    def tap(self, label: str) -> list[BotCall]:
        """Tap the button with this label under the last message that has it."""
        for call in reversed(self.calls):
            for row in call.params.get("reply_markup", {}).get("inline_keyboard", ()):
                for button in row:
                    if button["text"] == label:
                        return self.tap_id(button["callback_data"])
        raise AssertionError(f"no button {label}")

    def tap_id(self, data: str) -> list[BotCall]:
        """Tap a button by its id."""
        query = {"id": str(next(self._numbers)), "from": {"id": self.chat_id}, "data": data}
        return self.deliver({"callback_query": query})

    def deliver(self, content: dict[str, Any]) -> list[BotCall]:
        """Deliver an update, let the functions work, and return the calls that they make."""
        update = {"update_id": next(self._numbers) + self.chat_id, **content}
        self.updates.append(update)
        assert self.post(update).status_code == 204
        self.work()
        return self.read_calls()

    def post(self, update: dict[str, Any]) -> HTTPResponse:
        """Deliver an update to the webhook."""
        return self.edge.send(
            "POST", TELEGRAM, update, caller=None, X_Telegram_Bot_Api_Secret_Token=WEBHOOK_SECRET
        )

    def work(self) -> list[str]:
        """Let the function handle every queued event once. Return the ids of those that failed."""
        failed: list[str] = []
        handled: set[str] = set()
        while message := self._receive("chat_events_queue_url"):
            if message["MessageId"] in handled:
                break
            handled.add(message["MessageId"])
            event = make_sqs_event(message["Body"])
            event["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
            result = self.edge.invoke("on_chat_events", event)
            failed += [each["itemIdentifier"] for each in result["batchItemFailures"]]
            self.bodies.append(message["Body"])
            self._delete("chat_events_queue_url", message)
        return failed

    def handle(self, body: str) -> list[str]:
        """Let the function handle one message of the queue again, as if it was never deleted."""
        url = self.edge.container.settings.chat_events_queue_url
        number = str(next(self._numbers))
        self._sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId="again", MessageDeduplicationId=number
        )
        return self.work()

    def read_calls(self) -> list[BotCall]:
        """Return the calls of the queued outbox entries, as the sender would make them."""
        calls = []
        for body in self._drain("chat_outbox_queue_url"):
            self.bodies.append(body)
            entry = OutboxEntry.model_validate_json(body)
            found = self.edge.container.chat_outbox.find(entry.chat_key, entry.outbox_id)
            assert found is not None
            assert found[1] is not None
            calls.append(render_call(found[1]))
        self.calls += calls
        return calls

    @property
    def last_text(self) -> str:
        """Return the text of the last message to the person."""
        return str(next(each.params["text"] for each in reversed(self.calls) if "text" in each.params))

    def _make_message(self, **fields: Any) -> dict[str, Any]:
        sender = {"id": self.chat_id, "is_bot": False, "first_name": "x"}
        chat = {"id": self.chat_id, "type": "private"}
        return {"message_id": 1, "date": 1, "chat": chat, "from": sender, **fields}

    def _drain(self, queue: str) -> Iterator[str]:
        while message := self._receive(queue):
            self._delete(queue, message)
            yield message["Body"]

    def _receive(self, queue: str) -> dict[str, Any] | None:
        url = getattr(self.edge.container.settings, queue)
        messages = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", [])
        return messages[0] if messages else None

    def _delete(self, queue: str, message: dict[str, Any]) -> None:
        url = getattr(self.edge.container.settings, queue)
        self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
