"""`daftar opt-outs show|enter|lift`: phones that get no SMS.

The number is typed at a hidden prompt, or is one line of standard input: an argument would be kept in the
shell's history and be visible in the list of processes.
"""

import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from chalicelib.clock import utc_now
from chalicelib.crypto.masking import mask_number
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.messaging.opt_outs import OptOut
from chalicelib.registrations.phone import InvalidPhone, Phone, parse
from ops.commands.parameter_types import PLAIN_TEXT
from ops.commands.results import Result
from ops.commands.sms import make_opt_out_store
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage
from ops.opt_out_lists import AwsListUnavailable, hash_phone, is_on_aws_list, remove_from_aws_list

# The prefix of the source of an opt-out that a branch has entered; others name a gateway.
_BRANCH_SOURCE_PREFIX = "branch:"


@stage_group("opt-outs")
def opt_outs() -> None:
    """Show, enter or lift the opt-out of a phone. The number is asked for."""


_branch_option = click.option(
    "--by",
    "branch",
    required=True,
    metavar="BRANCH",
    type=PLAIN_TEXT,
    help="The branch or role that the owner asked; it is stored. Name no person.",
)


@opt_outs.command(
    "show",
    fails_when="AWS could not be asked for its list",
    json_fields=("number", "opt_out", "is_on_aws_list"),
)
@on_stage
def show_opt_out(stage: Stage) -> Result:
    """Show whether a phone gets no SMS, by our list and by AWS's."""
    phone = _prompt_phone()
    opt_out = make_opt_out_store(stage).find(hash_phone(stage, phone))
    is_listed, failure = None, None
    try:
        is_listed = is_on_aws_list(stage, phone)
    except AwsListUnavailable as error:
        failure = f"AWS could not be asked for its own list ({error})"
    aws = {True: "holds the number, and sends it nothing", False: "sends to it", None: "not known"}[is_listed]
    text = [f"number: {mask_number(phone)}", f"here: {_describe_opt_out(opt_out)}", f"AWS: {aws}"]
    data = {"number": mask_number(phone), "opt_out": _to_json(opt_out), "is_on_aws_list": is_listed}
    return Result(data, [*text, *_warn_of_other_lists(opt_out)], failure, code="aws_list_unavailable")


@opt_outs.command("enter", fails_when="it could not be stored", json_fields=("number", "opt_out"))
@_branch_option
@on_stage
def add_opt_out(stage: Stage, branch: str) -> Result:
    """Send no more SMS to a phone, on request of its owner."""
    phone = _prompt_phone()
    store, phone_hash = make_opt_out_store(stage), hash_phone(stage, phone)
    store.record(phone_hash, occurred_at=utc_now(), source=f"{_BRANCH_SOURCE_PREFIX}{branch}")
    opt_out = store.find(phone_hash)
    return Result(
        {"number": mask_number(phone), "opt_out": _to_json(opt_out)},
        [f"number: {mask_number(phone)}", f"here: {_describe_opt_out(opt_out)}"],
    )


@opt_outs.command(
    "lift",
    fails_when="AWS keeps the number on its list (then nothing is lifted), or could not be asked",
    json_fields=("number", "was_opted_out", "removed_from_aws_list"),
)
@_branch_option
@on_stage
def lift_opt_out(stage: Stage, branch: str) -> Result:
    """Send SMS to a phone again, on request of its owner.

    The phone is removed from AWS's own list first. If AWS keeps it there, the opt-out is not lifted.
    """
    phone = _prompt_phone()
    store, phone_hash = make_opt_out_store(stage), hash_phone(stage, phone)
    text, was_removed, failure = [f"number: {mask_number(phone)}"], None, None
    try:
        was_removed = remove_from_aws_list(stage, phone)
    except AwsListUnavailable as error:
        failure = (
            f"AWS could not be asked ({error}): if its own list holds the number, it refuses the next SMS, "
            "and that opts the number out again"
        )
    if was_removed:
        text.append("removed from AWS's own list")
    opt_out = store.find(phone_hash)
    was_lifted = store.lift(phone_hash, occurred_at=utc_now(), lifted_by=branch)
    if was_lifted:
        text.append("lifted: events from now on are sent by SMS; earlier ones are not")
        text += _warn_of_other_lists(opt_out)
    else:
        text.append("here it was not opted out")
    data = {"number": mask_number(phone), "was_opted_out": was_lifted, "removed_from_aws_list": was_removed}
    return Result(data, text, failure, code="aws_list_unavailable")


def _prompt_phone() -> Phone:
    try:
        return parse(_read_number().strip())
    except InvalidPhone as error:
        raise click.UsageError(
            f"that is no Indonesian mobile number: {FIELD_MESSAGES[error.code].english} ({error.code})"
        ) from None


def _read_number() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Number", hide_input=True, err=True))
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        raise click.UsageError("standard input is not text") from None


def _describe_opt_out(opt_out: OptOut | None) -> str:
    if opt_out is None:
        return "never opted out"
    description = f"opted out at {_format_minute(opt_out.opted_out_at)}, source {opt_out.source}"
    if opt_out.lifted_at is None:
        return description
    return f"{description}; lifted at {_format_minute(opt_out.lifted_at)} by {opt_out.lifted_by}"


def _to_json(opt_out: OptOut | None) -> dict[str, Any] | None:
    return None if opt_out is None else asdict(opt_out)


def _format_minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _warn_of_other_lists(opt_out: OptOut | None) -> list[str]:
    """Return a warning of a gateway whose own list cannot be read or changed from here."""
    if opt_out is None or opt_out.source == "aws" or opt_out.source.startswith(_BRANCH_SOURCE_PREFIX):
        return []
    return [
        f"{opt_out.source} may keep a list of its own, which this command cannot read or change: if it "
        "refuses the next SMS, that opts the number out again"
    ]
