"""A stage is taken back to a moment: what comes back, and what must not."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.clock import utc_now
from chalicelib.notifications.model import SmsState
from ops.commands.sms import make_ledger
from ops.deploy.stages import Stage
from ops.restore.copies import MomentOutOfReach, ScannedCopies
from ops.restore.lost_acts import describe_acts
from ops.restore.restoration import Restoration, restore
from ops.sealed_items import list_tables
from tests.edge.conftest import Edge, scan_table
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.moto_tables import STAGE_ENVIRONMENT
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

TABLES = [name for name in STAGE_ENVIRONMENT.values() if name.endswith("Table")]
PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}


class Closed:
    """The functions, schedules and stack of a stage without any but its tables."""

    class exceptions:  # noqa: N801 - the SDK's name
        ResourceInUseException = KeyError

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls
        self.failing = ""

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"Environment": {"Variables": dict(os.environ)}}

    def get_paginator(self, _: str) -> "Closed":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        kinds = ("AWS::Lambda::Function",)
        return [
            {"StackResourceSummaries": [{"ResourceType": kind, "PhysicalResourceId": kind} for kind in kinds]}
        ]

    def put_function_concurrency(self, **_: Any) -> None:
        self.calls.append("closed")

    def delete_function_concurrency(self, **_: Any) -> None:
        self.calls.append("opened")

    def invoke(self, FunctionName: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's name
        self.calls.append("run")
        if FunctionName == self.failing:
            return {"Payload": BytesIO(b'{"errorMessage": "Timeout"}'), "FunctionError": "Unhandled"}
        return {"Payload": BytesIO()}


class Market:
    """The market of the edge tests with its tables, at a moment and later."""

    def __init__(self, edge: Edge, directory: Path) -> None:
        self.edge = edge
        self.directory = directory
        self.calls: list[str] = []
        self.closed = closed = Closed(self.calls)
        client: Any = boto3.client
        self.stage = Stage(
            "daftar-local",
            {f"{name}Name": name for name in (*TABLES, "APIHandler", "RollUpDueDays", "AgeRegistrations")},
            lambda service: closed if service in {"lambda", "events", "cloudformation"} else client(service),
            is_local=True,
        )
        self.copies = ScannedCopies()

    def register(self, number: int, **changes: Any) -> str:
        capture = make_capture_payload(
            capture_id=make_capture_id(number),
            device_sequence=number,
            worker={"nik": make_nik(7000 + number), "phone": f"0824-5550-7{number:03}"},
            **changes,
        )
        answer = self.edge.register(capture)
        assert answer.status_code in {200, 201}, answer.body
        return str(answer.json_body["reference"])

    def erase(self, number: int) -> None:
        request = {"request_id": make_capture_id(900 + number), "nik": make_nik(7000 + number)}
        answer = self.edge.send("POST", "/v1/erasures", request, caller="admin")
        assert answer.status_code == 200, answer.body

    def note_moment(self) -> None:
        self.moment = utc_now()
        self.copies.take(self.stage, self.moment)

    def restore(self, *damaged: str) -> Restoration:
        done = restore(self.stage, self.moment, copies=self.copies, directory=self.directory, damaged=damaged)
        self.edge.restart()
        return done

    def get_status(self, reference: str) -> Any:
        answer = self.edge.send("GET", f"/v1/registrations/{reference}", caller="manager")
        return answer.json_body["status"] if answer.status_code == 200 else answer.status_code


@pytest.fixture
def market(edge: Edge, tmp_path: Path) -> Market:
    return Market(edge, tmp_path)


def list_captures() -> set[str]:
    items = [item for item in scan_table("RegistrationsTable") if item["sk"]["S"] == "CAPTURE"]
    return {item["pk"]["S"] for item in items if "fingerprint" in item}


def test_what_was_damaged_is_as_it_was_and_what_came_later_is_listed_by_its_device(market: Market) -> None:
    kept, changed = market.register(1), market.register(2)
    market.note_moment()
    boto3.client("dynamodb").delete_item(
        TableName="RegistrationsTable",
        Key={"pk": {"S": f"REGISTRATION#{kept}"}, "sk": {"S": "APPLICATION"}},
    )
    path = f"/v1/registrations/{changed}/payments"
    assert market.edge.send("POST", path, PAYMENT, caller="core").status_code == 200
    for number in (3, 4, 6):
        lost = market.register(number)

    done = market.restore()

    assert [market.get_status(each) for each in (kept, changed, lost)] == ["received", "received", 404]
    assert done.losses.list_runs() == [
        {"client_id": "van-1", "first": 3, "last": 4},
        {"client_id": "van-1", "first": 6, "last": 6},
    ]
    assert done.losses.changed == {changed: "active"}
    assert market.register(3), "a device sends it again"
    assert market.calls == ["closed", "opened", "run", "run"]
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted(list_tables(market.stage.outputs)), "a copy was left"


def test_what_clients_did_since_is_listed_for_them_to_do_it_again(market: Market) -> None:
    paid, cancelled, early = (market.register(number) for number in (1, 2, 3))
    send = market.edge.send
    assert send("POST", f"/v1/registrations/{early}/payments", PAYMENT, caller="core").status_code == 200
    market.note_moment()
    payment = {**PAYMENT, "payment_id": "p-2"}
    assert send("POST", f"/v1/registrations/{paid}/payments", payment, caller="core").status_code == 200
    cancellation = {"reason": "other"}
    path = f"/v1/registrations/{cancelled}/cancellation"
    assert send("POST", path, cancellation, caller="kiosk").status_code == 200

    done = market.restore()

    acts = [(act.client_id, act.action, act.reference) for act in done.acts]
    assert acts == [("membership", "paid", paid), ("van-1", "cancelled", cancelled)]
    assert describe_acts(done.acts) == ["membership does again: 1 paid", "van-1 does again: 1 cancelled"]
    assert send("POST", f"/v1/registrations/{paid}/payments", payment, caller="core").status_code == 200
    assert [market.get_status(each) for each in (paid, cancelled, early)] == ["active", "received", "active"]


def test_nobody_who_was_erased_comes_back_and_no_capture_of_theirs(market: Market) -> None:
    erased, late = market.register(1), market.register(2)
    market.note_moment()
    late_capture = market.register(3)
    for number in (1, 3):
        market.erase(number)
    counted = len([item for item in scan_table("RegistrationsTable") if item["sk"]["S"] == "LEFT"])

    done = market.restore()

    assert done.erasures == 2
    assert [market.get_status(each) for each in (erased, late_capture, late)] == [404, 404, "received"]
    for number in (1, 3):
        again = make_capture_payload(
            capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)}
        )
        assert market.edge.register(again).json_body["code"] == "capture_forgotten"
    remnants = [item for item in scan_table("RegistrationsTable") if item["sk"]["S"] == "LEFT"]
    # Those of the person who came after the moment are gone with the captures that were lost.
    assert counted == 4
    assert len(remnants) == 2


def test_an_erasure_that_was_not_logged_is_named_for_its_sender(market: Market) -> None:
    market.register(1)
    market.note_moment()
    market.erase(1)
    dynamodb = boto3.client("dynamodb")
    [logged] = [item for item in scan_table("RequestsTable") if item["step"]["S"] == "logged"]
    dynamodb.delete_item(
        TableName="RequestsTable", Key={name: logged[name] for name in ("request_id", "step")}
    )

    assert market.restore().unlogged_erasures == [make_capture_id(901)]


def test_what_has_left_the_house_stays(market: Market) -> None:
    reference = market.register(1)
    market.note_moment()
    container = market.edge.container
    phone = container.hashing.digest("phone", "+6282455507001")
    container.opt_outs.record(phone, occurred_at=utc_now(), source="salemba")
    assert market.edge.send("DELETE", "/v1/clients/whatsapp", caller="admin").status_code == 204
    campaign = make_campaign_payload(campaign_id="senen-2024")
    assert market.edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
    market.edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    ledger = make_ledger(market.stage)
    [row] = [item["sms_id"]["S"] for item in scan_table("SmsLedgerTable")]
    sent = ledger.get(row)
    records = len(scan_table("AuditTable"))

    market.restore()

    assert container.opt_outs.has_opted_out(phone)
    assert container.clients.get("whatsapp").revoked_at is not None
    assert market.edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").status_code == 200
    assert ledger.get(row) == sent
    assert len(scan_table("AuditTable")) >= records


def test_a_ledger_that_was_damaged_is_taken_back_and_nothing_of_it_is_sent_by_itself(market: Market) -> None:
    reference = market.register(1)
    market.edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    ledger = make_ledger(market.stage)
    [row] = [item["sms_id"]["S"] for item in scan_table("SmsLedgerTable")]
    market.note_moment()
    boto3.client("dynamodb").delete_item(TableName="SmsLedgerTable", Key={"sms_id": {"S": row}})

    done = market.restore("SmsLedgerTable")

    held = ledger.get(row)
    assert held is not None
    assert (held.state, held.reason, done.held_sms) == (SmsState.HELD, "restored", 1)


def test_a_restore_that_was_cut_off_goes_on_where_it_was(market: Market) -> None:
    references = [market.register(number) for number in (1, 2, 3)]
    market.note_moment()
    market.register(4)
    for reference in references:
        boto3.client("dynamodb").delete_item(
            TableName="RegistrationsTable",
            Key={"pk": {"S": f"REGISTRATION#{reference}"}, "sk": {"S": "APPLICATION"}},
        )

    class CutOff(Exception):
        pass

    def cut_off(step: str) -> None:
        if "erasing again" in step:
            raise CutOff

    with pytest.raises(CutOff):
        restore(
            market.stage,
            market.moment,
            copies=market.copies,
            directory=market.directory,
            on_step=cut_off,
        )
    assert market.calls == ["closed"], "it is open before it is whole"

    done = market.restore()

    assert [market.get_status(each) for each in references] == ["received"] * 3
    # What the first run took away is told by the one that ends.
    assert done.losses.list_runs() == [{"client_id": "van-1", "first": 4, "last": 4}]
    assert list(market.directory.iterdir()) == []
    assert len(list_captures()) == 3


def test_a_count_that_fails_afterwards_is_a_note_and_hides_no_loss(market: Market) -> None:
    market.note_moment()
    market.register(1)
    market.closed.failing = "RollUpDueDays"

    done = market.restore()

    assert done.losses.captures == 1
    assert list(done.notes) == ["RollUpDueDays failed: Timeout; see its log; its next run goes on"]


def test_a_moment_without_copies_is_refused_on_the_emulator_before_anything_is_closed(market: Market) -> None:
    market.moment = utc_now()
    with pytest.raises(MomentOutOfReach, match="daftar restore --drill"):
        market.restore()
    assert market.calls == []
