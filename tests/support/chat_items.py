"""A review item of a person in a chat who asked for somebody."""

from chalicelib.aws.table import Table
from chalicelib.container import Container
from chalicelib.conversations.messages import ChatLink
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject


def open_chat_item(container: Container, campaign_id: str, chat_key: str = "chat-1") -> str:
    """Open the item of a chat in Telegram that may be answered. Return its id."""
    subject = ReviewSubject(key=chat_key, chat_key=chat_key)
    finding = Finding(campaign_id, ReviewKind.TALK_TO_PERSON, subject, note="telegram, nik, id")
    container.reviews.open_finding(finding)
    link = ChatLink(channel="telegram", account="1", recipient="2", language="id", chat_key=chat_key)
    write = container.conversation_store.build_hand_off_write(
        link, finding.item_id, now=container.clock(), worker_key=None
    )
    Table(container.aws.dynamodb, container.settings.conversations_table).run(write)
    return finding.item_id
