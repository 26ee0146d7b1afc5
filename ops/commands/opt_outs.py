"""`daftar opt-outs show|enter|lift`: phones that get no SMS.

The number is typed at a hidden prompt, or is one line of standard input: an argument would be kept in the
shell's history and be visible in the list of processes.
"""

import sys
from datetime import datetime

import click

from chalicelib.clock import utc_now
from chalicelib.crypto.masking import mask_number, mask_text
from chalicelib.messaging.opt_outs import OptOut
from chalicelib.registrations.phone import InvalidPhone, Phone, parse
from chalicelib.typed import clean_text, find_text_problem
from ops.commands.sms import make_opt_out_store
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.opt_out_lists import AwsListUnavailable, hash_phone, is_on_aws_list, remove_from_aws_list

# The prefix of the source of an opt-out that a branch has entered; others name a gateway.
_BRANCH_SOURCE_PREFIX = "branch:"


@stage_group("opt-outs")
def opt_outs() -> None:
    """Show, enter or lift the opt-out of a phone. The number is asked for."""


def _check_branch(_context: click.Context, _option: click.Parameter, branch: str) -> str:
    cleaned = clean_text(branch)
    if find_text_problem(cleaned) is not None:
        raise click.BadParameter("name a branch or a role, on one line")
    if mask_text(cleaned) != cleaned:
        raise click.BadParameter("name a branch or a role, not a person's number or address")
    return cleaned


_branch_option = click.option(
    "--by",
    "branch",
    required=True,
    metavar="BRANCH",
    callback=_check_branch,
    help="The branch or role that the owner asked; it is stored. Name no person.",
)


@opt_outs.command("show")
@on_stage
def show_opt_out(stage: Stage) -> None:
    """Show whether a phone gets no SMS, by our list and by AWS's."""
    phone = _prompt_phone()
    opt_out = make_opt_out_store(stage).find(hash_phone(stage, phone))
    click.echo(f"number: {mask_number(phone)}")
    click.echo(f"here: {_describe_opt_out(opt_out)}")
    try:
        aws = "holds the number, and sends it nothing" if is_on_aws_list(stage, phone) else "sends to it"
    except AwsListUnavailable as error:
        aws = f"could not be asked ({error})"
    click.echo(f"AWS: {aws}")
    _warn_of_other_lists(opt_out)


@opt_outs.command("enter")
@_branch_option
@on_stage
def add_opt_out(stage: Stage, branch: str) -> None:
    """Send no more SMS to a phone, on request of its owner."""
    phone = _prompt_phone()
    click.echo(f"number: {mask_number(phone)}")
    store, phone_hash = make_opt_out_store(stage), hash_phone(stage, phone)
    source = f"{_BRANCH_SOURCE_PREFIX}{branch}"
    store.record(phone_hash, occurred_at=utc_now(), source=source)
    click.echo(f"here: {_describe_opt_out(store.find(phone_hash))}")


@opt_outs.command("lift")
@_branch_option
@on_stage
def lift_opt_out(stage: Stage, branch: str) -> None:
    """Send SMS to a phone again, on request of its owner.

    The phone is removed from AWS's own list first. If AWS keeps it there, the opt-out is not lifted.
    """
    phone = _prompt_phone()
    store, phone_hash = make_opt_out_store(stage), hash_phone(stage, phone)
    click.echo(f"number: {mask_number(phone)}")
    try:
        if remove_from_aws_list(stage, phone):
            click.echo("removed from AWS's own list")
    except AwsListUnavailable as error:
        click.echo(
            f"AWS could not be asked ({error}): if its own list holds the number, it refuses the next SMS, "
            "and that opts the number out again"
        )
    opt_out = store.find(phone_hash)
    if not store.lift(phone_hash, occurred_at=utc_now(), lifted_by=branch):
        click.echo("here it was not opted out")
        return
    click.echo("lifted: events from now on are sent by SMS; earlier ones are not")
    _warn_of_other_lists(opt_out)


def _prompt_phone() -> Phone:
    number = click.prompt("Number", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return parse(number.strip())
    except InvalidPhone as error:
        raise OperationError(f"that is no Indonesian mobile number: {error.code}") from None


def _describe_opt_out(opt_out: OptOut | None) -> str:
    if opt_out is None:
        return "never opted out"
    description = f"opted out at {_format_minute(opt_out.opted_out_at)}, source {opt_out.source}"
    if opt_out.lifted_at is None:
        return description
    return f"{description}; lifted at {_format_minute(opt_out.lifted_at)} by {opt_out.lifted_by}"


def _format_minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _warn_of_other_lists(opt_out: OptOut | None) -> None:
    """Warn of a gateway whose own list cannot be read or changed from here."""
    if opt_out is None or opt_out.source == "aws" or opt_out.source.startswith(_BRANCH_SOURCE_PREFIX):
        return
    click.echo(
        f"{opt_out.source} may keep a list of its own, which this command cannot read or change: if it "
        "refuses the next SMS, that opts the number out again"
    )
