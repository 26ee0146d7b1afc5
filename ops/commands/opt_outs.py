"""`daftar opt-outs …`: whether a phone wants no texts; noting that and taking it back for its owner.

The number is typed at a prompt, unseen, or is one line of standard input: an argument would stand in the
shell's history and in the list of processes.
"""

import sys
from datetime import datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.clock import utc_now
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.crypto.keyring import Keyring
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.masking import mask_number, mask_text
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.messaging.opt_outs import OptOut
from chalicelib.registrations.phone import InvalidPhone, Phone, parse
from ops.commands.sms import make_opt_out_store
from ops.deploy.stages import Stage
from ops.local.processes import OperationError

# What AWS checks a sender id against, unless it is in a pool that has a list of its own.
_AWS_OPT_OUT_LIST = "Default"

# What a branch was told is kept as said by it, and by no gateway.
_BRANCH_SOURCE_PREFIX = "branch:"


class _AwsListUnavailable(Exception):
    """AWS did not say whether it holds a number."""


def _check_branch(_context: click.Context, _option: click.Parameter, branch: str) -> str:
    if mask_text(branch) != branch:
        raise click.BadParameter("a branch or a role, and nobody's number or address")
    return branch


@click.command("show")
@click.pass_obj
def show_opt_out(stage: Stage) -> None:
    """Say whether a phone wants no texts, here and at AWS. The number is asked for."""
    phone = _prompt_phone()
    opt_out = make_opt_out_store(stage).find(_hash_phone(stage, phone))
    click.echo(f"number: {mask_number(phone)}")
    click.echo(f"here: {_describe_opt_out(opt_out)}")
    try:
        held = "holds the number, and sends it nothing" if _is_on_aws_list(stage, phone) else "sends to it"
    except _AwsListUnavailable as not_asked:
        held = f"could not be asked ({not_asked})"
    click.echo(f"AWS: {held}")
    _warn_of_other_lists(opt_out)


_branch_option = click.option(
    "--by",
    "branch",
    required=True,
    metavar="BRANCH",
    callback=_check_branch,
    help="Who was asked for it, and is kept with it: a branch or a role, no person's name.",
)


@click.command("enter")
@_branch_option
@click.pass_obj
def add_opt_out(stage: Stage, branch: str) -> None:
    """Let a phone have no more texts, because its owner asked for it. The number is asked for."""
    phone = _prompt_phone()
    click.echo(f"number: {mask_number(phone)}")
    opt_outs, hashed = make_opt_out_store(stage), _hash_phone(stage, phone)
    opt_outs.record(hashed, occurred_at=utc_now(), source=f"{_BRANCH_SOURCE_PREFIX}{branch}")
    click.echo(f"here: {_describe_opt_out(opt_outs.find(hashed))}")


@click.command("lift")
@_branch_option
@click.pass_obj
def lift_opt_out(stage: Stage, branch: str) -> None:
    """Let a phone have texts again, because its owner asked for it. The number is asked for.

    It is taken off AWS's own list first; if AWS keeps it there, nothing is lifted.
    """
    phone = _prompt_phone()
    opt_outs, hashed = make_opt_out_store(stage), _hash_phone(stage, phone)
    click.echo(f"number: {mask_number(phone)}")
    _remove_from_aws_list(stage, phone)
    opt_out = opt_outs.find(hashed)
    if not opt_outs.lift(hashed, occurred_at=utc_now(), lifted_by=branch):
        click.echo("here it was not opted out")
        return
    click.echo("lifted: what happens from now on is texted; what was not texted meanwhile stays so")
    _warn_of_other_lists(opt_out)


def _prompt_phone() -> Phone:
    typed = click.prompt("Number", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return parse(typed.strip())
    except InvalidPhone as unusable:
        raise OperationError(f"that is no Indonesian mobile number: {unusable.code}") from None


def _hash_phone(stage: Stage, phone: Phone) -> str:
    keyring = Keyring(
        wrapped_keys=DynamoWrappedKeys(stage.aws_client("dynamodb"), stage.outputs["KeysTableName"]),
        key_wrapper=KMSKeyWrapper(stage.aws_client("kms"), stage.outputs["FieldKeyArn"]),
        clock=utc_now,
    )
    return KeyedHash(keyring.get_hash_key).digest("phone", phone)


def _describe_opt_out(opt_out: OptOut | None) -> str:
    if opt_out is None:
        return "never opted out"
    since = f"opted out at {_format_minute(opt_out.opted_out_at)}, said {opt_out.source}"
    if opt_out.lifted_at is None:
        return since
    return f"{since}; lifted at {_format_minute(opt_out.lifted_at)} by {opt_out.lifted_by}"


def _format_minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _is_on_aws_list(stage: Stage, phone: Phone) -> bool:
    """Raises _AwsListUnavailable."""
    try:
        found = _make_sms_client(stage).describe_opted_out_numbers(
            OptOutListName=_AWS_OPT_OUT_LIST, OptedOutNumbers=[phone]
        )
    except (BotoCoreError, ClientError) as error:
        if _get_error_code(error) == "ResourceNotFoundException":
            return False
        raise _AwsListUnavailable(_get_error_code(error)) from None
    return bool(found["OptedOutNumbers"])


def _remove_from_aws_list(stage: Stage, phone: Phone) -> None:
    """Raises OperationError if AWS keeps the number there."""
    try:
        if not _is_on_aws_list(stage, phone):
            return
        _make_sms_client(stage).delete_opted_out_number(
            OptOutListName=_AWS_OPT_OUT_LIST, OptedOutNumber=phone
        )
    except _AwsListUnavailable as not_asked:
        click.echo(
            f"AWS could not be asked ({not_asked}): if it holds the number on its own list, it refuses the "
            "next text, and that opts the number out again"
        )
    except (BotoCoreError, ClientError) as error:
        raise OperationError(
            f"AWS keeps the number on its own list and sends it nothing ({_get_error_code(error)}); it lets a number "
            "be taken off once in 30 days. Nothing was lifted"
        ) from None
    else:
        click.echo("taken off AWS's own list")


def _warn_of_other_lists(opt_out: OptOut | None) -> None:
    if (
        opt_out is not None
        and opt_out.source != "aws"
        and not opt_out.source.startswith(_BRANCH_SOURCE_PREFIX)
    ):
        click.echo(
            f"{opt_out.source} may keep a list that is neither read nor changed from here: where it refuses "
            "the next text, that opts the number out again"
        )


def _get_error_code(error: BotoCoreError | ClientError) -> str:
    # Never the message: it may repeat the number.
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _make_sms_client(stage: Stage) -> Any:
    return stage.aws_client("pinpoint-sms-voice-v2")


OPT_OUT_COMMANDS = (show_opt_out, add_opt_out, lift_opt_out)
