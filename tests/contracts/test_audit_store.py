"""The audit trail on each engine: records are added, listed in order by page, and never replaced."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count, cycle

import pytest

from chalicelib.audit.model import Action, AuditRecord, Subject
from chalicelib.audit.store import DynamoAuditTrail
from chalicelib.aws.table import Table, TransactionFailed
from chalicelib.http.pagination import Page, Position
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

SUBJECT = Subject.registration("7K4-M2Q-X9P")
DAY = timedelta(days=1)


@pytest.fixture
def table_name(engine: Engine) -> str:
    return engine.create_table("AuditTable")


def make_trail(
    engine: Engine, table_name: str, *, new_id: Callable[[], str] | None = None
) -> DynamoAuditTrail:
    ids = count()
    return DynamoAuditTrail(
        engine.client,
        table_name,
        retention_period=30 * DAY,
        new_id=new_id or (lambda: f"{next(ids):016x}"),
        get_correlation_id=lambda: "c-1",
    )


def make_record(minute: int = 0, *, subject: Subject = SUBJECT, client_id: str = "van-1") -> AuditRecord:
    return AuditRecord(subject, Action.READ, client_id, NOW + timedelta(minutes=minute))


def test_a_record_is_read_as_it_was_stored_with_the_correlation_id(engine: Engine, table_name: str) -> None:
    trail = make_trail(engine, table_name)
    record = AuditRecord(
        Subject.campaign_day("tanah-abang-2024", NOW.date()),
        Action.LISTED,
        "branch-office",
        NOW,
        references=("7K4-M2Q-X9P", "B3D-F5H-J7M"),
        fields=("name",),
    )
    trail.append(record)
    (stored,) = trail.iter_by_subject(record.subject)
    assert stored == AuditRecord(**{**vars(record), "correlation_id": "c-1"})
    assert str(stored.subject) == f"campaign_day:tanah-abang-2024/{NOW.date()}"


def test_records_are_listed_oldest_first_page_by_page(engine: Engine, table_name: str) -> None:
    trail = make_trail(engine, table_name)
    for minute in (3, 1, 1, 2):
        trail.append(make_record(minute))
    trail.append(make_record(0, subject=Subject.client("van-1"), client_id="head-office"))

    def list_by_subject(after: Position | None) -> Page[AuditRecord]:
        return trail.list_by_subject(SUBJECT, start_after=after, page_size=3)

    def list_by_client(after: Position | None) -> Page[AuditRecord]:
        return trail.list_by_client("van-1", start_after=after, page_size=3)

    for list_page in (list_by_subject, list_by_client):
        first = list_page(None)
        second = list_page(first.next_position)
        times = [each.occurred_at - NOW for page in (first, second) for each in page.rows]
        assert times == [timedelta(minutes=minute) for minute in (1, 1, 2, 3)]
        assert (first.has_more, second.has_more) == (True, False)
        assert list(list_page(second.last_position).rows) == []


def test_a_record_expires_after_the_retention_period(engine: Engine, table_name: str) -> None:
    make_trail(engine, table_name).append(make_record())
    (item,) = engine.scan_items()
    assert int(item["expires_at"]["N"]) == int((NOW + 30 * DAY).timestamp())


def test_a_stored_record_is_not_replaced(engine: Engine, table_name: str) -> None:
    ids = cycle(["same"])
    trail = make_trail(engine, table_name, new_id=lambda: next(ids))
    trail.append(make_record(client_id="van-1"))

    # As when the SDK repeats a write whose answer was lost.
    trail.append(make_record(client_id="van-2"))

    assert [each.client_id for each in trail.iter_by_subject(SUBJECT)] == ["van-1"]


def test_a_change_whose_record_cannot_be_stored_is_not_made(engine: Engine, table_name: str) -> None:
    ids = cycle(["same"])
    trail = make_trail(engine, table_name, new_id=lambda: next(ids))
    trail.append(make_record())
    clients = Table(engine.client, engine.create_table("ClientsTable"))
    change = clients.put({"pk": "CLIENT#van-1", "sk": "CLIENT"})

    with pytest.raises(TransactionFailed):
        clients.transact([change, trail.build_append(make_record())])

    assert clients.get({"pk": "CLIENT#van-1", "sk": "CLIENT"}) is None
