"""Key designs: partition keys of a table or an index, with a name for each part that varies. Pure.

`RegistrationsTable.by_campaign_day {campaign}#{day}#{shard}` is one: how hot its hottest partition becomes
follows from how the values of its parts are spread.
"""

import re
from collections.abc import Iterable

ONE = "{one}"
"""A part that belongs to one worker, capture, SMS or chat: such keys spread evenly over all partitions."""

# In the order in which they are tried. The ids are those of the tests that count.
_PARTS = (
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "{day}"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"), ONE),
    (re.compile(r"\b[0-9a-f]{16,}\b"), ONE),
    (re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}\b"), ONE),
    (re.compile(r"(?<=CODE#)\w+"), ONE),
    (re.compile(r"#\d$"), "#{shard}"),
)


def name_design(place: str, value: str, *, campaigns: Iterable[str], clients: Iterable[str]) -> str:
    """Return the key design of a partition key's value, given the ids of campaigns and clients in it."""
    for names, part in ((campaigns, "{campaign}"), (clients, "{client}")):
        for name in names:
            value = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", part, value)
    for pattern, part in _PARTS:
        value = pattern.sub(part, value)
    return f"{place} {value}"
