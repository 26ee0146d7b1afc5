"""`daftar opt-outs`: who wants no texts, noting that and taking it back; the number is seen nowhere."""

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
from ops.local.processes import OperationError
from tests.support.app_loader import make_container

NUMBER = Phone("+6282455507001")
LISTED = {"OptOutListName": "Default", "OptedOutNumber": NUMBER}


def a_stage(sms_client: Any) -> Stage:
    outputs = {f"{name}Name": name for name in ("SmsLedgerTable", "SendingTable", "KeysTable")}
    outputs["FieldKeyArn"] = os.environ["DAFTAR_FIELD_KEY_ARN"]
    return Stage(
        "daftar-test",
        outputs,
        lambda service: sms_client if service == "pinpoint-sms-voice-v2" else boto3.client(service),
    )


@pytest.fixture
def stage_option(moto_stage: None, sms_client: Any) -> Stage:
    return a_stage(sms_client)


@pytest.fixture
def denied_client(moto_stage: None) -> Stubber:
    """AWS's service, saying only what a test tells it to."""
    return Stubber(boto3.client("pinpoint-sms-voice-v2"))


def ran(command: Command, stage_option: Stage, *arguments: str, typed: str = "0824-5550-7001") -> Result:
    return CliRunner().invoke(command, arguments, obj=stage_option, input=f"{typed}\n")


def run(command: Command, stage_option: Stage, *arguments: str) -> str:
    result = ran(command, stage_option, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def phone_hash() -> str:
    return make_container().hashing.digest("phone", NUMBER)


def opted_out(stage_option: Stage, source: str = "aws") -> DynamoOptOutStore:
    store = make_opt_out_store(stage_option)
    store.record(phone_hash(), occurred_at=utc_now(), source=source)
    return store


def test_who_never_opted_out_is_told_so(stage_option: Stage) -> None:
    assert (
        run(opt_outs.show_opt_out, stage_option)
        == "number: **********7001\nhere: never opted out\nAWS: sends to it\n"
    )


def test_an_opt_out_is_shown_with_when_and_by_whom_it_was_said_and_lifted(stage_option: Stage) -> None:
    opted_out(stage_option)
    assert f"here: opted out at {utc_now():%Y-%m-%d}" in run(opt_outs.show_opt_out, stage_option)

    run(opt_outs.lift_opt_out, stage_option, "--by", "salemba")

    shown = run(opt_outs.show_opt_out, stage_option)
    assert ", said aws; lifted at " in shown
    assert shown.count(" by salemba\n") == 1


def test_who_tells_a_branch_has_no_more_texts_and_what_was_said_first_stands_until_it_is_lifted(
    stage_option: Stage,
) -> None:
    assert ", said branch:salemba\n" in run(opt_outs.add_opt_out, stage_option, "--by", "salemba")
    assert make_opt_out_store(stage_option).has_opted_out(phone_hash())
    assert ", said branch:salemba\n" in run(opt_outs.add_opt_out, stage_option, "--by", "kramat")

    lifted = run(opt_outs.lift_opt_out, stage_option, "--by", "salemba")
    assert "may keep a list" not in lifted
    assert ", said branch:kramat\n" in run(opt_outs.add_opt_out, stage_option, "--by", "kramat")


def test_lifting_lets_the_number_have_texts_again_here_and_at_aws(
    stage_option: Stage, sms_client: Any
) -> None:
    store = opted_out(stage_option)
    sms_client.put_opted_out_number(**LISTED)
    assert "AWS: holds the number, and sends it nothing\n" in run(opt_outs.show_opt_out, stage_option)

    told = run(opt_outs.lift_opt_out, stage_option, "--by", "salemba")

    assert "taken off AWS's own list\nlifted: " in told
    assert not store.has_opted_out(phone_hash())
    assert sms_client.describe_opted_out_numbers(OptOutListName="Default")["OptedOutNumbers"] == []
    assert "here it was not opted out\n" in run(opt_outs.lift_opt_out, stage_option, "--by", "salemba")


def test_while_aws_keeps_the_number_on_its_list_nothing_is_lifted(denied_client: Stubber) -> None:
    stage_option = a_stage(denied_client.client)
    store = opted_out(stage_option)
    denied_client.add_response(
        "describe_opted_out_numbers",
        {"OptedOutNumbers": [{"OptedOutNumber": NUMBER, "OptedOutTimestamp": 1, "EndUserOptedOut": True}]},
        {"OptOutListName": "Default", "OptedOutNumbers": [NUMBER]},
    )
    denied_client.add_client_error(
        "delete_opted_out_number", "ConflictException", f"{NUMBER} was deleted lately"
    )

    with denied_client:
        result = ran(opt_outs.lift_opt_out, stage_option, "--by", "salemba")

    assert isinstance(result.exception, OperationError)
    assert "AWS keeps the number on its own list" in str(result.exception)
    assert "(ConflictException)" in str(result.exception)
    assert NUMBER not in f"{result.output}{result.exception}"
    assert store.has_opted_out(phone_hash())


def test_where_aws_cannot_be_asked_that_is_said(denied_client: Stubber) -> None:
    stage_option = a_stage(denied_client.client)
    store = opted_out(stage_option)
    for _ in range(2):
        denied_client.add_client_error("describe_opted_out_numbers", "AccessDeniedException", f"not {NUMBER}")

    with denied_client:
        shown, told = (
            run(opt_outs.show_opt_out, stage_option),
            run(opt_outs.lift_opt_out, stage_option, "--by", "salemba"),
        )

    assert "AWS: could not be asked (AccessDeniedException)\n" in shown
    assert "AWS could not be asked (AccessDeniedException): " in told
    assert NUMBER not in shown + told
    assert not store.has_opted_out(phone_hash())


def test_a_gateway_whose_list_nobody_can_change_from_here_is_named(stage_option: Stage) -> None:
    opted_out(stage_option, source="twilio")

    assert "twilio may keep a list" in run(opt_outs.lift_opt_out, stage_option, "--by", "salemba")


@pytest.mark.parametrize("typed", ["", "021-5550100", "0824-5550-700l", "+60123456789"])
def test_what_is_no_indonesian_mobile_is_refused_and_not_repeated(stage_option: Stage, typed: str) -> None:
    result = ran(opt_outs.show_opt_out, stage_option, typed=typed)

    assert isinstance(result.exception, OperationError)
    assert not typed or typed not in f"{result.output}{result.exception}"


@pytest.mark.parametrize("by", ["0824-5550-7001", "melati@pasar.example"])
def test_nobodys_number_is_kept_as_who_lifted_it(stage_option: Stage, by: str) -> None:
    result = ran(opt_outs.lift_opt_out, stage_option, "--by", by)

    assert result.exit_code == 2
    assert by not in result.output


def test_the_number_is_no_argument(stage_option: Stage) -> None:
    assert ran(opt_outs.show_opt_out, stage_option, NUMBER).exit_code == 2


def test_neither_number_nor_hash_of_the_number_alone_is_kept(stage_option: Stage) -> None:
    opted_out(stage_option)
    run(opt_outs.lift_opt_out, stage_option, "--by", "salemba")

    kept = str(boto3.client("dynamodb").scan(TableName="SendingTable")["Items"])
    assert NUMBER[3:] not in kept
