"""Which engines have judged the contracts: a run that had fewer says so in its summary."""

from collections.abc import Callable

import pytest

from tests.contracts.conftest import Engine


def test_a_further_engine_has_judged_the_contracts_too(named_engine: Callable[[], Engine]) -> None:
    engine = named_engine()

    assert engine.scan_items() == []
    assert "TableNames" in engine.client.list_tables()


def test_a_transaction_that_fails_in_part_leaves_everything_as_it_was(engine: Engine) -> None:
    """Also on moto, whose copies of tables are made cheaper here (`tests/transactions.py`)."""
    table = engine.create_table("RegistrationsTable")
    kept, gone = ({"pk": {"S": name}, "sk": {"S": "x"}} for name in ("kept", "gone"))
    for key in (kept, gone):
        engine.client.put_item(TableName=table, Item={**key, "held": {"M": {"times": {"N": "1"}}}})
    before = sorted(map(str, engine.scan_items()))
    changing = {
        "UpdateExpression": "SET held.times = :two",
        "ExpressionAttributeValues": {":two": {"N": "2"}},
    }
    impossible = {"Item": {**kept, "pk": {"S": "new"}}, "ConditionExpression": "attribute_exists(pk)"}

    with pytest.raises(engine.client.exceptions.TransactionCanceledException):
        engine.client.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": table, "Key": kept, **changing}},
                {"Delete": {"TableName": table, "Key": gone}},
                {"Put": {"TableName": table, **impossible}},
            ]
        )

    assert sorted(map(str, engine.scan_items())) == before
