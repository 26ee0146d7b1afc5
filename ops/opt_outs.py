"""`daftar opt-outs …`: whether a phone wants no texts; noting that and taking it back for its owner.

The number is typed at a prompt, unseen, or is one line of standard input: an argument would stand in the
shell's history and in the list of processes.
"""

import sys
from datetime import datetime
from typing import Any, NoReturn

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import wiring
from chalicelib.notifications.model import OptOut
from chalicelib.privacy.dynamodb import DynamoWrappedKeys
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.privacy.keyring import Keyring
from chalicelib.privacy.kms import KMSKeyWrap
from chalicelib.privacy.masking import masked_number, masked_text
from chalicelib.registrations.phone import Phone, PhoneUnusable, parse
from ops.processes import ProgramError
from ops.sending import ledger_of
from ops.stages import Stage

# What AWS checks a sender id against, unless it is in a pool that has a list of its own.
_AWS_LIST = "Default"

# What a branch was told is kept as said by it, and by no gateway.
_BY_HAND = "branch:"


class _NotAsked(Exception):
    """AWS did not say whether it holds a number."""


def _as_unpersonal(_context: click.Context, _option: click.Parameter, by: str) -> str:
    if masked_text(by) != by:
        raise click.BadParameter("a branch or a role, and nobody's number or address")
    return by


@click.command()
@click.pass_obj
def show(stage: Stage) -> None:
    """Say whether a phone wants no texts, here and at AWS. The number is asked for."""
    phone = _typed_number()
    opt_out = ledger_of(stage).find_opt_out(_hashed(stage, phone))
    click.echo(f"number: {masked_number(phone)}")
    click.echo(f"here: {_in_words(opt_out)}")
    try:
        held = "holds the number, and sends it nothing" if _is_on_aws_list(stage, phone) else "sends to it"
    except _NotAsked as not_asked:
        held = f"could not be asked ({not_asked})"
    click.echo(f"AWS: {held}")
    _tell_of_other_lists(opt_out)


_by_whom = click.option(
    "--by",
    required=True,
    metavar="BRANCH",
    callback=_as_unpersonal,
    help="Who was asked for it, and is kept with it: a branch or a role, no person's name.",
)


@click.command()
@_by_whom
@click.pass_obj
def enter(stage: Stage, by: str) -> None:
    """Let a phone have no more texts, because its owner asked for it. The number is asked for."""
    phone = _typed_number()
    click.echo(f"number: {masked_number(phone)}")
    ledger, hashed = ledger_of(stage), _hashed(stage, phone)
    ledger.opt_out(hashed, at=wiring.now(), source=f"{_BY_HAND}{by}")
    click.echo(f"here: {_in_words(ledger.find_opt_out(hashed))}")


@click.command()
@_by_whom
@click.pass_obj
def lift(stage: Stage, by: str) -> None:
    """Let a phone have texts again, because its owner asked for it. The number is asked for.

    It is taken off AWS's own list first; if AWS keeps it there, nothing is lifted.
    """
    phone = _typed_number()
    ledger, hashed = ledger_of(stage), _hashed(stage, phone)
    click.echo(f"number: {masked_number(phone)}")
    _take_off_aws_list(stage, phone)
    opt_out = ledger.find_opt_out(hashed)
    if not ledger.lift_opt_out(hashed, at=wiring.now(), by=by):
        click.echo("here it was not opted out")
        return
    click.echo("lifted: what happens from now on is texted; what was not texted meanwhile stays so")
    _tell_of_other_lists(opt_out)


def _typed_number() -> Phone:
    typed = click.prompt("Number", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return parse(typed.strip())
    except PhoneUnusable as unusable:
        raise ProgramError(f"that is no Indonesian mobile number: {unusable.code}") from None


def _hashed(stage: Stage, phone: Phone) -> str:
    keyring = Keyring(
        stored=DynamoWrappedKeys(stage.clients("dynamodb"), stage.outputs["KeysTableName"]),
        wrap=KMSKeyWrap(stage.clients("kms"), stage.outputs["FieldKeyArn"]),
        clock=wiring.now,
        on_failure=_fail,
    )
    return KeyedHash(keyring.hash_key).of("phone", phone)


def _fail(error: Exception) -> NoReturn:
    raise error


def _in_words(opt_out: OptOut | None) -> str:
    if opt_out is None:
        return "never opted out"
    since = f"opted out at {_minute(opt_out.at)}, said {opt_out.source}"
    if opt_out.lifted_at is None:
        return since
    return f"{since}; lifted at {_minute(opt_out.lifted_at)} by {opt_out.lifted_by}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _is_on_aws_list(stage: Stage, phone: Phone) -> bool:
    """Raises _NotAsked."""
    try:
        found = _sms(stage).describe_opted_out_numbers(OptOutListName=_AWS_LIST, OptedOutNumbers=[phone])
    except (BotoCoreError, ClientError) as error:
        if _code(error) == "ResourceNotFoundException":
            return False
        raise _NotAsked(_code(error)) from None
    return bool(found["OptedOutNumbers"])


def _take_off_aws_list(stage: Stage, phone: Phone) -> None:
    """Raises ProgramError if AWS keeps the number there."""
    try:
        if not _is_on_aws_list(stage, phone):
            return
        _sms(stage).delete_opted_out_number(OptOutListName=_AWS_LIST, OptedOutNumber=phone)
    except _NotAsked as not_asked:
        click.echo(
            f"AWS could not be asked ({not_asked}): if it holds the number on its own list, it refuses the "
            "next text, and that opts the number out again"
        )
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"AWS keeps the number on its own list and sends it nothing ({_code(error)}); it lets a number "
            "be taken off once in 30 days. Nothing was lifted"
        ) from None
    else:
        click.echo("taken off AWS's own list")


def _tell_of_other_lists(opt_out: OptOut | None) -> None:
    if opt_out is not None and opt_out.source != "aws" and not opt_out.source.startswith(_BY_HAND):
        click.echo(
            f"{opt_out.source} may keep a list that is neither read nor changed from here: where it refuses "
            "the next text, that opts the number out again"
        )


def _code(error: BotoCoreError | ClientError) -> str:
    # Never the message: it may repeat the number.
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _sms(stage: Stage) -> Any:
    return stage.clients("pinpoint-sms-voice-v2")


COMMANDS = (show, enter, lift)
