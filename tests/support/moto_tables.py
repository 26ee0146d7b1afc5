"""The tables as the template declares them, made on whichever engine a test runs against."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_TEMPLATE = Path(__file__).parents[2] / "infra" / "resources.yaml"

# What tests set each table's name to: the name of the resource itself.
STAGE_ENVIRONMENT = {
    "DAFTAR_STAGE": "test",
    "DAFTAR_REGISTRATIONS_TABLE": "RegistrationsTable",
    "DAFTAR_CAMPAIGNS_TABLE": "CampaignsTable",
    "DAFTAR_CLIENTS_TABLE": "ClientsTable",
    "DAFTAR_SMS_LEDGER_TABLE": "SmsLedgerTable",
    "DAFTAR_SENDING_TABLE": "SendingTable",
    "DAFTAR_SUMMARIES_TABLE": "SummariesTable",
    "DAFTAR_REQUESTS_TABLE": "RequestsTable",
    "DAFTAR_KEYS_TABLE": "KeysTable",
    "DAFTAR_NOTIFICATIONS_QUEUE_URL": "unset",
    "DAFTAR_REMINDERS_QUEUE_URL": "unset",
    "DAFTAR_RECEIPTS_QUEUE_URL": "unset",
    "DAFTAR_FIELD_KEY_ARN": "unset",
    "DAFTAR_SMS_ORIGINATION_IDENTITY": "BPJAMSOSTEK",
    "DAFTAR_EXPORTS_BUCKET": "exports",
}


class _CloudFormationLoader(yaml.SafeLoader):
    """YAML in which CloudFormation's short functions (`!Ref`, `!If` …) stand for nothing."""


_CloudFormationLoader.add_multi_constructor("!", lambda loader, suffix, node: None)


@cache
def read_table_definitions() -> dict[str, dict[str, Any]]:
    """What `create_table` takes for each table, by the table's logical id."""
    resources = yaml.load(_TEMPLATE.read_text(encoding="utf-8"), _CloudFormationLoader)["Resources"]  # noqa: S506 - our own safe subclass
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {
        name: {key: value for key, value in resource["Properties"].items() if key in wanted}
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::DynamoDB::Table"
    }


def create_tables(client: Any, *, prefix: str = "") -> None:
    """Make every declared table, named by its logical id after a prefix."""
    for name, declaration in read_table_definitions().items():
        client.create_table(TableName=f"{prefix}{name}", **declaration)
