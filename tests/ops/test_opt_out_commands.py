"""`daftar opt-outs`: show, enter and lift. The number never appears in output or storage."""

import json
import os
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click import Command
from click.testing import CliRunner, Result

from chalicelib.clock import utc_now
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from chalicelib.registrations.phone import Phone
from ops.commands import opt_outs
from ops.commands.sms import make_opt_out_store
from ops.deploy.stages import Stage
from ops.errors import OperationError
from tests.ops.command_lines import COMMANDS, run_daftar
from tests.support.app_loader import make_container

NUMBER = Phone("+6282455507001")
LISTED = {"OptOutListName": "Default", "OptedOutNumber": NUMBER}


def make_stage(sms_client: Any) -> Stage:
    outputs = {f"{name}Name": name for name in ("SmsLedgerTable", "SendingTable", "KeysTable")}
    outputs["FieldKeyArn"] = os.environ["DAFTAR_FIELD_KEY_ARN"]
    session: Any = boto3
    return Stage(
        "daftar-test",
        outputs,
        lambda service: sms_client if service == "pinpoint-sms-voice-v2" else session.client(service),
    )


@pytest.fixture
def stage(moto_stage: None, sms_client: Any) -> Stage:
    return make_stage(sms_client)


@pytest.fixture
def denied_client(moto_stage: None) -> Stubber:
    """A stubbed client of AWS's SMS service."""
    return Stubber(boto3.client("pinpoint-sms-voice-v2"))


def invoke(command: Command, stage: Stage, *arguments: str, typed: str = "0824-5550-7001") -> Result:
    return CliRunner().invoke(command, arguments, obj=stage, input=f"{typed}\n")


def run(command: Command, stage: Stage, *arguments: str) -> str:
    result = invoke(command, stage, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def phone_hash() -> str:
    return make_container().hashing.digest("phone", NUMBER)


def add_gateway_opt_out(stage: Stage, source: str = "aws") -> DynamoOptOutStore:
    store = make_opt_out_store(stage)
    store.record(phone_hash(), occurred_at=utc_now(), source=source)
    return store


def test_a_phone_without_an_opt_out_is_shown(stage: Stage) -> None:
    assert (
        run(opt_outs.show_opt_out, stage)
        == "number: **********7001\nhere: never opted out\nAWS: sends to it\n"
    )


def test_an_opt_out_is_shown_with_its_source_and_lifting(stage: Stage) -> None:
    add_gateway_opt_out(stage)
    assert f"here: opted out at {utc_now():%Y-%m-%d}" in run(opt_outs.show_opt_out, stage)

    run(opt_outs.lift_opt_out, stage, "--by", "salemba")

    shown = run(opt_outs.show_opt_out, stage)
    assert ", source aws; lifted at " in shown
    assert shown.count(" by salemba\n") == 1


def test_an_entered_opt_out_keeps_its_first_source_until_it_is_lifted(
    stage: Stage,
) -> None:
    assert ", source branch:salemba\n" in run(opt_outs.add_opt_out, stage, "--by", "salemba")
    assert make_opt_out_store(stage).has_opted_out(phone_hash())
    assert ", source branch:salemba\n" in run(opt_outs.add_opt_out, stage, "--by", "kramat")

    lifted = run(opt_outs.lift_opt_out, stage, "--by", "salemba")
    assert "may keep a list" not in lifted
    assert ", source branch:kramat\n" in run(opt_outs.add_opt_out, stage, "--by", "kramat")


def test_lifting_removes_the_number_from_our_list_and_from_that_of_aws(stage: Stage, sms_client: Any) -> None:
    store = add_gateway_opt_out(stage)
    sms_client.put_opted_out_number(**LISTED)
    assert "AWS: holds the number, and sends it nothing\n" in run(opt_outs.show_opt_out, stage)

    output = run(opt_outs.lift_opt_out, stage, "--by", "salemba")

    assert "removed from AWS's own list\nlifted: " in output
    assert not store.has_opted_out(phone_hash())
    assert sms_client.describe_opted_out_numbers(OptOutListName="Default")["OptedOutNumbers"] == []
    assert "here it was not opted out\n" in run(opt_outs.lift_opt_out, stage, "--by", "salemba")


def test_nothing_is_lifted_while_aws_keeps_the_number_on_its_list(denied_client: Stubber) -> None:
    stage = make_stage(denied_client.client)
    store = add_gateway_opt_out(stage)
    denied_client.add_response(
        "describe_opted_out_numbers",
        {"OptedOutNumbers": [{"OptedOutNumber": NUMBER, "OptedOutTimestamp": 1, "EndUserOptedOut": True}]},
        {"OptOutListName": "Default", "OptedOutNumbers": [NUMBER]},
    )
    denied_client.add_client_error(
        "delete_opted_out_number", "ConflictException", f"{NUMBER} was deleted lately"
    )

    with denied_client:
        result = invoke(opt_outs.lift_opt_out, stage, "--by", "salemba")

    assert isinstance(result.exception, OperationError)
    assert "AWS keeps the number on its own list" in str(result.exception)
    assert "(ConflictException)" in str(result.exception)
    assert NUMBER not in f"{result.output}{result.exception}"
    assert store.has_opted_out(phone_hash())


def test_a_failed_request_to_aws_is_reported_and_the_opt_out_is_lifted(denied_client: Stubber) -> None:
    stage = make_stage(denied_client.client)
    store = add_gateway_opt_out(stage)
    for _ in range(2):
        denied_client.add_client_error("describe_opted_out_numbers", "AccessDeniedException", f"not {NUMBER}")

    with denied_client:
        shown, lifted = (
            invoke(opt_outs.show_opt_out, stage),
            invoke(opt_outs.lift_opt_out, stage, "--by", "salemba"),
        )

    assert "AWS: not known\n" in shown.output
    assert "AWS could not be asked for its own list (AccessDeniedException)" in str(shown.exception)
    assert "AWS could not be asked (AccessDeniedException): " in str(lifted.exception)
    assert (shown.exit_code, lifted.exit_code) == (1, 1)
    assert NUMBER not in f"{shown.output}{shown.exception}{lifted.output}{lifted.exception}"
    assert not store.has_opted_out(phone_hash())


def test_lifting_names_a_gateway_whose_own_list_cannot_be_changed(stage: Stage) -> None:
    add_gateway_opt_out(stage, source="twilio")

    assert "twilio may keep a list" in run(opt_outs.lift_opt_out, stage, "--by", "salemba")


@pytest.mark.parametrize("typed", ["", "021-5550100", "0824-5550-700l", "+60123456789"])
def test_an_invalid_number_is_refused_and_not_repeated(stage: Stage, typed: str) -> None:
    result = invoke(opt_outs.show_opt_out, stage, typed=typed)

    assert result.exit_code == 2
    assert not typed or typed not in result.output


def test_input_that_is_not_text_is_wrong_use(stage: Stage) -> None:
    result = CliRunner().invoke(opt_outs.show_opt_out, obj=stage, input=b"\xff\n")
    assert (result.exit_code, "standard input is not text" in result.output) == (2, True)


@pytest.mark.parametrize("branch", ["0824-5550-7001", "melati@pasar.example"])
def test_a_number_or_address_is_refused_as_branch(stage: Stage, branch: str) -> None:
    result = invoke(opt_outs.lift_opt_out, stage, "--by", branch)

    assert result.exit_code == 2
    assert branch not in result.output


@pytest.mark.parametrize("branch", ["", " ", "\u200b", "salem\x1bba", "salemba\nkramat"], ids=ascii)
def test_a_branch_that_is_blank_or_has_control_characters_is_refused(stage: Stage, branch: str) -> None:
    assert invoke(opt_outs.add_opt_out, stage, "--by", branch).exit_code == 2


def test_a_branch_is_cleaned(stage: Stage) -> None:
    assert ", source branch:salemba\n" in run(opt_outs.add_opt_out, stage, "--by", "\ufeff salemba\u200b ")


@pytest.mark.parametrize("typed", ["824555700.0", "8245557001.00"])
def test_a_number_of_a_spreadsheet_is_refused(stage: Stage, typed: str) -> None:
    result = invoke(opt_outs.add_opt_out, stage, "--by", "salemba", typed=typed)

    assert result.exit_code == 2
    assert "A spreadsheet has changed this number" in result.output


def test_the_number_is_not_accepted_as_an_argument(stage: Stage) -> None:
    assert invoke(opt_outs.show_opt_out, stage, NUMBER).exit_code == 2


def test_the_number_is_not_stored(stage: Stage) -> None:
    add_gateway_opt_out(stage)
    run(opt_outs.lift_opt_out, stage, "--by", "salemba")

    stored = str(boto3.client("dynamodb").scan(TableName="SendingTable")["Items"])
    assert NUMBER[3:] not in stored


@pytest.mark.parametrize("name", ["opt-outs show", "opt-outs enter", "opt-outs lift"])
def test_the_json_object_has_the_documented_fields_and_not_the_number(name: str, stage: Stage) -> None:
    add_gateway_opt_out(stage)

    result = run_daftar(name, "--json", obj=stage)

    assert result.exit_code == 0, result.output
    assert tuple(json.loads(result.stdout)["result"]) == COMMANDS[name].json_fields
    assert "8245550700" not in result.output
