"""`daftar clients list|enrol|rotate|revoke`: the clients of the API."""

from collections.abc import Mapping
from typing import Any

import click

from chalicelib.callers import EVERY_CAMPAIGN, Channel, Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.clients.errors import ClientExists
from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.campaign_days import find_campaign_days
from ops.commands.api_access import ApiAccess, DeployedApi, on_api
from ops.commands.api_calls import call_api, call_as_admin, connect, list_as_admin
from ops.commands.parameter_types import CAMPAIGN_OR_ALL, CLIENT, WHOLE_NUMBER
from ops.commands.results import Result, progress_console
from ops.commands.stage_option import on_stage, stage_group
from ops.commands.tables import make_clients_table
from ops.deploy.first_admin import ADMIN_LIFETIME, enrol_directly
from ops.deploy.stages import Stage
from ops.errors import OperationError

# click offers the names of an enum's members, not their values.
_ROLES = [str(role) for role in Role]
_CHANNELS = [str(channel) for channel in Channel]


@stage_group("clients")
def clients() -> None:
    """Manage the clients that may call the API."""


@clients.command("list", fails_when="there is no local stack", json_fields=("clients",))
@on_api
def list_clients(access: ApiAccess) -> Result:
    """List all clients, when their tokens expire and when they were last seen."""
    listed = list_as_admin(access, "/v1/clients", "clients")
    return Result({"clients": listed}, [make_clients_table(listed)])


@clients.command(
    fails_when="the API refused it: the id is used, a role has no campaign, or roles do not go together",
    json_fields=("client",),
)
@click.argument("client", type=CLIENT)
@click.option(
    "--role",
    "roles",
    metavar="ROLE",
    type=click.Choice(_ROLES),
    multiple=True,
    required=True,
    help=f"{', '.join(_ROLES)}; kiosk or admin may be given beside manager.",
)
@click.option(
    "--campaign",
    "campaigns",
    metavar="CAMPAIGN",
    type=CAMPAIGN_OR_ALL,
    multiple=True,
    help="A campaign that it works for, * for all. Every role but admin needs one.",
)
@click.option(
    "--channel",
    metavar="CHANNEL",
    type=click.Choice(_CHANNELS),
    help=f"{', '.join(_CHANNELS)}; the usual one of its role if left out.",
)
@click.option(
    "--expires-at", metavar="TIME", help="When its token expires, with a UTC offset; bounded by its roles."
)
@on_api
def enrol(
    access: ApiAccess,
    client: str,
    roles: tuple[str, ...],
    campaigns: tuple[str, ...],
    channel: str | None,
    expires_at: str | None,
) -> Result:
    """Enrol a CLIENT and show its token once."""
    body = {"client_id": client, "roles": roles, "campaigns": campaigns}
    optional = {"channel": channel, "expires_at": expires_at}
    given = {name: value for name, value in optional.items() if value is not None}
    enrolled = call_as_admin(access, "POST", "/v1/clients", body | given)
    _warn_of_unknown_campaigns(access, campaigns)
    return Result({"client": enrolled}, _describe_token(enrolled))


@clients.command("enrol-admin", fails_when="the id is used", json_fields=("client_id", "token"))
@click.argument("client", type=CLIENT)
@on_stage
def enrol_admin(stage: Stage, client: str) -> Result:
    """Enrol CLIENT as an admin for 30 days with your AWS credentials, when no admin's token is left."""
    try:
        token = enrol_directly(stage, client, Role.ADMIN, lifetime=ADMIN_LIFETIME)
    except ClientExists as error:
        raise OperationError(
            f"there is a client {client} already: choose another id", code=error.code
        ) from None
    return Result({"client_id": client, "token": token}, ["the token is shown this once:", token])


@clients.command(fails_when="no client has this id, or it is revoked", json_fields=("client",))
@click.argument("client", type=CLIENT)
@click.option("--overlap-hours", type=WHOLE_NUMBER, help="How long older tokens stay valid; 0 ends them now.")
@click.option("--expires-at", metavar="TIME", help="When the new token expires, with a UTC offset.")
@on_api
def rotate(access: ApiAccess, client: str, overlap_hours: int | None, expires_at: str | None) -> Result:
    """Give a CLIENT a new token and show it once."""
    optional = {"overlap_hours": overlap_hours, "expires_at": expires_at}
    body = {name: value for name, value in optional.items() if value is not None}
    rotated = call_as_admin(access, "POST", f"/v1/clients/{client}/token", body)
    older = f"older tokens end at {rotated['older_tokens_end_at']}"
    return Result({"client": rotated}, [older, *_describe_token(rotated)])


@clients.command(fails_when="no client has this id", json_fields=("client_id",))
@click.argument("client", type=CLIENT)
@on_api
def revoke(access: ApiAccess, client: str) -> Result:
    """Revoke a CLIENT: its tokens are refused within a minute."""
    call_as_admin(access, "DELETE", f"/v1/clients/{client}")
    return Result({"client_id": client}, [f"{client} is revoked"])


def _describe_token(client: Mapping[str, Any]) -> list[str]:
    return [f"valid until {client['expires_at']}; the token is shown this once:", str(client["token"])]


def _warn_of_unknown_campaigns(access: ApiAccess, campaigns: tuple[str, ...]) -> None:
    """Warn of campaigns that do not exist. A client may be enrolled before its campaign is opened."""
    for campaign_id in {*campaigns} - {EVERY_CAMPAIGN}:
        try:
            _look_up_campaign(access, campaign_id)
        except OperationError as error:
            is_unknown = error.code == CampaignUnknown.code
            warning = f"there is no campaign {campaign_id} yet" if is_unknown else f"{campaign_id}: {error}"
            progress_console.print(f"Warning: {warning}", markup=False, soft_wrap=True)


def _look_up_campaign(access: ApiAccess, campaign_id: str) -> None:
    """Raise OperationError if there is no such campaign, or if it could not be looked up."""
    if not isinstance(access, DeployedApi):
        with connect(access, "manager") as api:
            call_api(api, "GET", f"/v1/campaigns/{campaign_id}")
        return
    # The API shows campaigns to managers, and the token is an admin's.
    try:
        find_campaign_days(access.stage, campaign_id)
    except AWS_ERRORS as error:
        raise explain_aws_error(error) from None
