"""`daftar deploy`: a stage on AWS, from an empty account to one that registers."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click

from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.commands.results import Command, Result, progress_console
from ops.deploy.deployment import Deployment, DeploymentResult, PlannedUpdate
from ops.deploy.preflight import Finding, Level, exists, inspect_account, inspect_rights
from ops.deploy.stage_file import STAGE_FILE, read_stage_config
from ops.deploy.stages import make_client_factory
from ops.errors import OperationError
from ops.project import ROOT

_FIELDS = ("stack_name", "api_url", "changes", "findings", "notes", "admin_token", "smoke_campaign", "record")


class PreflightFailed(OperationError):
    """Something about the account or the stack has to be put right first; nothing was changed."""

    default_code = "preflight_failed"


@click.command(
    cls=Command,
    fails_when="the account is not ready, CloudFormation failed, or the stage does not register",
    json_fields=_FIELDS,
)
@click.option("--stage", "name", metavar="NAME", required=True, help="A stage of deploy.toml, or a new one.")
@click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=STAGE_FILE,
    show_default="deploy.toml",
    help="The file with the stages' regions, accounts and parameters.",
)
@click.option("--yes", "is_confirmed", is_flag=True, help="Deploy without showing the changes first.")
@click.option(
    "--existing",
    "must_exist",
    is_flag=True,
    help="Stop if the stage does not exist yet, and enrol no first admin, so that no log gets a token.",
)
@click.option("--no-smoke-test", is_flag=True, help="Do not register a synthetic worker at the end.")
@click.option(
    "--empty",
    "is_empty",
    is_flag=True,
    help="Make no keys, no admin and no synthetic worker: for `daftar restore --into`.",
)
def deploy(
    name: str, file: Path, is_confirmed: bool, must_exist: bool, no_smoke_test: bool, is_empty: bool
) -> Result:
    """Create or update a stage on AWS with your credentials, and show what is to change first.

    It may be repeated: what is done already is left alone. The token of the first admin is shown once.
    """
    config = read_stage_config(name, file)
    session: Any = boto3.Session(region_name=config.region)
    aws_client = make_client_factory(session)
    try:
        findings = inspect_account(config, aws_client, today=datetime.now(UTC).date())
        findings += inspect_rights(config, aws_client)
        _show_findings(findings)
        if must_exist and not exists(config, aws_client):
            raise PreflightFailed(
                "the stage does not exist yet: deploy it by hand, because a token is shown once"
            )
        result = Deployment(
            config,
            aws_client,
            on_step=lambda step: progress_console.print(f"- {step}", markup=False),
            confirm=lambda planned: _confirm(planned, is_confirmed=is_confirmed),
        ).run(
            ROOT / "dist" / name,
            with_smoke_test=not no_smoke_test,
            with_first_admin=not must_exist,
            is_empty=is_empty,
        )
    except AWS_ERRORS as error:
        raise explain_aws_error(error) from None
    return _describe(result, findings)


def _show_findings(findings: list[Finding]) -> None:
    for finding in findings:
        progress_console.print(str(finding), markup=False, soft_wrap=True)
    stops = [finding.text for finding in findings if finding.level is Level.STOP]
    if stops:
        raise PreflightFailed("; ".join(stops))


def _confirm(planned: PlannedUpdate, *, is_confirmed: bool) -> bool:
    """Show what an update would do, and ask. A script must say --yes beforehand."""
    change_set = planned.change_set
    if change_set.is_new_stack:
        progress_console.print(f"Creates {change_set.stack_name}:", markup=False)
        for kind, count in sorted(Counter(each.kind for each in change_set.changes).items()):
            progress_console.print(f"  {count} {kind}", markup=False)
    else:
        progress_console.print(f"Updates {change_set.stack_name}:", markup=False)
        derived = [each for each in change_set.changes if each.is_derived]
        for change in (each for each in change_set.changes if not each.is_derived):
            style = "bold red" if change.is_destructive else None
            progress_console.print(f"  {change}", style=style, markup=False, soft_wrap=True)
        if derived:
            progress_console.print(f"  {len(derived)} resources that refer to these are looked at again")
    for line in planned.widened_roles:
        progress_console.print(f"  WIDER: {line}", style="red", markup=False, soft_wrap=True)
    return is_confirmed or click.confirm("Deploy this?", err=True)


def _describe(result: DeploymentResult, findings: list[Finding]) -> Result:
    text = [f"{result.stage.stack_name} is deployed: {result.api_url}"]
    text.append(f"{len(result.changes)} resources changed" if result.changes else "nothing had changed")
    if result.smoke_campaign:
        text.append(f"a synthetic worker was registered, counted and erased ({result.smoke_campaign})")
    text += [f"note: {note}" for note in result.notes]
    if result.admin_token:
        text += ["the token of the first admin is shown this once:", result.admin_token]
    return Result(
        {
            "stack_name": result.stage.stack_name,
            "api_url": result.api_url,
            "changes": result.changes,
            "findings": [{"level": str(each.level), "text": each.text} for each in findings],
            "notes": result.notes,
            "admin_token": result.admin_token,
            "smoke_campaign": result.smoke_campaign,
            "record": str(result.record_file),
        },
        text,
    )
