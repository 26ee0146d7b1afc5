"""Review items in DynamoDB. Lookups are in the same table (`chalicelib/searches/store.py`).

REVIEW#<item id>           ITEM             an item; indexed by campaign, state and time; expires
REGISTRATION#<reference>   ITEM#<item id>   leads from a registration to an item; expires
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from chalicelib.audit.model import AuditRecord
from chalicelib.aws.items import Values
from chalicelib.aws.table import MAX_ID_LENGTH, Table, TransactionFailed, Write
from chalicelib.clock import from_optional_timestamp, to_optional_timestamp, to_timestamp
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.http.pagination import Page, Position, cut_page
from chalicelib.records import iter_readable, record_parser
from chalicelib.refusals import TryAgain
from chalicelib.reviews.errors import ReviewItemUnknown
from chalicelib.reviews.model import (
    MAX_REFERENCES,
    ReviewedRegistration,
    ReviewItem,
    ReviewKind,
    ReviewState,
)

_BY_STATE = "by_state"
_REVIEW_PREFIX, _ITEM_PREFIX = "REVIEW#", "ITEM#"
_NOTE = "note"

_IF_NEW = "attribute_not_exists(pk)"
_IF_EXISTS = "attribute_exists(pk)"
_IF_NOT_NAMED = (
    "attribute_exists(pk) AND NOT contains(registrations, :one)"
    " AND (attribute_not_exists(registrations) OR size(registrations) < :most)"
)
_ADD_REGISTRATION = "SET #state = :open, listing = :listing ADD registrations :set"
_STATE_NAME = {"#state": "state"}


class DynamoReviewStore:
    """Satisfies `service.ReviewStore`. Notes are sealed."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        cipher: FieldCipher,
        *,
        build_audit_write: Callable[[AuditRecord], Write],
    ) -> None:
        self._table = Table(client, table_name)
        self._cipher = cipher
        self._build_audit_write = build_audit_write

    def open(self, item: ReviewItem, *, expires_at: int) -> None:
        # What leads to an item is stored first, so that an erasure finds every item.
        for each in item.registrations:
            link = _make_link_key(each.reference, item.item_id)
            self._table.run(self._table.put({**link, "expires_at": expires_at}))
        values = {**self._to_values(item), "expires_at": expires_at}
        if not self._table.try_run(self._table.put(values, _IF_NEW)):
            self._extend(item)

    def get(self, campaign_id: str, item_id: str) -> ReviewItem:
        # DynamoDB answers a key that is too long with an error that would look like a fault of ours.
        values = None if len(item_id) > MAX_ID_LENGTH else self._table.get(_make_key(item_id))
        if values is None or values["campaign_id"] != campaign_id:
            raise ReviewItemUnknown("no item of the campaign has this id")
        return self._parse(values)

    def list_page(
        self, campaign_id: str, state: ReviewState, *, start_after: Position | None, page_size: int
    ) -> Page[ReviewItem]:
        condition, values = "listing = :listing", {":listing": _make_listing(campaign_id, state)}
        if start_after is not None:
            condition, values = f"{condition} AND listing_order < :before", values | {":before": start_after}
        found = self._table.query(
            condition, values, index=_BY_STATE, page_size=page_size + 1, is_descending=True
        )
        page = cut_page(
            found, page_size, start_after=start_after, get_position=lambda row: str(row["listing_order"])
        )
        return Page(list(iter_readable(self._parse, page.rows)), page.last_position, page.has_more)

    def replace(
        self, item: ReviewItem, *, previous: ReviewItem, record: AuditRecord, writes: Sequence[Write] = ()
    ) -> None:
        changes: Values = {
            "#state": item.state,
            "listing": _make_listing(item.campaign_id, item.state),
            "changed_by": item.changed_by,
            "changed_at": to_optional_timestamp(item.changed_at),
        }
        if item.note != previous.note:
            changes[_NOTE] = self._seal_note(item)
        names = {name: f":{name.strip('#')}" for name in changes}
        update = self._table.update(
            _make_key(item.item_id),
            "SET " + ", ".join(f"{name} = {placeholder}" for name, placeholder in names.items()),
            _IF_EXISTS,
            names=_STATE_NAME,
            compared={placeholder: changes[name] for name, placeholder in names.items()},
        )
        try:
            self._table.transact([update, self._build_audit_write(record), *writes])
        except TransactionFailed as failed:
            if 0 in failed.current:
                raise ReviewItemUnknown("erased meanwhile") from None
            raise TryAgain("another change was in the way") from None

    def iter_by_reference(self, reference: str) -> Iterator[ReviewItem]:
        keys = [_make_key(item_id) for item_id in self._iter_links(reference)]
        return iter_readable(self._parse, self._table.get_many(keys))

    def erase_reference(self, reference: str) -> None:
        for item_id in list(self._iter_links(reference)):
            key = _make_key(item_id)
            named = (self._table.get(key) or {}).get("registrations", set())
            own = {each for each in named if _parse_registration(each).reference == reference}
            if own and named == own:
                self._table.run(self._table.delete(key))
            elif own:
                # The note may be about this person.
                trim = self._table.update(
                    key, f"DELETE registrations :own REMOVE {_NOTE}", _IF_EXISTS, compared={":own": own}
                )
                self._table.try_run(trim)
            self._table.run(self._table.delete(_make_link_key(reference, item_id)))

    def delete(self, item_id: str) -> None:
        key = _make_key(item_id)
        for named in (self._table.get(key) or {}).get("registrations", ()):
            link = _make_link_key(_parse_registration(named).reference, item_id)
            self._table.run(self._table.delete(link))
        self._table.run(self._table.delete(key))

    def _extend(self, item: ReviewItem) -> None:
        key = _make_key(item.item_id)
        for each in map(_format_registration, item.registrations):
            added = self._table.update(
                key,
                _ADD_REGISTRATION,
                _IF_NOT_NAMED,
                names=_STATE_NAME,
                compared={
                    ":open": ReviewState.OPEN,
                    ":listing": _make_listing(item.campaign_id, ReviewState.OPEN),
                    ":set": {each},
                    ":one": each,
                    ":most": MAX_REFERENCES,
                },
            )
            self._table.try_run(added)
        if item.chat_key is not None:
            opened = self._table.update(
                key,
                "SET #state = :open, listing = :listing",
                _IF_EXISTS,
                names=_STATE_NAME,
                compared={
                    ":open": ReviewState.OPEN,
                    ":listing": _make_listing(item.campaign_id, ReviewState.OPEN),
                },
            )
            self._table.try_run(opened)
        if item.figures:
            counted = self._table.update(
                key,
                "SET figures = :figures",
                f"{_IF_EXISTS} AND figures <> :figures",
                compared={":figures": dict(item.figures)},
            )
            self._table.try_run(counted)

    def _iter_links(self, reference: str) -> Iterator[str]:
        values = {":pk": _make_link_key(reference, "")["pk"], ":prefix": _ITEM_PREFIX}
        for row in self._table.query("pk = :pk AND begins_with(sk, :prefix)", values):
            yield row["sk"].removeprefix(_ITEM_PREFIX)

    def _to_values(self, item: ReviewItem) -> Values:
        return {
            **_make_key(item.item_id),
            "item_id": item.item_id,
            "campaign_id": item.campaign_id,
            "kind": item.kind,
            "state": item.state,
            "listing": _make_listing(item.campaign_id, item.state),
            "listing_order": f"{to_timestamp(item.opened_at)}#{item.item_id}",
            "opened_at": to_timestamp(item.opened_at),
            "day": None if item.day is None else item.day.isoformat(),
            "registrations": set(map(_format_registration, item.registrations)) or None,
            "client_id": item.client_id,
            "sponsor_id": item.sponsor_id,
            "figures": dict(item.figures),
            "chat_key": item.chat_key,
            _NOTE: None if item.note is None else self._seal_note(item),
        }

    def _seal_note(self, item: ReviewItem) -> bytes:
        return self._cipher.seal(item.note or "", record=_record_name(item.item_id), field=_NOTE)

    def _parse(self, values: Mapping[str, Any]) -> ReviewItem:
        return parse_review_item(values, self._cipher)


@record_parser
def parse_review_item(values: Mapping[str, Any], cipher: FieldCipher) -> ReviewItem:
    """Return an item. Raise RecordUnreadable."""
    item_id, note, day = values["item_id"], values.get(_NOTE), values.get("day")
    return ReviewItem(
        item_id=item_id,
        campaign_id=values["campaign_id"],
        kind=ReviewKind(values["kind"]),
        state=ReviewState(values["state"]),
        opened_at=datetime.fromisoformat(values["opened_at"]),
        day=None if day is None else date.fromisoformat(day),
        registrations=tuple(sorted(map(_parse_registration, values.get("registrations", ())))),
        client_id=values.get("client_id"),
        sponsor_id=values.get("sponsor_id"),
        figures={name: int(value) for name, value in values["figures"].items()},
        note=None if note is None else cipher.unseal(note, record=_record_name(item_id), field=_NOTE),
        chat_key=values.get("chat_key"),
        changed_by=values.get("changed_by"),
        changed_at=from_optional_timestamp(values.get("changed_at")),
    )


@record_parser
def reseal(values: Mapping[str, Any], cipher: FieldCipher) -> Values:
    """Return the attributes that an older key sealed, sealed again. Raise RecordUnreadable."""
    if _NOTE not in values:
        return {}
    resealed = cipher.reseal(values[_NOTE], record=_record_name(values["item_id"]), field=_NOTE)
    return {} if resealed is None else {_NOTE: resealed}


@record_parser
def check_readable(values: Mapping[str, Any], cipher: FieldCipher) -> None:
    """Parse an item; links and lookups hold nothing to parse. Raise RecordUnreadable."""
    if values["pk"].startswith(_REVIEW_PREFIX):
        parse_review_item(values, cipher)


def _make_key(item_id: str) -> Values:
    return {"pk": f"{_REVIEW_PREFIX}{item_id}", "sk": "ITEM"}


def _make_link_key(reference: str, item_id: str) -> Values:
    return {"pk": f"REGISTRATION#{reference}", "sk": f"{_ITEM_PREFIX}{item_id}"}


def _make_listing(campaign_id: str, state: ReviewState) -> str:
    return f"{campaign_id}#{state}"


def _format_registration(registration: ReviewedRegistration) -> str:
    day = "" if registration.day is None else registration.day.isoformat()
    return f"{registration.reference} {day}"


def _parse_registration(text: str) -> ReviewedRegistration:
    reference, _, day = text.partition(" ")
    return ReviewedRegistration(reference, date.fromisoformat(day) if day else None)


def _record_name(item_id: str) -> str:
    return f"review item {item_id}"
