"""`daftar records unreadable`: lists exactly the records that cannot be read, and of each its key."""

import json
import os
from typing import Any

import boto3
import pytest

from chalicelib.aws.items import to_item
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.notifications.store_items import build_item
from chalicelib.registrations.captures import UnusualClient
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from ops.deploy.stages import Stage
from tests.ops.command_lines import run_daftar
from tests.support.app_loader import make_container
from tests.support.damaged_items import SEALED_DAMAGES, damage_item, garble_item
from tests.support.registration_builders import (
    FIRST_DAY,
    PHONE_COUNT,
    get_worker,
    make_campaign,
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
    make_sms,
)
from tests.support.registration_stores import open_registration_stores

TABLES = ("RegistrationsTable", "CampaignsTable", "SmsLedgerTable", "ReviewsTable", "KeysTable")
PEOPLE = 3
FINDING = Finding(
    "tanah-abang-2024",
    ReviewKind.TALK_TO_PERSON,
    ReviewSubject("1", (make_reference(0),)),
    note="Ibu Melati minta ditelepon.",
)


@pytest.fixture
def stage(moto_stage: None) -> Stage:
    """A stage with registrations, an unusual client, a campaign, an SMS and a review item with its link."""
    dynamodb, cipher = boto3.client("dynamodb"), make_container().cipher
    stores = open_registration_stores(dynamodb, "RegistrationsTable", cipher)
    for number in range(PEOPLE):
        reference = make_reference(number)
        stores.intake.add(
            make_registration(reference, make_capture_metadata(number), worker_key=str(number)),
            make_capture(make_capture_metadata(number), reference=reference),
            PHONE_COUNT,
        )
    unusual_client = UnusualClient("van-1", FIRST_DAY, received_on=FIRST_DAY.day, attempts=50)
    stores.unusual_clients.record(unusual_client)
    DynamoCampaigns(dynamodb, "CampaignsTable", cipher, build_audit_write=None).add(make_campaign())
    dynamodb.put_item(TableName="SmsLedgerTable", Item=to_item(build_item(make_sms())))
    make_container().reviews.open_finding(FINDING)
    outputs = {f"{name}Name": name for name in TABLES}
    session: Any = boto3
    return Stage(
        "daftar-test", {**outputs, "FieldKeyArn": os.environ["DAFTAR_FIELD_KEY_ARN"]}, session.client
    )


def list_unreadable(stage: Stage, *, exit_code: int) -> list[str]:
    result = run_daftar("records unreadable", "--json", obj=stage)
    assert result.exit_code == exit_code, result.output
    document = json.loads(result.stdout)
    assert document["ok"] is (exit_code == 0)
    return [each["record"] for each in document["result"]["unreadable"]]


def test_a_stage_whose_records_can_all_be_read_has_none(stage: Stage) -> None:
    assert list_unreadable(stage, exit_code=0) == []


@pytest.mark.parametrize("kind", SEALED_DAMAGES)
def test_each_unreadable_record_is_listed_by_its_key(stage: Stage, kind: str) -> None:
    dynamodb = boto3.client("dynamodb")
    registrations = {
        f"REGISTRATION#{make_reference(0)}": "sealed.name",
        f"REGISTRATION#{make_reference(1)}": "facts.figures",
        f"CAPTURE#{make_capture_metadata(2).capture_id}": "answer",
    }
    for pk, path in registrations.items():
        damage_item(dynamodb, "RegistrationsTable", pk, path, SEALED_DAMAGES[kind])
    campaign = f"CAMPAIGN#{make_campaign().campaign_id}"
    damage_item(dynamodb, "CampaignsTable", campaign, "managers", SEALED_DAMAGES[kind])
    garble_item(dynamodb, "SmsLedgerTable", make_sms().sms_id, "begun_at")

    review_item = f"REVIEW#{FINDING.item_id}"
    damage_item(dynamodb, "ReviewsTable", review_item, "note", SEALED_DAMAGES[kind])

    unreadable = list_unreadable(stage, exit_code=1)

    assert sorted(unreadable) == sorted([*registrations, campaign, make_sms().sms_id, review_item])


def test_the_list_holds_no_value_of_a_record(stage: Stage) -> None:
    garble_item(boto3.client("dynamodb"), "RegistrationsTable", f"REGISTRATION#{make_reference(0)}", "work")
    worker = get_worker(make_registration())

    output = run_daftar("records unreadable", obj=stage).output

    assert str(make_reference(0)) in output
    assert not [value for value in (worker.nik, worker.name, worker.phone) if value and value in output]
