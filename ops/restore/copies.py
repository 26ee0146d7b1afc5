"""Copies of a stage's tables as they were at a moment, beside the tables themselves.

On AWS, point-in-time recovery makes them. The emulator gives a table's present content for any moment, so
there a copy is made by a scan, at the moment itself.
"""

from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from chalicelib.clock import to_timestamp
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.restore.items import iter_pages, write_items
from ops.sealed_items import list_tables

# A table of some gigabytes takes a quarter of an hour; AWS names no longest time.
_WAIT = {"Delay": 15, "MaxAttempts": 2400}
_TABLE_EXISTS_CODES = {"TableAlreadyExistsException", "ResourceInUseException"}


class MomentOutOfReach(OperationError):
    """No copy of a table can be made of this moment; the message says which moments there are."""

    default_code = "moment_out_of_reach"


class Copies(Protocol):
    """Makes copies of a stage's tables at one moment."""

    def check_moment(self, stage: Stage, moment: datetime) -> None:
        """Raise MomentOutOfReach unless every table can be copied as it was."""

    def make(self, stage: Stage, moment: datetime) -> dict[str, str]:
        """Return the name of each table's copy, by the table's logical id. Copies that exist are used."""


def format_moment(moment: datetime) -> str:
    """Return a moment for names, in UTC: whatever offset it was written with, it is the same moment."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def name_copies(stage: Stage, moment: datetime) -> dict[str, str]:
    """Return the names that the copies at a moment have, by the logical id of the table."""
    return {
        table: f"{stage.stack_name}-restore-{format_moment(moment)}-{table}"
        for table in list_tables(stage.outputs)
    }


def list_table_names(stage: Stage) -> set[str]:
    """Return the names of all tables in the stage's account and region."""
    pages = stage.aws_client("dynamodb").get_paginator("list_tables").paginate()
    return {name for page in pages for name in page["TableNames"]}


def find_missing_copies(stage: Stage, moment: datetime) -> list[str]:
    """Return the tables without a copy of a moment."""
    existing = list_table_names(stage)
    return [table for table, name in name_copies(stage, moment).items() if name not in existing]


def delete_copies(stage: Stage, moment: datetime) -> None:
    """Delete the copies of a moment that there are: they hold people who were erased since."""
    dynamodb, missing = stage.aws_client("dynamodb"), find_missing_copies(stage, moment)
    for table, name in name_copies(stage, moment).items():
        if table not in missing:
            dynamodb.delete_table(TableName=name)


class PointInTimeCopies:
    """Satisfies `Copies` by DynamoDB's point-in-time recovery."""

    def check_moment(self, stage: Stage, moment: datetime) -> None:
        dynamodb, existing = stage.aws_client("dynamodb"), list_table_names(stage)
        for table, copy in name_copies(stage, moment).items():
            if copy in existing:
                continue  # One that was made by hand, from a vault, is as good.
            if stage.outputs[f"{table}Name"] not in existing:
                raise MomentOutOfReach(f"{table} was deleted: restore a backup of it under the name {copy}")
            described = dynamodb.describe_continuous_backups(TableName=stage.outputs[f"{table}Name"])
            window = described["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
            earliest, latest = (window.get(f"{name}RestorableDateTime") for name in ("Earliest", "Latest"))
            if earliest is None or latest is None:
                raise MomentOutOfReach(f"{table} has no point-in-time recovery")
            if not earliest <= moment <= latest:
                raise MomentOutOfReach(
                    f"{table} can be restored to a moment from {to_timestamp(earliest)} to "
                    f"{to_timestamp(latest)}, not to {to_timestamp(moment)}"
                )

    def make(self, stage: Stage, moment: datetime) -> dict[str, str]:
        dynamodb, copies = stage.aws_client("dynamodb"), name_copies(stage, moment)
        missing = find_missing_copies(stage, moment)
        for table in missing:
            self._begin(dynamodb, stage.outputs[f"{table}Name"], copies[table], moment)
        for name in copies.values():
            dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_WAIT)
        return copies

    def _begin(self, dynamodb: Any, source: str, target: str, moment: datetime) -> None:
        encryption = dynamodb.describe_table(TableName=source)["Table"].get("SSEDescription", {})
        key = encryption.get("KMSMasterKeyArn")
        own_key = {"SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}}
        try:
            dynamodb.restore_table_to_point_in_time(
                SourceTableName=source,
                TargetTableName=target,
                RestoreDateTime=moment,
                BillingModeOverride="PAY_PER_REQUEST",
                # A copy is read by its keys alone.
                GlobalSecondaryIndexOverride=[],
                **(own_key if key else {}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TABLE_EXISTS_CODES:
                raise


class ScannedCopies:
    """Satisfies `Copies` on the emulator, with copies that `take` has made at the moment itself."""

    def take(self, stage: Stage, moment: datetime) -> None:
        """Copy every table as it is now."""
        dynamodb = stage.aws_client("dynamodb")
        for table, name in name_copies(stage, moment).items():
            source = stage.outputs[f"{table}Name"]
            described = dynamodb.describe_table(TableName=source)["Table"]
            keys = {each["AttributeName"] for each in described["KeySchema"]}
            dynamodb.create_table(
                TableName=name,
                KeySchema=described["KeySchema"],
                AttributeDefinitions=[
                    each for each in described["AttributeDefinitions"] if each["AttributeName"] in keys
                ],
                BillingMode="PAY_PER_REQUEST",
            )
            for page in iter_pages(dynamodb, source):
                write_items(dynamodb, name, page)

    def check_moment(self, stage: Stage, moment: datetime) -> None:
        if find_missing_copies(stage, moment):
            raise MomentOutOfReach(
                "the emulator keeps no earlier states: daftar restore --drill makes its own and restores it"
            )

    def make(self, stage: Stage, moment: datetime) -> dict[str, str]:
        return name_copies(stage, moment)
