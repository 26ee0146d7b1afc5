"""`daftar clients list|enrol|rotate|revoke`: the clients of the API."""

from collections.abc import Mapping
from typing import Any

import click

from ops.commands.api_calls import call_as_admin
from ops.commands.parameter_types import WHOLE_NUMBER
from ops.commands.tables import console, make_clients_table


@click.group()
def clients() -> None:
    """Manage the clients that may call the API of the local stack."""


@clients.command("list")
def list_clients() -> None:
    """List all clients, when their tokens expire and when they were last seen."""
    page = call_as_admin("GET", "/v1/clients")
    found = page["clients"]
    while page["cursor"] is not None:
        page = call_as_admin("GET", f"/v1/clients?cursor={page['cursor']}")
        found += page["clients"]
    console.print(make_clients_table(found))


@clients.command()
@click.argument("client")
@click.option("--role", "roles", multiple=True, required=True, help="kiosk, bot, manager, core or admin.")
@click.option("--campaign", "campaigns", multiple=True, help="A campaign that it may work for; * for all.")
@click.option("--channel", help="Its channel (van, agent ...), if not the usual one of its role.")
@click.option("--expires-at", help="When its token expires, with a UTC offset.")
def enrol(
    client: str,
    roles: tuple[str, ...],
    campaigns: tuple[str, ...],
    channel: str | None,
    expires_at: str | None,
) -> None:
    """Enrol a CLIENT and show its token once."""
    body = {"client_id": client, "roles": roles, "campaigns": campaigns}
    optional = {"channel": channel, "expires_at": expires_at}
    enrolled = call_as_admin(
        "POST", "/v1/clients", body | {name: value for name, value in optional.items() if value}
    )
    _show_token(enrolled)


@clients.command()
@click.argument("client")
@click.option("--overlap-hours", type=WHOLE_NUMBER, help="How long older tokens stay valid; 0 ends them now.")
@click.option("--expires-at", help="When the new token expires, with a UTC offset.")
def rotate(client: str, overlap_hours: int | None, expires_at: str | None) -> None:
    """Give a CLIENT a new token and show it once."""
    optional = {"overlap_hours": overlap_hours, "expires_at": expires_at}
    body = {name: value for name, value in optional.items() if value is not None}
    rotated = call_as_admin("POST", f"/v1/clients/{client}/token", body)
    console.print(f"older tokens end at {rotated['older_tokens_end_at']}")
    _show_token(rotated)


@clients.command()
@click.argument("client")
def revoke(client: str) -> None:
    """Revoke a CLIENT: its tokens are refused within a minute."""
    call_as_admin("DELETE", f"/v1/clients/{client}")
    console.print(f"{client} is revoked")


def _show_token(client: Mapping[str, Any]) -> None:
    console.print(f"valid until {client['expires_at']}; the token is shown this once:")
    console.print(client["token"], soft_wrap=True, highlight=False)
