"""The record of a deployment finds the tables of a stage whose stack is gone."""

from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from ops.cli import main
from ops.commands import restore as restore_command
from ops.deploy.stage_record import (
    StageRecord,
    find_recorded_stage,
    store_stage_record,
    write_stage_record,
)
from ops.errors import StackUnavailable
from ops.http_server import RequestHandler
from ops.project import LOOPBACK, REGION
from tests.support.http_server import serve_in_background

LINE = ("restore", "--at", "2026-01-01T00:00:00Z", "--stack", "daftar-gone", "--into", "daftar-new", "--yes")
ACCOUNT = "123456789012"
OUTPUTS = {"KeysTableName": "gone-KeysTable", "FieldKeyArn": "arn:aws:kms:::key/gone"}
RECORD = StageRecord("daftar-gone", REGION, ACCOUNT, "https://example.org", "digest", OUTPUTS)
USUAL_BUCKET = f"daftar-gone-artefacts-{ACCOUNT}-{REGION}"


def make_client(service: str) -> Any:
    session: Any = boto3.Session(region_name=REGION)
    return session.client(service)


class NoStack(RequestHandler):
    """CloudFormation without a stack."""

    def do_POST(self) -> None:
        self.read_body()
        error = "<Code>ValidationError</Code><Message>does not exist</Message>"
        self.send(400, "text/xml", f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of records, in an account without stacks."""
    monkeypatch.setattr(restore_command, "STAGES_DIR", tmp_path)
    with mock_aws(), serve_in_background(ThreadingHTTPServer((LOOPBACK, 0), NoStack)) as url:
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield tmp_path


def store(record: StageRecord, bucket: str = USUAL_BUCKET) -> None:
    s3 = make_client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    store_stage_record(record, bucket, s3)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_stage_is_found_by_its_record_and_has_no_other_output(directory: Path) -> None:
    assert find_recorded_stage("daftar-gone", directory, make_client) is None
    write_stage_record(RECORD, directory)

    stage = find_recorded_stage("daftar-gone", directory, make_client)

    assert stage is not None
    assert stage.outputs["KeysTableName"] == "gone-KeysTable"
    with pytest.raises(StackUnavailable):
        stage.outputs["ClientsTableName"]


@pytest.mark.parametrize("bucket", [USUAL_BUCKET, "contoh-artefak"])
def test_a_stage_that_another_machine_deployed_is_found_by_the_record_in_its_bucket(
    directory: Path, bucket: str
) -> None:
    stage_file = directory / "deploy.toml"
    if bucket != USUAL_BUCKET:
        stage_file.write_text(f'[stages.gone]\nbucket = "{bucket}"\n')
    # What this machine knows is older.
    write_stage_record(replace(RECORD, outputs={"KeysTableName": "old"}), directory)
    store(RECORD, bucket)

    stage = find_recorded_stage("daftar-gone", directory, make_client, stage_file)

    assert stage is not None
    assert stage.outputs == OUTPUTS


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize(
    "record", [replace(RECORD, region="ap-southeast-1"), replace(RECORD, account="210987654321")]
)
def test_a_record_of_another_account_or_region_is_refused(
    directory: Path, record: StageRecord, is_stored: bool
) -> None:
    if is_stored:
        store(record)
    else:
        write_stage_record(record, directory)

    with pytest.raises(
        StackUnavailable, match=f"deployed in {record.region} of the account {record.account}"
    ):
        find_recorded_stage("daftar-gone", directory, make_client)


def test_a_name_that_is_no_name_of_a_stage_has_no_record(directory: Path) -> None:
    assert find_recorded_stage("not a stage", directory, make_client) is None


def test_a_stage_whose_stack_is_gone_is_restored_into_another(directory: Path) -> None:
    without = run(*LINE)
    store(RECORD)
    recorded = run(*LINE)
    in_place = run(*(each for each in LINE if each not in {"--into", "daftar-new"}))

    assert "no stack daftar-gone can be read" in without.output
    assert "daftar-gone is gone: its tables are looked for" in recorded.output
    assert "no stack daftar-new can be read" in recorded.output
    assert "no stack daftar-gone can be read" in in_place.output
