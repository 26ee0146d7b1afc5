"""Bring a table back to its copy of a moment, but for what has left the house since.

A registration that was damaged is taken back. An SMS that was sent, an opt-out, a token that was revoked, a
person's request and a record of the audit trail cannot be: their tables keep what they have, and get back
what they have lost.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.restore.items import Item, get_key, iter_pages, read_items, read_key_names, write_items


@dataclass(frozen=True)
class Policy:
    """The rule of a table: whose version of an item is kept, and whether items that came since are."""

    keeps_changes: bool
    keeps_additions: bool


TAKEN_BACK = Policy(keeps_changes=False, keeps_additions=False)
KEPT = Policy(keeps_changes=True, keeps_additions=True)

# Every table of the template has a rule; a test finds a missing one.
POLICIES: Mapping[str, Policy] = {
    "RegistrationsTable": TAKEN_BACK,
    # Counted again from the registrations.
    "SummariesTable": TAKEN_BACK,
    # A campaign that was opened since is in use on devices.
    "CampaignsTable": Policy(keeps_changes=False, keeps_additions=True),
    "ClientsTable": KEPT,
    "SmsLedgerTable": KEPT,
    "SendingTable": KEPT,
    "RequestsTable": KEPT,
    # Messages on their way to people, and what managers have looked at.
    "ConversationsTable": KEPT,
    "ReviewsTable": KEPT,
    "AuditTable": KEPT,
    "KeysTable": KEPT,
}

# If a table that is kept was damaged itself. An SMS that began since the moment stays in the ledger.
POLICIES_IF_DAMAGED: Mapping[str, Policy] = {
    "ClientsTable": TAKEN_BACK,
    "SmsLedgerTable": Policy(keeps_changes=False, keeps_additions=True),
    "SendingTable": Policy(keeps_changes=False, keeps_additions=True),
}


def choose_policies(damaged: Collection[str] = ()) -> dict[str, Policy]:
    """Return the policy of each table, if some of POLICIES_IF_DAMAGED were damaged themselves."""
    return {**POLICIES, **{table: POLICIES_IF_DAMAGED[table] for table in damaged}}


@dataclass
class Merged:
    """The numbers of items that a merge of a table put back and took away."""

    put_back: int = 0
    taken_away: int = 0


OnChange = Callable[[Item | None, Item | None], object]


def merge(  # noqa: PLR0913 - keyword-only
    dynamodb: Any,
    *,
    copy: str,
    live: str,
    policy: Policy,
    is_wanted: Callable[[Item], bool] = lambda _: True,
    prepare: Callable[[Item], Item] = lambda item: item,
    on_change: OnChange | None = None,
    on_page: Callable[[], object] = lambda: None,
) -> Merged:
    """Bring the table `live` to its copy, by the policy. It may be repeated.

    An item that is not wanted is not put back; the others are stored as `prepare` returns them. Only items
    that differ are written, because each write of registrations is published. With `on_change` nothing is
    written: it gets each change, before and after.
    `on_page` is called before each page.
    """
    names, merged = read_key_names(dynamodb, live), Merged()
    for found_page in iter_pages(dynamodb, copy):
        on_page()
        page = [prepare(item) for item in found_page]
        current = read_items(dynamodb, live, [get_key(item, names) for item in page])
        changed = [
            item
            for item in page
            if is_wanted(item)
            and (
                (found := current.get(get_key(item, names))) is None
                or (found != item and not policy.keeps_changes)
            )
        ]
        if on_change is None:
            write_items(dynamodb, live, changed)
        else:
            for item in changed:
                on_change(current.get(get_key(item, names)), item)
        merged.put_back += len(changed)
    if not policy.keeps_additions:
        for added in _iter_additions(dynamodb, copy, live, names):
            on_page()
            if on_change is None:
                write_items(dynamodb, live, [], [get_key(item, names) for item in added])
            else:
                for item in added:
                    on_change(item, None)
            merged.taken_away += len(added)
    return merged


def _iter_additions(
    dynamodb: Any, copy: str, live: str, names: tuple[str, ...]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the items of a table that its copy does not have.

    But for captures that were erased: they must not be accepted again.
    """
    for page in iter_pages(dynamodb, live):
        known = read_items(dynamodb, copy, [get_key(item, names) for item in page])
        yield [item for item in page if get_key(item, names) not in known and "forgotten" not in item]
