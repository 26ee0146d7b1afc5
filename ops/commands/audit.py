"""`daftar audit`: who changed or read a record, or what a client did."""

import click

from ops.commands.api_access import ApiAccess, on_api
from ops.commands.api_calls import list_as_admin
from ops.commands.results import Command, Result
from ops.commands.tables import make_audit_table

_PAGE_SIZE = "200"


@click.command(
    "audit",
    cls=Command,
    fails_when="there is no stack, or a subject has no known form",
    json_fields=("records",),
)
@click.option(
    "--subject",
    metavar="SUBJECT",
    help="registration:7K4-M2Q-X9P, client:van-1, campaign:ID, or campaign_day:ID/2024-10-09 for its lists.",
)
@click.option("--client", metavar="CLIENT", help="What this client did; `operator` and `system` are clients.")
@on_api
def list_audit(access: ApiAccess, subject: str | None, client: str | None) -> Result:
    """List who changed or read a record, or what a client did, oldest first. Name one of the two."""
    if (subject is None) == (client is None):
        raise click.UsageError("name either --subject or --client")
    asked = {"subject": subject, "client_id": client}
    query = {name: value for name, value in asked.items() if value is not None}
    records = list_as_admin(access, "/v1/audit", "records", size=_PAGE_SIZE, **query)
    return Result({"records": records}, [make_audit_table(records)])
