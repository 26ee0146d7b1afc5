"""The sender of chat messages over moto's tables and the fake chat."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from chalicelib.campaigns.model import CampaignDay
from chalicelib.chats.accounts import TelegramAccount, WhatsAppAccount
from chalicelib.chats.bot_api import BotApi
from chalicelib.chats.cloud_api import CloudApi
from chalicelib.chats.service import ChatSender
from chalicelib.conversations.messages import OutboxContent, OutboxEntry
from chalicelib.conversations.model import Acknowledgement, OfficerMessage, Option, Prompt, TextRef
from chalicelib.conversations.sends import ChatSend
from chalicelib.conversations.store import DynamoConversations
from chalicelib.conversations.store_outbox import DynamoChatOutbox
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from ops.fake_chat.accounts import TELEGRAM_SECRET, WHATSAPP_SECRET
from tests.support.builders import NOW
from tests.support.fake_chat import FakeChat, run_fake_chat
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.sms import InMemorySendRateLimiter
from tests.support.moto_tables import read_table_definitions

_TABLE = "ConversationsTable"
DAY = CampaignDay("tanah-abang-2024", NOW.date())
Message = Prompt | OfficerMessage | Acknowledgement


class CountedDialogues:
    """Satisfies `service.DialogueLedger`: what was counted, in order."""

    def __init__(self) -> None:
        self.counted: list[tuple[CampaignDay, str, int]] = []

    def add_dialogue_message(
        self, campaign_day: CampaignDay, channel: str, *, price: int, chat_key: str
    ) -> None:
        """Count one message."""
        self.counted.append((campaign_day, channel, price))


class ChatOutboxHarness:
    """A sender whose clock stands still unless it is moved, the table of its messages, and a fake chat."""

    def __init__(self, client: Any, chat: FakeChat, *, telegram: TelegramAccount | None = None) -> None:
        self.chat = chat
        self.clock = FixedClock(NOW)
        self.client = client
        cipher = FieldCipher(lambda: FieldKeys(current_key_id="1", by_id={"1": bytes(range(32))}))
        self.store = DynamoConversations(client, _TABLE, cipher)
        self.outbox = DynamoChatOutbox(client, _TABLE, cipher)
        self.limiters = {channel: InMemorySendRateLimiter() for channel in ("telegram", "whatsapp")}
        self.ledger = CountedDialogues()
        bot = telegram or TelegramAccount(**TELEGRAM_SECRET)
        number = WhatsAppAccount(**WHATSAPP_SECRET)
        self.sender = ChatSender(
            outbox=self.outbox,
            providers={
                "telegram": BotApi(url=chat.url, get_account=lambda: bot),
                "whatsapp": CloudApi(url=f"{chat.url}/v23.0", get_account=lambda: number),
            },
            limiters=self.limiters,
            ledger=self.ledger,
            clock=self.clock,
            wait=self.clock.advance,
        )

    def put(self, outbox_id: str, message: Message, *, channel: Any = "telegram", to: str = "1001") -> None:
        """Put a message to a user into the outbox, as a conversation does."""
        content = OutboxContent(channel=channel, account="1", recipient=to, language="id", message=message)
        write = self.store.build_outbox_write(
            self.name_chat(channel, to),
            outbox_id,
            content,
            now=self.clock(),
            worker_key=None,
            campaign_day=DAY,
        )
        self.client.put_item(**write.request)

    def send(self, outbox_id: str, *, channel: str = "telegram", to: str = "1001") -> ChatSend | None:
        return self.sender.send(OutboxEntry(chat_key=self.name_chat(channel, to), outbox_id=outbox_id))

    def name_chat(self, channel: str, to: str) -> str:
        return f"{channel}-{to}"

    def read_item(self, outbox_id: str, *, channel: str = "telegram", to: str = "1001") -> dict[str, Any]:
        key = {"pk": {"S": f"CHAT#{self.name_chat(channel, to)}"}, "sk": {"S": f"OUT#{outbox_id}"}}
        item: dict[str, Any] = self.client.get_item(TableName=_TABLE, Key=key)["Item"]
        return item

    def list_texts(self, *, channel: str = "telegram", to: str = "1001") -> list[str]:
        """Return the texts that a user got from the bot."""
        transcript = self.chat.get_transcript(channel, to)
        return [message["text"] for message in transcript if message["from"] == "bot"]


@contextmanager
def run_outbox(directory: Path, **options: Any) -> Iterator[ChatOutboxHarness]:
    """Run a fake chat, in which user 1001 has written, and a sender to it."""
    with mock_aws(), run_fake_chat(directory / "chats.jsonl") as chat:
        client = boto3.client("dynamodb", region_name="ap-southeast-3")
        client.create_table(TableName=_TABLE, **read_table_definitions()[_TABLE])
        chat.act("telegram", "1001", text="/start")
        chat.act("whatsapp", "6283100000001", text="Halo")
        yield ChatOutboxHarness(client, chat, **options)


class WorkerKilled(Exception):
    """The worker process dies."""


def make_text(text: str = "Halo") -> OfficerMessage:
    return OfficerMessage(text=text)


def make_prompt(*values: str, **changes: Any) -> Prompt:
    """Return a question with an option for each value."""
    options = tuple(
        Option(value=value, label=TextRef(key="plain", args={"text": value.title()}), token=str(number))
        for number, value in enumerate(values, 1)
    )
    question = TextRef(key="plain", args={"text": "Setuju?"})
    return Prompt(**{"question": question, "field": "consent", "options": options, **changes})
