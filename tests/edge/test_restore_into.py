"""A stage is restored into another one, beside which it goes on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from chalicelib.aws.table import Table
from chalicelib.clock import utc_now
from chalicelib.conversations.messages import ChatLink, OutboxContent
from chalicelib.conversations.model import OfficerMessage
from chalicelib.notifications.model import SmsState
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_stream import COPIED_VERSION, parse_change
from chalicelib.registrations.stream import CaptureChange, RegistrationChange
from ops.commands.restore import restore_tables
from ops.commands.sms import make_ledger
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.key_lock import KeysBusy, make_key_changes
from ops.restore.bringing_back import Restoration
from ops.restore.copies import MomentOutOfReach
from ops.restore.filling import KeysNotMovable
from ops.restore.new_stage import StageHalfFilled, StageNotEmpty, restore_into
from ops.restore.reconciling import open_container
from tests.edge.conftest import Edge
from tests.edge.restored_market import TABLES, Closed, Market, cut_off_at, make_stage
from tests.support.aws_events import make_domain_event, make_sqs_event, make_stream_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables
from tests.support.payloads import make_capture_id

PREFIX = "daftar-new-"
PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}


class Pair:
    """A market, and an empty stage with a key of its own in KMS."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.calls: list[str] = []
        create_tables(boto3.client("dynamodb"), prefix=PREFIX)
        key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        settings = {name: f"{PREFIX}{table}" for name, table in STAGE_ENVIRONMENT.items() if table in TABLES}
        closed = Closed(self.calls, {**settings, "DAFTAR_FIELD_KEY_ARN": key})
        self.new = make_stage("daftar-new", closed, prefix=PREFIX, key=key)

    def fill(self, **options: Any) -> Restoration:
        market = self.market
        return restore_into(
            market.stage,
            self.new,
            market.moment,
            copies=market.copies,
            sleep=lambda _: None,
            **options,
        )

    def read_new(self, table: str) -> list[dict[str, Any]]:
        return list_stored_items(f"{PREFIX}{table}")

    def find_name(self, reference: str) -> str:
        """Return a worker's name, as the new stage opens it."""
        return str(open_container(self.new).reading_store.get(Reference(reference)).worker.name)


@pytest.fixture
def pair(edge: Edge, tmp_path: Path) -> Pair:
    return Pair(Market(edge, tmp_path))


def delete_table(name: str) -> None:
    boto3.client("dynamodb").delete_table(TableName=name)


def read_all() -> list[Any]:
    return [list_stored_items(table) for table in TABLES]


def test_another_stage_gets_the_moment_opens_it_without_a_key_of_the_old_one_and_stays_closed(
    pair: Pair,
) -> None:
    market = pair.market
    kept = market.register(1)
    market.note_moment()
    lost = [market.register(number) for number in (2, 3)]
    before = read_all()

    done = pair.fill()

    name = market.edge.container.reading_store.get(Reference(kept)).worker.name
    boto3.client("kms").disable_key(KeyId=market.stage.outputs["FieldKeyArn"].rpartition("/")[2])
    assert pair.find_name(kept) == name
    references = {
        item["reference"]["S"] for item in pair.read_new("RegistrationsTable") if "reference" in item
    }
    assert kept in references
    assert not references & set(lost)
    assert done.losses.list_runs() == [{"client_id": "van-1", "first": 2, "last": 3}]
    assert set(pair.calls) == {"closed"}, "it was opened before an operator said so"
    assert market.calls == [], "the old stage was touched"
    assert read_all() == before
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted([*TABLES, *(f"{PREFIX}{each}" for each in TABLES)]), "a copy was left"


def test_what_must_not_be_undone_comes_along_and_nobody_who_was_erased_comes_back(pair: Pair) -> None:
    market = pair.market
    erased, late = market.register(1), market.register(2)
    market.note_moment()
    market.register(3)
    for number in (1, 3):
        market.erase(number)
    phone = market.edge.container.hashing.digest("phone", "+6282455507001")
    market.edge.container.opt_outs.record(phone, occurred_at=utc_now(), source="salemba")
    assert market.edge.send("DELETE", "/v1/clients/whatsapp", caller="admin").status_code == 204

    done = pair.fill()

    assert done.erasures == 2
    registrations = {
        item["reference"]["S"]: item
        for item in pair.read_new("RegistrationsTable")
        if item["sk"]["S"] == "APPLICATION"
    }
    assert "sealed" not in registrations.get(erased, {})
    assert "sealed" in registrations[late]
    forgotten = {item["pk"]["S"] for item in pair.read_new("RegistrationsTable") if "forgotten" in item}
    assert forgotten == {f"CAPTURE#{make_capture_id(number)}" for number in (1, 3)}
    new = open_container(pair.new)
    assert new.opt_outs.has_opted_out(phone)
    assert new.clients.get("whatsapp").revoked_at is not None


def test_no_person_is_texted_by_two_stages(pair: Pair) -> None:
    market = pair.market
    reference = market.register(1)
    market.edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    [row] = [item["sms_id"]["S"] for item in list_stored_items("SmsLedgerTable")]
    old = make_ledger(market.stage).get(row)
    assert old is not None
    assert old.state is SmsState.UNKNOWN, "the old stage may send it again"
    market.note_moment()

    done = pair.fill()

    held = make_ledger(pair.new).get(row)
    assert held is not None
    assert (held.state, held.reason, done.held_sms) == (SmsState.HELD, "restored", 1)
    stop = open_container(pair.new).send_rate_limiter.find_stop(utc_now())
    assert stop is not None
    assert stop.ends_at is None
    assert make_ledger(market.stage).get(row) == old


def test_nobody_is_texted_again_because_a_registration_is_new_to_the_new_stage(pair: Pair) -> None:
    market = pair.market
    paid = market.register(1)
    path = f"/v1/registrations/{paid}/payments"
    assert market.edge.send("POST", path, PAYMENT, caller="core").status_code == 200
    market.register(2)
    market.note_moment()

    pair.fill()

    # The ledger finds a row by the wording of today: an earlier release may have sent another one.
    items = pair.read_new("RegistrationsTable")
    published = [parse_change(record) for record in make_stream_event(*items)["Records"]]
    changes = [each for each in published if isinstance(each, CaptureChange | RegistrationChange)]
    assert [each.is_copy for each in changes] == [True] * 4
    versions = {item["reference"]["S"]: item[COPIED_VERSION]["N"] for item in items if "history" in item}
    assert versions[paid] == "2"


def test_chats_come_along_but_for_the_messages_that_the_old_stage_may_still_send(pair: Pair) -> None:
    store, now = pair.market.edge.container.conversation_store, utc_now()
    address: dict[str, Any] = {"channel": "telegram", "account": "1", "recipient": "1001", "language": "id"}
    link = ChatLink(**address, chat_key="a")
    content = OutboxContent(**address, message=OfficerMessage(text="Siap"))
    worker: dict[str, Any] = {"now": now, "worker_key": "w-1"}
    table = Table(boto3.client("dynamodb"), "ConversationsTable")
    put = table.run
    put(store.build_link_write(make_capture_id(1), link, **worker))
    put(store.build_opt_out_write("a", now=now))
    put(store.build_outbox_write("a", "1", content, **worker))
    pair.market.note_moment()
    put(store.build_link_write(make_capture_id(2), link, **worker))
    put(store.build_opt_out_write("b", now=now))
    put(store.build_hand_off_write(link, "item-1", **worker))
    put(table.put({"pk": "CHAT#a", "sk": "EVENT#e-1", "outbox_ids": ["1"]}))

    pair.fill()

    new = open_container(pair.new).conversation_store
    assert [new.find_link(make_capture_id(number)) for number in (1, 2)] == [link, link]
    assert [new.has_opted_out(chat) for chat in ("a", "b", "c")] == [True, True, False]
    assert new.find_hand_off("a", now=now) == link
    assert new.find_event("a", "e-1") is not None, "an event that comes again would count as new"
    assert not [each for each in pair.read_new("ConversationsTable") if each["sk"]["S"].startswith("OUT#")]


def test_what_is_not_known_without_the_old_stage_is_said(pair: Pair) -> None:
    market = pair.market
    kept = market.register(4)
    market.note_moment()
    market.register(5)
    for table in ("RegistrationsTable", "RequestsTable", "SmsLedgerTable", "KeysTable"):
        delete_table(table)

    done = pair.fill()

    assert pair.find_name(kept)
    assert done.losses.list_runs() == [{"client_id": "van-1", "first": 5, "last": None}]
    notes = "\n".join(done.notes)
    for unknown in (
        "RegistrationsTable of daftar-local is gone, so it is not known which captures came since",
        "RequestsTable of daftar-local is gone, so it is not known who was erased since",
        "SmsLedgerTable of daftar-local is gone, so it is not known which SMS went out since",
    ):
        assert unknown in notes
    assert "ClientsTable" not in notes


def test_people_of_production_are_not_put_into_a_stage_of_another_kind(pair: Pair) -> None:
    market = pair.market
    market.note_moment()
    production = replace(market.stage, parameters={"Stage": "prod"})
    pair.new = replace(pair.new, parameters={"Stage": "dev"})

    with pytest.raises(OperationError, match="differ in `Stage`") as refused:
        restore_into(production, pair.new, market.moment, copies=market.copies)

    assert refused.value.code == "stage_of_another_kind"
    assert pair.calls == []


def test_a_stage_that_is_not_empty_is_refused_and_not_touched(pair: Pair) -> None:
    market = pair.market
    market.note_moment()
    with pytest.raises(StageNotEmpty, match="is the stage itself"):
        restore_into(market.stage, market.stage, market.moment, copies=market.copies)
    item = list_stored_items("ClientsTable")[0]
    boto3.client("dynamodb").put_item(TableName=f"{PREFIX}ClientsTable", Item=item)

    with pytest.raises(StageNotEmpty, match="ClientsTable of daftar-new is not empty"):
        pair.fill()

    assert pair.calls == []
    assert pair.read_new("KeysTable") == []


def test_a_fill_that_was_cut_off_begins_again_and_one_that_is_done_is_not_repeated(pair: Pair) -> None:
    market = pair.market
    references = [market.register(number) for number in (1, 2)]
    market.note_moment()
    first = market.moment

    with pytest.raises(InterruptedError):
        pair.fill(on_step=cut_off_at("erasing again"))
    market.note_moment()
    with pytest.raises(StageNotEmpty, match="is being restored from daftar-local"):
        pair.fill()
    market.moment = first

    pair.fill()

    assert [bool(pair.find_name(each)) for each in references] == [True, True]
    with pytest.raises(StageNotEmpty, match="was restored from daftar-local"):
        pair.fill()


def test_a_stage_that_is_filled_in_part_cannot_be_opened_and_is_closed_again_after_the_copies(
    pair: Pair,
) -> None:
    pair.market.note_moment()

    def cut_off(step: str) -> None:
        # Somebody may have opened the stage, or deployed it again, while the copies were made.
        assert "taking" not in step or pair.calls == ["closed", "closed"]
        if "erasing again" in step:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        pair.fill(on_step=cut_off)
    result = open_by_command(pair.new)
    assert isinstance(result.exception, StageHalfFilled), result.output
    assert "--stack daftar-local --into daftar-new" in str(result.exception)
    assert "opened" not in pair.calls

    pair.fill()

    assert open_by_command(pair.new).exception is None
    assert "opened" in pair.calls


def open_by_command(stage: Stage) -> Any:
    return CliRunner().invoke(restore_tables, ["--open"], obj=stage, standalone_mode=False)


def test_a_moment_out_of_reach_or_another_run_leaves_the_new_stage_empty(pair: Pair) -> None:
    market = pair.market
    market.moment = utc_now()
    with pytest.raises(MomentOutOfReach):
        pair.fill()
    market.note_moment()
    make_key_changes(pair.new).acquire_lock()
    with pytest.raises(KeysBusy, match="another run changes the keys or restores the stage"):
        pair.fill()
    assert pair.calls == []


def test_keys_that_kms_does_not_move_stop_it_before_any_copy_is_made(pair: Pair) -> None:
    market = pair.market
    market.note_moment()
    make_client = pair.new.aws_client

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ReEncrypt")

    def make_refusing_client(service: str) -> Any:
        client = make_client(service)
        if service == "kms":
            client.meta.events.register("before-call.kms.ReEncrypt", refuse)
        return client

    pair.new = replace(pair.new, aws_client=make_refusing_client)
    with pytest.raises(KeysNotMovable, match=r"\(AccessDeniedException\).*kms:ReEncryptFrom"):
        pair.fill()

    assert pair.read_new("ClientsTable") == []
    pair.new = replace(pair.new, aws_client=make_client)
    pair.fill()
    assert pair.read_new("ClientsTable") != []
