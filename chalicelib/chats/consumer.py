"""The handler for messages of the queue of the chat outbox."""

from chalicelib import observability
from chalicelib.chats.service import ChatSender
from chalicelib.conversations.messages import OutboxEntry


def handle(sender: ChatSender, body: str) -> None:
    """Send the message that an entry names. Raise TryAgain, or an exception for a malformed entry."""
    message = sender.send(OutboxEntry.model_validate_json(body))
    if message is None:
        observability.logger.info("message of a chat is gone")
        return
    observability.count("ChatMessages", channel=message.channel, state=message.state)
    observability.logger.info(
        "message of a chat processed",
        extra={"channel": message.channel, "state": message.state, "reason": message.reason},
    )
