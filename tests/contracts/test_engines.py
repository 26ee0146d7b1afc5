"""The engines of the contracts. A run without the named engine reports a skipped test."""

from collections.abc import Callable

import pytest

from tests.contracts.conftest import Engine


def test_the_named_engine_runs_the_contracts(named_engine: Callable[[], Engine]) -> None:
    engine = named_engine()

    assert engine.scan_items() == []
    assert "TableNames" in engine.client.list_tables()


def test_a_failed_transaction_changes_nothing(engine: Engine) -> None:
    """This covers moto too, whose copies of tables are replaced by `tests/support/moto_transactions.py`."""
    table = engine.create_table("RegistrationsTable")
    kept, deleted = ({"pk": {"S": name}, "sk": {"S": "x"}} for name in ("kept", "deleted"))
    for key in (kept, deleted):
        engine.client.put_item(TableName=table, Item={**key, "held": {"M": {"times": {"N": "1"}}}})
    before = sorted(map(str, engine.scan_items()))
    update = {
        "UpdateExpression": "SET held.times = :two",
        "ExpressionAttributeValues": {":two": {"N": "2"}},
    }
    refused_put = {"Item": {**kept, "pk": {"S": "new"}}, "ConditionExpression": "attribute_exists(pk)"}

    with pytest.raises(engine.client.exceptions.TransactionCanceledException):
        engine.client.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": table, "Key": kept, **update}},
                {"Delete": {"TableName": table, "Key": deleted}},
                {"Put": {"TableName": table, **refused_put}},
            ]
        )

    assert sorted(map(str, engine.scan_items())) == before
