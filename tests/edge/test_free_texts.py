"""Free text that travels: names that operators would drop, ids that name a person, the gate before SMS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.registrations.reported_events import PaymentCode
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import FAR_FUTURE, Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_expiry_day,
)
from tests.support.registration_stores import open_registration_stores

DROPPED = ["Klik bit.ly/hadiah", "Kode OTP", "Hubungi 0812-3456-7890"]
PERSONAL_IDS = ["3171075204857001", "0812-3456-7890", "ofc-081234567890", "198504122010012001"]
CAMPAIGN = "/v1/campaigns/tanah-abang-2024"

# Where a name is given, with the field that a refusal names.
GIVEN_NAMES: dict[str, Callable[[str], dict[str, Any]]] = {
    "name": lambda name: {"name": name},
    "branch": lambda name: {"branch": name},
    "place": lambda name: {"place": name},
    "managers.0.name": lambda name: {"managers": [{"name": name, "email": None, "phone": None}]},
    "sponsors.0.name": lambda name: {"sponsors": [{"sponsor_id": "yayasan", "name": name}]},
}


def list_codes(problem: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["field"], each["code"]) for each in problem["errors"]]


@pytest.mark.parametrize("name", DROPPED)
@pytest.mark.parametrize("field", GIVEN_NAMES)
def test_a_name_that_operators_would_drop_is_refused_when_it_is_given(
    edge: Edge, field: str, name: str
) -> None:
    body = GIVEN_NAMES[field](name)
    opened = make_campaign_payload(campaign_id="senen-2024", accepts_until=FAR_FUTURE, **body)
    before = dump_stored_state()

    for method, path, sent in (("POST", "/v1/campaigns", opened), ("PATCH", CAMPAIGN, body)):
        problem = assert_problem(edge.send(method, path, sent, caller="manager"), 422, "rules_broken")
        assert list_codes(problem) == [(field, "text_not_for_sms")]

    assert dump_stored_state() == before


def test_a_campaign_of_an_earlier_release_keeps_its_name_and_can_be_changed(edge: Edge) -> None:
    settings = edge.container.settings
    stored = DynamoCampaigns(
        edge.container.aws.dynamodb, settings.campaigns_table, edge.container.cipher, build_audit_write=None
    )
    stored.add(Campaign.model_validate(make_campaign_payload(campaign_id="lama-2024", name="bit.ly/lama")))

    changed = edge.send("PATCH", "/v1/campaigns/lama-2024", {"target": 7}, caller="manager").json_body

    assert (changed["name"], changed["target"]) == ("bit.ly/lama", 7)


@pytest.mark.parametrize("personal", PERSONAL_IDS)
def test_an_id_of_an_officer_that_looks_personal_is_refused_at_every_door(edge: Edge, personal: str) -> None:
    capture = make_capture_payload(officer=personal)

    alone = edge.register(capture)
    among = edge.send(
        "POST",
        "/v1/registrations/batch",
        {"items": [capture, make_capture_payload(capture_id=make_capture_id(2))]},
    ).json_body["results"]
    checked = edge.send("POST", "/v1/checks", {"officer": personal}).json_body

    assert list_codes(assert_problem(alone, 422, "body_invalid")) == [("officer", "id_looks_personal")]
    assert list_codes(among[0]["problem"]) == [("officer", "id_looks_personal")]
    assert among[1]["outcome"] == "created"
    assert list_codes(checked) == [("officer", "id_looks_personal")]
    assert personal not in dump_stored_state()


@pytest.mark.parametrize("personal", ["3171075204857001", "0812-3456-7890", "van-6281234567890"])
def test_an_id_of_a_client_that_looks_personal_is_refused(edge: Edge, personal: str) -> None:
    body = {"client_id": personal, "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"]}

    problem = assert_problem(edge.send("POST", "/v1/clients", body, caller="admin"), 422, "body_invalid")

    assert list_codes(problem) == [("client_id", "id_looks_personal")]
    assert personal not in dump_stored_state()


def test_a_worker_whose_name_operators_would_drop_gets_an_sms_and_keeps_the_name(
    edge: Edge, gateway: FakeSmsServer
) -> None:
    capture = make_capture_payload(worker={"name": "Kode OTP"})
    reference = edge.register(capture).json_body["reference"]

    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))

    (sms,) = gateway.inbox.list_sms()
    assert sms.text.startswith("BPJAMSOSTEK: Data Kode O. sudah kami terima.")
    shown = edge.send("GET", f"/v1/registrations/{reference}", caller="core").json_body
    assert shown["worker"]["name"] == "Kode OTP"


def test_the_gate_lets_no_sms_pass_that_operators_would_drop(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    stores = open_registration_stores(boto3.client("dynamodb"), "RegistrationsTable", edge.container.cipher)
    registration = edge.container.reading.get(reference)
    code = PaymentCode.model_validate(
        {"code": "OTP-88", "amount": 32_800, "expires_on": make_expiry_day()}, strict=False
    )
    lifecycle = registration.lifecycle.with_payment_code(
        code, occurred_at=edge.container.clock(), client_id="core"
    )
    stores.lifecycle.replace(replace(registration, lifecycle=lifecycle), previous=registration)
    event = make_domain_event(
        type="RegistrationChanged",
        reference=reference,
        event_type="payment_code_issued",
        event_version=lifecycle.version,
    )

    assert edge.invoke("on_notifications", make_sqs_event(event)) == {"batchItemFailures": []}

    assert gateway.inbox.list_sms() == []
    (row,) = list_stored_items("SmsLedgerTable")
    assert row["state"]["S"] == "failed"
    assert [each["SmsContentRefused"] for each in log_output.metrics if "SmsContentRefused" in each] == [
        [1.0]
    ]
    (line,) = [each for each in log_output.lines if each["message"] == "content of an sms refused"]
    assert (line["reason"], line["purpose"]) == ("filtered_word", "payment_code")
    assert line["sms_id"] == row["sms_id"]["S"]
