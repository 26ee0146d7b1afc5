"""The messages of dialogues in the ledger: some rows for each campaign day and channel, counted up.

A row has the form of an erased SMS: counted facts, and nothing of a person.
"""

import zlib

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table
from chalicelib.campaigns.model import CampaignDay
from chalicelib.notifications.counting import DIALOGUE
from chalicelib.notifications.store_items import SHARD_COUNT, build_day_shard, build_key

_ADD = (
    "SET facts.#money = facts.#money + :price, facts.chats.#channel.messages"
    " = facts.chats.#channel.messages + :one, facts.chats.#channel.#money"
    " = facts.chats.#channel.#money + :price"
)


def add_dialogue_message(
    table: Table, campaign_day: CampaignDay, channel: str, *, price: int, chat_key: str
) -> None:
    """Count one message of a dialogue. The chats are spread over some rows: none is written too often."""
    shard = zlib.crc32(chat_key.encode()) % SHARD_COUNT
    day_shard = build_day_shard(campaign_day, shard)
    key = build_key(f"{DIALOGUE}#{day_shard}#{channel}")
    update = table.update(
        key,
        _ADD,
        "attribute_exists(sms_id)",
        compared={":one": 1, ":price": price},
        names={"#money": "money", "#channel": channel},
    )
    while not table.try_run(update):
        try:
            table.run(table.put(_make_row(key, day_shard, channel), "attribute_not_exists(sms_id)"))
        except ConditionFailed:
            continue  # Another process made the row.


def _make_row(key: Values, day_shard: str, channel: str) -> Values:
    nothing = {"messages": 0, "money": 0}
    facts = {"purpose": DIALOGUE, "state": "sent", "parts": 0, "money": 0, "chats": {channel: nothing}}
    return {**key, "day_shard": day_shard, "facts": facts}
