"""A stage is taken back to a moment: what comes back, and what must not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner

from chalicelib.clock import utc_now
from chalicelib.notifications.model import SmsState
from ops.commands.restore import restore_tables
from ops.commands.sms import make_ledger
from ops.key_lock import KeysBusy, make_key_changes
from ops.restore.copies import MomentOutOfReach
from ops.restore.losses import Losses
from ops.restore.lost_acts import describe_acts, list_lost_acts
from ops.restore.reconciling import erase_again, list_unlogged_erasures, mark_days, open_container
from ops.restore.restoration import AlreadyRestored
from ops.sealed_items import list_tables
from tests.edge.conftest import Edge
from tests.edge.restored_market import Market, cut_off_at, list_captures
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}


@pytest.fixture
def market(edge: Edge, tmp_path: Path) -> Market:
    return Market(edge, tmp_path)


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
    assert (market.closed.mapping, market.closed.rule) == ("Enabled", "Enabled")
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
    counted = len([item for item in list_stored_items("RegistrationsTable") if item["sk"]["S"] == "LEFT"])

    done = market.restore()

    assert done.erasures == 2
    assert [market.get_status(each) for each in (erased, late_capture, late)] == [404, 404, "received"]
    for number in (1, 3):
        again = make_capture_payload(
            capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)}
        )
        assert market.edge.register(again).json_body["code"] == "capture_forgotten"
    remnants = [item for item in list_stored_items("RegistrationsTable") if item["sk"]["S"] == "LEFT"]
    # Those of the person who came after the moment are gone with the captures that were lost.
    assert counted == 4
    assert len(remnants) == 2


def test_an_erasure_that_was_not_logged_is_named_for_its_sender(market: Market) -> None:
    market.register(1)
    market.note_moment()
    market.erase(1)
    dynamodb = boto3.client("dynamodb")
    [logged] = [item for item in list_stored_items("RequestsTable") if item["step"]["S"] == "logged"]
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
    [row] = [item["sms_id"]["S"] for item in list_stored_items("SmsLedgerTable")]
    sent = ledger.get(row)
    records = len(list_stored_items("AuditTable"))

    market.restore()

    assert container.opt_outs.has_opted_out(phone)
    assert container.clients.get("whatsapp").revoked_at is not None
    assert market.edge.send("GET", "/v1/campaigns/senen-2024", caller="manager").status_code == 200
    assert ledger.get(row) == sent
    assert len(list_stored_items("AuditTable")) >= records


def test_a_ledger_that_was_damaged_is_taken_back_and_nothing_of_it_is_sent_by_itself(market: Market) -> None:
    reference = market.register(1)
    market.edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    ledger = make_ledger(market.stage)
    [row] = [item["sms_id"]["S"] for item in list_stored_items("SmsLedgerTable")]
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

    with pytest.raises(InterruptedError):
        market.begin(on_step=cut_off_at("erasing again"))
    assert market.calls == ["closed"], "it is open before it is whole"
    assert (market.closed.mapping, market.closed.rule) == ("Disabled", "Disabled")

    done = market.restore()

    assert [market.get_status(each) for each in references] == ["received"] * 3
    # What the first run took away is told by the one that ends.
    assert done.losses.list_runs() == [{"client_id": "van-1", "first": 4, "last": 4}]
    [file] = market.directory.iterdir()
    assert Losses.from_file(file).is_done
    assert len(list_captures()) == 3


def test_a_restore_that_was_cut_off_once_it_was_open_takes_nothing_away_that_came_since(
    market: Market,
) -> None:
    market.note_moment()
    market.register(1)

    with pytest.raises(InterruptedError):
        market.begin(on_step=cut_off_at("counting"))
    since = market.register(2)

    done = market.restore()

    assert market.get_status(since) == "received"
    assert done.losses.list_runs() == [{"client_id": "van-1", "first": 1, "last": 1}]
    assert market.calls == ["closed", "opened", "opened", "run", "run"]


def test_a_restore_that_is_done_takes_nothing_away_again_unless_it_is_told_to(market: Market) -> None:
    market.note_moment()
    market.register(1)
    market.restore()
    since = market.register(2)

    # Point-in-time recovery still has the moment.
    market.copies.take(market.stage, market.moment)
    for offset in (7, 9):
        market.moment = market.moment.astimezone(timezone(timedelta(hours=offset)))
        with pytest.raises(AlreadyRestored, match="--again"):
            market.begin()

    assert market.get_status(since) == "received"
    assert market.calls.count("closed") == 1
    [file] = market.directory.iterdir()
    assert "CAPTURE" not in file.read_text(encoding="utf-8"), "what was told is still kept"
    market.begin(is_again=True)
    assert market.calls.count("closed") == 2


def test_captures_that_came_while_a_cut_off_restore_was_opened_are_told_too(market: Market) -> None:
    market.note_moment()
    market.register(1)

    with pytest.raises(InterruptedError):
        market.begin(on_step=cut_off_at("erasing again"))
    market.register(2)

    assert market.restore().losses.list_runs() == [{"client_id": "van-1", "first": 1, "last": 2}]


def test_the_lock_is_kept_at_every_step_and_a_run_that_lost_it_does_not_open_the_stage(
    market: Market,
) -> None:
    market.register(1)
    market.erase(1)
    market.note_moment()
    stage, container = market.stage, open_container(market.stage)
    kept: list[str] = []

    def keep(step: str) -> Callable[[], object]:
        return lambda: kept.append(step)

    list_lost_acts(stage, market.moment, keep("acts"))
    erase_again(stage, container, keep("erasures"))
    list_unlogged_erasures(stage, market.moment, keep("requests"))
    # The market of the tests was held then.
    days = mark_days(stage, container, datetime(2024, 10, 9, tzinfo=UTC), keep("days"))
    assert set(kept) == {"acts", "erasures", "requests", "days"}
    assert kept.count("erasures") == 2, "once for the page, and once for the erasure"
    assert kept.count("days") == days > 0

    def lose_lock(step: str) -> None:
        if step == "opening the stage":
            key = {"purpose": {"S": "CHANGES"}, "key_id": {"S": "LOCK"}}
            boto3.client("dynamodb").delete_item(TableName="KeysTable", Key=key)
            make_key_changes(stage).acquire_lock()

    with pytest.raises(KeysBusy):
        market.begin(on_step=lose_lock)
    assert market.calls == ["closed"]


def test_a_second_restore_at_once_is_refused_before_it_closes_anything(market: Market) -> None:
    market.note_moment()
    make_key_changes(market.stage).acquire_lock()

    with pytest.raises(KeysBusy, match="another run changes the keys or restores the stage"):
        market.restore()
    for option in ("--open", "--close"):
        result = CliRunner().invoke(
            restore_tables, [option, "--yes"], obj=market.stage, standalone_mode=False
        )
        assert isinstance(result.exception, KeysBusy), result.output
    assert market.calls == []


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
