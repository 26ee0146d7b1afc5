"""Refusals of the reviews package.

Refusal
├── ReviewItemUnknown   no item of this campaign has this id
├── ChatGone            the item leads to no chat, or not any more
├── ChatWindowClosed    the channel takes nothing but approved templates now
└── AnswerReused        the id of an answer was used before, for another item or text
"""

from chalicelib.refusals import Refusal


class ReviewItemUnknown(Refusal):
    """There is no such item, or it is of another campaign."""

    code = "review_item_unknown"


class ChatGone(Refusal):
    """Nobody of this item can be answered in a chat: it is of another kind, or its chat is forgotten."""

    code = "chat_gone"


class ChatWindowClosed(Refusal):
    """The person wrote too long ago: until the next message, the channel takes only approved templates."""

    code = "chat_window_closed"


class AnswerReused(Refusal):
    """An answer with this id, but for another item or with another text, exists."""

    code = "answer_reused"
