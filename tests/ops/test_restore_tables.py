"""What `daftar restore` makes of each table, and what it asks AWS for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from infra.template import join_template
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.project import REGION
from ops.restore.copies import MomentOutOfReach, PointInTimeCopies, name_copies
from ops.restore.gate import StageGate
from ops.restore.losses import Losses
from ops.restore.merging import KEPT, POLICIES, POLICIES_IF_DAMAGED, TAKEN_BACK, Policy, merge

MOMENT = datetime(2026, 11, 29, 3, 30, tzinfo=UTC)
ADDITIONS_KEPT = Policy(keeps_changes=False, keeps_additions=True)
KEYS = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
ATTRIBUTES = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
CONTENTS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("xyz"))


def test_every_table_has_a_policy() -> None:
    tables = {
        name
        for name, each in join_template()["Resources"].items()
        if each.get("Type") == "AWS::DynamoDB::Table"
    }
    assert set(POLICIES) == tables
    assert set(POLICIES_IF_DAMAGED) < tables


@pytest.mark.parametrize("policy", [TAKEN_BACK, KEPT, ADDITIONS_KEPT])
@settings(deadline=None, max_examples=12)
@given(before=CONTENTS, now=CONTENTS)
def test_a_merge_leaves_what_the_policy_says_and_a_second_one_changes_nothing(
    policy: Policy, before: dict[str, str], now: dict[str, str]
) -> None:
    wanted = {**before, **now} if policy.keeps_changes else {**now, **before}
    if not policy.keeps_additions:
        wanted = {key: value for key, value in wanted.items() if key in before}
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        fill(dynamodb, "copy", before)
        fill(dynamodb, "live", now)

        first = merge(dynamodb, copy="copy", live="live", policy=policy)

        assert read(dynamodb, "live") == wanted
        assert first.put_back == len([key for key in wanted if now.get(key) != wanted[key]])
        assert first.taken_away == len(set(now) - set(wanted))
        second = merge(dynamodb, copy="copy", live="live", policy=policy)
        assert (second.put_back, second.taken_away) == (0, 0)
        assert read(dynamodb, "copy") == before


def fill(dynamodb: Any, table: str, content: dict[str, str]) -> None:
    dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **KEYS, **ATTRIBUTES)
    for key, value in content.items():
        dynamodb.put_item(TableName=table, Item={"pk": {"S": key}, "value": {"S": value}})


def read(dynamodb: Any, table: str) -> dict[str, str]:
    items = dynamodb.scan(TableName=table)["Items"]
    return {item["pk"]["S"]: item["value"]["S"] for item in items}


def test_many_items_are_brought_back_in_pages(moto: Any) -> None:
    content = {f"{number:04}": "x" for number in range(350)}
    fill(moto, "copy", content)
    fill(moto, "live", {f"{number:04}": "y" for number in range(300, 700)})

    merged = merge(moto, copy="copy", live="live", policy=TAKEN_BACK)

    assert read(moto, "live") == content
    assert (merged.put_back, merged.taken_away) == (350, 350)


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", region_name=REGION)


def test_a_capture_that_was_erased_since_is_not_forgotten_again(moto: Any) -> None:
    fill(moto, "copy", {})
    fill(moto, "live", {})
    erased = {"pk": {"S": "CAPTURE#1"}, "value": {"S": "-"}, "forgotten": {"BOOL": True}}
    moto.put_item(TableName="live", Item=erased)

    merge(moto, copy="copy", live="live", policy=TAKEN_BACK)

    assert [*read(moto, "live")] == ["CAPTURE#1"]


@given(st.dictionaries(st.sampled_from(["van-1", "van-2"]), st.sets(st.integers(1, 30), min_size=1)))
def test_the_numbers_of_lost_captures_are_told_as_runs(numbers: dict[str, set[int]]) -> None:
    losses = Losses()
    for client_id, own in numbers.items():
        for number in own:
            losses.record(make_capture(client_id, number), None)

    runs = losses.list_runs()

    told = {
        client_id: list(
            chain.from_iterable(
                range(run["first"], run["last"] + 1) for run in runs if run["client_id"] == client_id
            )
        )
        for client_id in numbers
    }
    assert told == {client_id: sorted(own) for client_id, own in numbers.items()}
    ends = [(run["client_id"], run["last"] + 1) for run in runs]
    assert not [end for end in ends if end in [(run["client_id"], run["first"]) for run in runs]]
    assert losses.captures == sum(map(len, numbers.values()))


def make_capture(client_id: str, number: int) -> dict[str, Any]:
    return {
        "pk": {"S": f"CAPTURE#{client_id}-{number}"},
        "sk": {"S": "CAPTURE"},
        "client_id": {"S": client_id},
        "device_sequence": {"N": str(number)},
    }


# What AWS is asked for, held against botocore's models.


@pytest.fixture
def stubber() -> Iterator[Stubber]:
    session: Any = boto3.Session("-", "-", region_name=REGION)
    with Stubber(session.client("dynamodb")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def make_stage(stubber: Stubber, *tables: str) -> Stage:
    return Stage("daftar-prod", {f"{table}Name": f"p-{table}" for table in tables}, lambda _: stubber.client)


OWN = ("p-ClientsTable", "p-KeysTable")


def expect_tables(stubber: Stubber, *names: str) -> None:
    stubber.add_response("list_tables", {"TableNames": list(names)})


def expect_window(stubber: Stubber, table: str, **window: datetime) -> None:
    described = {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", **window},
        }
    }
    stubber.add_response("describe_continuous_backups", described, {"TableName": f"p-{table}"})


def test_a_moment_that_one_table_does_not_reach_is_refused_with_the_moments_that_it_does(
    stubber: Stubber,
) -> None:
    day = timedelta(days=1)
    window = {"EarliestRestorableDateTime": MOMENT - day, "LatestRestorableDateTime": MOMENT + day}
    stage = make_stage(stubber, "ClientsTable", "KeysTable")
    for moment in (MOMENT - day, MOMENT, MOMENT + day):
        expect_tables(stubber, *OWN)
        for table in ("ClientsTable", "KeysTable"):
            expect_window(stubber, table, **window)
        PointInTimeCopies().check_moment(stage, moment)

    expect_tables(stubber, *OWN)
    expect_window(stubber, "ClientsTable", **window)
    expect_window(stubber, "KeysTable", **{**window, "EarliestRestorableDateTime": MOMENT})
    with pytest.raises(MomentOutOfReach, match="KeysTable can be restored to a moment from 2026-11-29T03:30"):
        PointInTimeCopies().check_moment(stage, MOMENT - timedelta(seconds=1))


def test_a_table_without_recovery_is_named_unless_it_has_a_copy(stubber: Stubber) -> None:
    stage = make_stage(stubber, "KeysTable")
    expect_tables(stubber, *name_copies(stage, MOMENT).values())
    PointInTimeCopies().check_moment(stage, MOMENT)

    expect_tables(stubber, *OWN, "daftar-prod-restore-20261129T033000000001-KeysTable")
    expect_window(stubber, "KeysTable")
    with pytest.raises(MomentOutOfReach, match="KeysTable has no point-in-time recovery"):
        PointInTimeCopies().check_moment(stage, MOMENT)


def test_copies_are_named_by_the_moment_however_its_offset_is_written(stubber: Stubber) -> None:
    stage = make_stage(stubber, "KeysTable")
    spellings = ("2026-11-29T10:30:00+07:00", "2026-11-29T11:30:00+08:00", "2026-11-29T03:30:00Z")
    names = [name_copies(stage, datetime.fromisoformat(each)) for each in spellings]
    assert names == [{"KeysTable": "daftar-prod-restore-20261129T033000000000-KeysTable"}] * 3
    other = name_copies(stage, datetime.fromisoformat("2026-11-29T10:30:00+08:00"))
    assert other["KeysTable"] not in names[0].values()


def test_a_table_that_was_deleted_is_restored_by_hand_first(stubber: Stubber) -> None:
    stage = make_stage(stubber, "ClientsTable", "KeysTable")
    copies = name_copies(stage, MOMENT)
    expect_tables(stubber, copies["ClientsTable"])
    with pytest.raises(MomentOutOfReach, match=f"KeysTable was deleted: .* {copies['KeysTable']}"):
        PointInTimeCopies().check_moment(stage, MOMENT)


def test_every_table_is_copied_at_the_moment_under_its_own_key_and_a_copy_that_exists_is_used(
    stubber: Stubber,
) -> None:
    stage = make_stage(stubber, "ClientsTable", "KeysTable")
    copies = name_copies(stage, MOMENT)
    expect_tables(stubber, *OWN)
    key = "arn:aws:kms:ap-southeast-3:123456789012:key/k"
    encryption = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}
    for table in ("ClientsTable", "KeysTable"):
        described = {"Table": {"TableName": f"p-{table}", "SSEDescription": encryption}}
        stubber.add_response("describe_table", described, {"TableName": f"p-{table}"})
        request = {
            "SourceTableName": f"p-{table}",
            "TargetTableName": copies[table],
            "RestoreDateTime": MOMENT,
            "BillingModeOverride": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexOverride": [],
            "SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
        }
        if table == "KeysTable":
            stubber.add_client_error(
                "restore_table_to_point_in_time", "TableAlreadyExistsException", expected_params=request
            )
        else:
            answer = {"TableDescription": {"TableName": copies[table]}}
            stubber.add_response("restore_table_to_point_in_time", answer, request)
    for name in copies.values():
        active = {"Table": {"TableName": name, "TableStatus": "ACTIVE"}}
        stubber.add_response("describe_table", active, {"TableName": name})

    assert PointInTimeCopies().make(stage, MOMENT) == copies
    assert copies["KeysTable"] == "daftar-prod-restore-20261129T033000000000-KeysTable"


MAPPING = "0192f3a1-7c00-4000-8000-0000000000aa"
MAPPING_ID = {"UUID": MAPPING}
RESOURCES = {
    "AWS::Lambda::Function": "function-1",
    "AWS::Lambda::EventSourceMapping": MAPPING,
    "AWS::Events::Rule": "rule-1",
}


class Gateway:
    """The clients of a stage with one function, one mapping and one rule, that expect requests in order."""

    def __init__(self) -> None:
        session: Any = boto3.Session("-", "-", region_name=REGION)
        self.clients = {name: session.client(name) for name in ("cloudformation", "lambda", "events")}
        self.stubbers = {name: Stubber(client) for name, client in self.clients.items()}
        for stubber in self.stubbers.values():
            stubber.activate()
        self.pauses: list[float] = []

    def make_gate(self) -> StageGate:
        return StageGate(Stage("daftar-prod", {}, self.clients.__getitem__), self.pauses.append)

    def expect_look_at_resources(self) -> None:
        summaries = [
            {
                "LogicalResourceId": "A",
                "PhysicalResourceId": physical,
                "ResourceType": kind,
                "LastUpdatedTimestamp": MOMENT,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for kind, physical in RESOURCES.items()
        ]
        for _ in RESOURCES:
            self.stubbers["cloudformation"].add_response(
                "list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": "daftar-prod"}
            )

    def assert_done(self) -> None:
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    gateway = Gateway()
    gateway.expect_look_at_resources()
    yield gateway
    gateway.assert_done()


def test_a_stage_is_closed_queues_first_and_what_is_under_way_is_waited_for(gateway: Gateway) -> None:
    function, mapping = gateway.stubbers["lambda"], MAPPING_ID
    gateway.stubbers["events"].add_response("disable_rule", {}, {"Name": "rule-1"})
    function.add_response("update_event_source_mapping", {}, {**mapping, "Enabled": False})
    function.add_response("get_event_source_mapping", {"State": "Disabling"}, mapping)
    function.add_response("get_event_source_mapping", {"State": "Disabled"}, mapping)
    function.add_response(
        "put_function_concurrency", {}, {"FunctionName": "function-1", "ReservedConcurrentExecutions": 0}
    )

    gateway.make_gate().close()

    assert gateway.pauses[-1] >= 29, "the API may still be answering"


def test_a_stage_is_opened_with_all_that_feeds_it(gateway: Gateway) -> None:
    function = gateway.stubbers["lambda"]
    function.add_response("delete_function_concurrency", {}, {"FunctionName": "function-1"})
    function.add_response("update_event_source_mapping", {}, {**MAPPING_ID, "Enabled": True})
    function.add_response("get_event_source_mapping", {"State": "Enabling"}, MAPPING_ID)
    function.add_response("get_event_source_mapping", {"State": "Enabled"}, MAPPING_ID)
    gateway.stubbers["events"].add_response("enable_rule", {}, {"Name": "rule-1"})

    gateway.make_gate().open()


def expect_a_mapping_that_is_switched_the_other_way(
    function: Stubber, states: list[str], *, is_on: bool
) -> None:
    """Expect requests on a mapping that refuses to be switched until it has settled in the second state."""
    request = {**MAPPING_ID, "Enabled": is_on}
    function.add_client_error(
        "update_event_source_mapping", "ResourceInUseException", expected_params=request
    )
    for number, state in enumerate(states):
        function.add_response("get_event_source_mapping", {"State": state}, MAPPING_ID)
        if number == 1:
            function.add_response("update_event_source_mapping", {}, request)


def test_a_mapping_that_a_close_was_still_switching_off_is_on_after_opening(gateway: Gateway) -> None:
    function = gateway.stubbers["lambda"]
    function.add_response("delete_function_concurrency", {}, {"FunctionName": "function-1"})
    states = ["Disabling", "Disabled", "Enabling", "Enabled"]
    expect_a_mapping_that_is_switched_the_other_way(function, states, is_on=True)
    gateway.stubbers["events"].add_response("enable_rule", {}, {"Name": "rule-1"})

    gateway.make_gate().open()


def test_a_mapping_that_was_still_being_switched_on_is_off_after_closing(gateway: Gateway) -> None:
    function = gateway.stubbers["lambda"]
    gateway.stubbers["events"].add_response("disable_rule", {}, {"Name": "rule-1"})
    states = ["Enabling", "Enabled", "Disabling", "Disabled"]
    expect_a_mapping_that_is_switched_the_other_way(function, states, is_on=False)
    function.add_response(
        "put_function_concurrency", {}, {"FunctionName": "function-1", "ReservedConcurrentExecutions": 0}
    )

    gateway.make_gate().close()


def test_a_stage_is_not_called_open_before_all_that_feeds_it_is_on(gateway: Gateway) -> None:
    function = gateway.stubbers["lambda"]
    function.add_response("delete_function_concurrency", {}, {"FunctionName": "function-1"})
    function.add_response("update_event_source_mapping", {}, {**MAPPING_ID, "Enabled": True})
    for _ in range(150):
        function.add_response("get_event_source_mapping", {"State": "Updating"}, MAPPING_ID)
    gateway.stubbers["events"].add_response("enable_rule", {}, {"Name": "rule-1"})

    with pytest.raises(OperationError, match="did not become Enabled: run the command again"):
        gateway.make_gate().open()
