"""The first admin of a stage, and short-lived clients for the deployment's own test."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from chalicelib.audit.store import DynamoAuditTrail
from chalicelib.callers import EVERY_CAMPAIGN, Role
from chalicelib.clients.errors import ClientExists
from chalicelib.clients.model import Client
from chalicelib.clients.schemas import EnrolClient
from chalicelib.clients.service import ClientRegistry, Token, TokenLifetime
from chalicelib.clients.store import DynamoClients
from chalicelib.clock import utc_now
from chalicelib.randomness import generate_token, generate_write_id
from infra.template import load_parameters
from ops.deploy.stages import Stage

FIRST_ADMIN = "admin"
ADMIN_LIFETIME = timedelta(days=30)
_PAGE_SIZE = 100


def enrol_first_admin(stage: Stage) -> str | None:
    """Return the token of a new client `admin`, or None if there is one already, revoked or not."""
    try:
        return enrol_directly(stage, FIRST_ADMIN, Role.ADMIN, lifetime=ADMIN_LIFETIME)
    except ClientExists:
        return None


def iter_clients(stage: Stage) -> Iterator[Client]:
    """Yield every client of the stage, revoked ones too."""
    return _open_clients(stage).iter_after(" ", page_size=_PAGE_SIZE)


def enrol_directly(
    stage: Stage, client_id: str, role: Role, *, lifetime: timedelta, daily_cap: int | None = None
) -> str:
    """Enrol a client with the operator's rights on the table, for every campaign. Return its token.

    Raise ClientExists.
    """
    campaigns = () if role is Role.ADMIN else (EVERY_CAMPAIGN,)
    command = EnrolClient(
        client_id=client_id,
        roles=(role,),
        campaigns=campaigns,
        daily_flag=daily_cap,
        daily_cap=daily_cap,
    )
    _, token = open_registry(stage, TokenLifetime(lifetime)).enrol(command)
    return token


def open_registry(
    stage: Stage, token_lifetime: TokenLifetime, make_token: Callable[[], str] = generate_token
) -> ClientRegistry:
    """Return the registry of the stage's clients. It records who enrols as `operator`."""
    return ClientRegistry(
        clients=_open_clients(stage),
        clock=utc_now,
        generate_token=lambda: Token(make_token()),
        token_lifetime=token_lifetime,
    )


def _open_clients(stage: Stage) -> DynamoClients:
    return DynamoClients(
        stage.aws_client("dynamodb"), stage.outputs["ClientsTableName"], _open_trail(stage).build_append
    )


def _open_trail(stage: Stage) -> DynamoAuditTrail:
    kept_days = stage.parameters.get("KeepAuditDays") or load_parameters()["KeepAuditDays"]["Default"]
    return DynamoAuditTrail(
        stage.aws_client("dynamodb"),
        stage.outputs["AuditTableName"],
        retention_period=timedelta(days=int(kept_days)),
        new_id=generate_write_id,
        get_correlation_id=lambda: None,
    )
