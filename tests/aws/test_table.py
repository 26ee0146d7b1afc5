"""The table and transaction builder, on moto."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.items import to_item
from chalicelib.aws.table import ConditionFailed, Table, TransactionFailed, expires_after

KEY = {"pk": "a", "sk": 1}
IF_NEW, IF_EXISTS = "attribute_not_exists(pk)", "attribute_exists(pk)"


@pytest.fixture
def client(_isolated_aws_environment: None) -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-north-1")
        for name in ("Things", "Others"):
            client.create_table(
                TableName=name,
                AttributeDefinitions=[
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "N"},
                    {"AttributeName": "kind", "AttributeType": "S"},
                ],
                KeySchema=[
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "by_kind",
                        "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


@pytest.fixture
def table(client: Any) -> Table:
    return Table(client, "Things")


@pytest.fixture
def requests(client: Any) -> list[dict[str, Any]]:
    """The parameters of every request, with its operation."""
    sent: list[dict[str, Any]] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append({"operation": model.name, **params})

    client.meta.events.register("provide-client-params.dynamodb", record)
    return sent


class ScriptedClient:
    """Answers each request with the next of its answers, and raises those that are exceptions."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def _answer(self, **request: Any) -> Any:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    batch_get_item = transact_write_items = put_item = update_item = delete_item = _answer


def make_cancellation(*codes: str) -> ClientError:
    error: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(error, "TransactWriteItems")


def test_values_come_back_as_they_were_stored(table: Table) -> None:
    table.run(table.put({**KEY, "sealed": b"\x00\xff", "nested": {"bytes": b"\x01"}, "absent": None}))

    assert table.get(KEY) == {**KEY, "sealed": b"\x00\xff", "nested": {"bytes": b"\x01"}}
    assert table.get({**KEY, "sk": 2}) is None


def test_single_reads_are_strongly_consistent_and_reads_of_an_index_are_not(
    table: Table, requests: list[dict[str, Any]]
) -> None:
    table.get(KEY)
    list(table.get_many([KEY]))
    list(table.query("pk = :pk", {":pk": "a"}))
    list(table.query("kind = :kind", {":kind": "k"}, index="by_kind"))

    get, batch_get, query, index_query = requests
    assert get["ConsistentRead"] is query["ConsistentRead"] is True
    assert batch_get["RequestItems"]["Things"]["ConsistentRead"] is True
    assert "ConsistentRead" not in index_query


def test_a_failed_condition_is_raised_with_the_stored_item_only_on_request(table: Table) -> None:
    table.run(table.put({**KEY, "state": "first"}, IF_NEW))

    with pytest.raises(ConditionFailed) as with_item:
        table.run(table.put({**KEY, "state": "second"}, IF_NEW, returns_current=True))
    with pytest.raises(ConditionFailed) as without_item:
        table.run(table.put({**KEY, "state": "second"}, IF_NEW))

    assert with_item.value.current == {**KEY, "state": "first"}
    assert without_item.value.current == {}
    assert table.get(KEY) == {**KEY, "state": "first"}


def test_try_run_tells_whether_a_write_was_stored(table: Table) -> None:
    delete = table.delete(KEY, "version = :version", compared={":version": 1})

    assert table.try_run(table.put({**KEY, "version": 1}, IF_NEW)) is True
    assert table.try_run(table.put({**KEY, "version": 2}, IF_NEW)) is False
    assert (table.try_run(delete), table.try_run(delete)) == (True, False)
    assert table.get(KEY) is None


def test_an_update_returns_the_values_that_are_asked_for(table: Table) -> None:
    update = table.update(KEY, "ADD #hits :one", compared={":one": 1}, names={"#hits": "hits"})
    table.run(table.put({**KEY, "state": "first"}))

    assert table.run(update) == {}
    assert table.run(update, returns="ALL_NEW") == {**KEY, "state": "first", "hits": 2}
    assert table.run(update, returns="UPDATED_NEW") == {"hits": 3}


def test_other_errors_of_a_single_write_are_raised_as_they_are() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")
    table = Table(ScriptedClient(throttled, throttled), "Things")

    for send in (table.run, table.try_run):
        with pytest.raises(ClientError, match="ThrottlingException"):
            send(table.put(KEY))


def test_a_transaction_writes_to_several_tables(client: Any, table: Table) -> None:
    other = Table(client, "Others")
    table.run(table.put({**KEY, "sk": 2}))

    table.transact(
        [
            table.put(KEY, IF_NEW),
            table.delete({**KEY, "sk": 2}, IF_EXISTS),
            other.update(KEY, "ADD hits :one", compared={":one": 1}),
            other.check({**KEY, "sk": 9}, IF_NEW),
        ]
    )

    assert list(table.query("pk = :pk", {":pk": "a"})) == [KEY]
    assert other.get(KEY) == {**KEY, "hits": 1}


def test_a_failed_transaction_stores_nothing_and_names_the_failed_conditions(table: Table) -> None:
    for number in (1, 2):
        table.run(table.put({**KEY, "sk": number, "state": "first"}))

    with pytest.raises(TransactionFailed) as failed:
        table.transact(
            [
                table.put({**KEY, "sk": 1}, IF_NEW),
                table.put({**KEY, "sk": 3}, IF_NEW),
                table.put({**KEY, "sk": 2}, IF_NEW, returns_current=True),
            ]
        )

    assert failed.value.current == {0: {}, 2: {**KEY, "sk": 2, "state": "first"}}
    assert table.get({**KEY, "sk": 3}) is None


def test_a_conflict_with_a_concurrent_write_fails_without_a_failed_condition() -> None:
    table = Table(ScriptedClient(make_cancellation("None", "TransactionConflict")), "Things")

    with pytest.raises(TransactionFailed) as failed:
        table.transact([table.put(KEY), table.put(KEY)])

    assert failed.value.current == {}


@pytest.mark.parametrize(
    "error",
    [
        make_cancellation("ConditionalCheckFailed", "ThrottlingError"),
        make_cancellation(),
        ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems"),
    ],
    ids=["throttled in part", "without reasons", "another error"],
)
def test_other_errors_of_a_transaction_are_raised_as_they_are(error: ClientError) -> None:
    with pytest.raises(ClientError) as raised:
        Table(ScriptedClient(error), "Things").transact([])

    assert raised.value is error


def test_a_query_yields_every_page_in_either_direction(table: Table, requests: list[dict[str, Any]]) -> None:
    for number in range(5):
        table.run(table.put({**KEY, "sk": number, "name": f"{number}"}))
    requests.clear()

    ascending = table.query("pk = :pk", {":pk": "a"}, page_size=2)
    descending = table.query(
        "#pk = :pk AND sk > :low",
        {":pk": "a", ":low": 1},
        names={"#pk": "pk"},
        page_size=1,
        is_descending=True,
    )

    assert [values["sk"] for values in ascending] == [0, 1, 2, 3, 4]
    assert len(requests) == 3
    assert [values["sk"] for values in descending] == [4, 3, 2]


def test_a_query_reads_the_next_page_only_when_it_is_needed(
    table: Table, requests: list[dict[str, Any]]
) -> None:
    for number in range(5):
        table.run(table.put({**KEY, "sk": number}))
    requests.clear()

    found = table.query("pk = :pk", {":pk": "a"}, page_size=2)

    assert requests == []
    assert next(found)["sk"] == 0
    assert len(requests) == 1


def test_get_many_reads_a_hundred_keys_a_request(table: Table, requests: list[dict[str, Any]]) -> None:
    keys = [{**KEY, "sk": number} for number in range(250)]
    for key in keys[::2]:
        table.run(table.put(key))
    requests.clear()

    found = list(table.get_many(keys))

    assert sorted(values["sk"] for values in found) == list(range(0, 250, 2))
    assert [len(each["RequestItems"]["Things"]["Keys"]) for each in requests] == [100, 100, 50]


def test_get_many_asks_again_for_unprocessed_keys() -> None:
    first, second = ({**KEY, "sk": number} for number in (1, 2))
    client = ScriptedClient(
        {
            "Responses": {"Things": [to_item(second)]},
            "UnprocessedKeys": {"Things": {"Keys": [to_item(first)]}},
        },
        {"Responses": {"Things": [to_item(first)]}, "UnprocessedKeys": {}},
    )

    assert list(Table(client, "Things").get_many([first, second])) == [second, first]
    assert [each["RequestItems"]["Things"]["Keys"] for each in client.requests] == [
        [to_item(first), to_item(second)],
        [to_item(first)],
    ]


def test_get_many_of_no_keys_sends_no_request() -> None:
    assert list(Table(ScriptedClient(), "Things").get_many([])) == []


def test_an_item_in_dynamodbs_own_form_is_stored_as_it_is(table: Table) -> None:
    table.run(table.put_item({**to_item(KEY), "empty": {"NULL": True}}))

    assert table.get(KEY) == {**KEY, "empty": None}


def test_an_expiry_is_counted_from_the_beginning_of_the_day_in_utc() -> None:
    assert expires_after(date(1970, 1, 2), timedelta(days=3, seconds=1)) == 4 * 86_400 + 1
