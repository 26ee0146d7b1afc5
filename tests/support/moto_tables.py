"""Create the tables of the template on the engine that a test runs against."""

from functools import cache
from typing import Any

from infra.template import join_template

# The name of each table is its logical id.
STAGE_ENVIRONMENT = {
    "DAFTAR_STAGE": "test",
    "DAFTAR_REGISTRATIONS_TABLE": "RegistrationsTable",
    "DAFTAR_CAMPAIGNS_TABLE": "CampaignsTable",
    "DAFTAR_CLIENTS_TABLE": "ClientsTable",
    "DAFTAR_SMS_LEDGER_TABLE": "SmsLedgerTable",
    "DAFTAR_SENDING_TABLE": "SendingTable",
    "DAFTAR_SUMMARIES_TABLE": "SummariesTable",
    "DAFTAR_REQUESTS_TABLE": "RequestsTable",
    "DAFTAR_AUDIT_TABLE": "AuditTable",
    "DAFTAR_REVIEWS_TABLE": "ReviewsTable",
    "DAFTAR_CONVERSATIONS_TABLE": "ConversationsTable",
    "DAFTAR_KEYS_TABLE": "KeysTable",
    "DAFTAR_NOTIFICATIONS_QUEUE_URL": "unset",
    "DAFTAR_REMINDERS_QUEUE_URL": "unset",
    "DAFTAR_RECEIPTS_QUEUE_URL": "unset",
    "DAFTAR_CHAT_EVENTS_QUEUE_URL": "unset",
    "DAFTAR_CHAT_OUTBOX_QUEUE_URL": "unset",
    "DAFTAR_FIELD_KEY_ARN": "unset",
    "DAFTAR_SMS_ORIGINATION_IDENTITY": "BPJAMSOSTEK",
    "DAFTAR_PHOTOS_BUCKET": "photos",
    "DAFTAR_EXPORTS_BUCKET": "exports",
}


@cache
def read_table_definitions() -> dict[str, dict[str, Any]]:
    """Return the arguments of `create_table` for each table, by the table's logical id."""
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {
        name: _leave_out_warmth(
            {key: resource["Properties"][key] for key in wanted if key in resource["Properties"]}
        )
        for name, resource in join_template()["Resources"].items()
        if resource.get("Type") == "AWS::DynamoDB::Table"
    }


def _leave_out_warmth(declaration: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments without the warm throughput of indexes, which CloudFormation would resolve."""
    indexes = [
        {key: value for key, value in index.items() if key != "WarmThroughput"}
        for index in declaration.get("GlobalSecondaryIndexes", ())
    ]
    return {**declaration, "GlobalSecondaryIndexes": indexes} if indexes else declaration


def create_tables(client: Any, *, prefix: str = "") -> None:
    """Create every table of the template, named `prefix` and its logical id."""
    for name, declaration in read_table_definitions().items():
        client.create_table(TableName=f"{prefix}{name}", **declaration)
