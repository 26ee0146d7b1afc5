"""Over HTTP and in the scheduled functions: an unreadable record is named and passed; others go on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from chalicelib.aws.items import to_item
from chalicelib.campaigns.model import Campaign
from chalicelib.notifications.store_items import build_item
from tests.edge.conftest import Edge, LogOutput, assert_problem
from tests.edge.test_export_function import export_days, export_edge, read_first_day_rows
from tests.edge.test_outcome_alarms import list_firing, make_items, send_batch
from tests.edge.test_rollup_function import SUMMARIES, get_summary, register_and_publish, run_rollup
from tests.support.aws_events import make_schedule_event
from tests.support.builders import NOW
from tests.support.damaged_items import SEALED_DAMAGES, damage_item, garble_item
from tests.support.payloads import make_campaign_payload, make_capture_id, make_nik
from tests.support.registration_builders import make_sms

__all__ = ["export_edge", "list_firing"]

PEOPLE = 4
ANOMALY = {"pattern": "records_unreadable", "workers": 1}
PERSONAL = (make_nik(7002), "Melati", "82455507001")


@pytest.fixture
def references(edge: Edge) -> list[str]:
    """Register some workers. Return their references."""
    outcomes = [edge.register(item).json_body for item in make_items(PEOPLE)]
    return [each["reference"] for each in outcomes]


@pytest.fixture(params=SEALED_DAMAGES)
def damage(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return a function that damages a sealed value of a registration, in each of the ways."""

    def damage_registration(reference: str, path: str) -> None:
        dynamodb, change = boto3.client("dynamodb"), SEALED_DAMAGES[request.param]
        damage_item(dynamodb, "RegistrationsTable", f"REGISTRATION#{reference}", path, change)

    return damage_registration


def pull(edge: Edge, query: str, *, caller: str) -> tuple[list[str], list[str]]:
    """Read a listing to its end, two rows a page. Return the references and those of unreadable ones."""
    listed: list[str] = []
    unreadable: list[str] = []
    cursor = ""
    while True:
        answer = edge.send("GET", f"/v1/registrations?{query}&size=2{cursor}", caller=caller)
        assert answer.status_code == 200, answer.body
        body = answer.json_body
        listed += [each["reference"] for each in body["registrations"]]
        unreadable += body.get("unreadable", [])
        if body["cursor"] is None:
            return listed, unreadable
        cursor = f"&cursor={body['cursor']}"


def test_the_cores_pull_and_the_days_list_pass_an_unreadable_registration_and_name_it(
    edge: Edge, references: list[str], damage: Callable[[str, str], None], log_output: LogOutput
) -> None:
    damage(references[1], "sealed.nik")

    for query, caller in (
        ("status=received", "core"),
        ("campaign_id=tanah-abang-2024&day=2024-10-09", "manager here"),
    ):
        listed, unreadable = pull(edge, query, caller=caller)
        assert sorted(listed) == sorted(set(references) - {references[1]})
        assert unreadable == [references[1]]

    assert any(references[1] in str(line.get("record")) for line in log_output.lines)
    assert not [value for value in PERSONAL if value in log_output.text]


def test_a_pull_without_unreadable_registrations_is_as_before(edge: Edge, references: list[str]) -> None:
    body = edge.send("GET", "/v1/registrations?status=received", caller="core").json_body

    assert set(body) == {"registrations", "cursor", "resume"}


def test_the_board_and_the_count_of_a_day_go_on_and_say_how_many_they_leave_out(
    edge: Edge, references: list[str], damage: Callable[[str, str], None]
) -> None:
    damage(references[1], "facts.figures")

    board = edge.send("GET", "/v1/campaigns/tanah-abang-2024/board", caller="manager here")
    counted = edge.send("POST", f"{SUMMARIES}/2024-10-09", caller="manager here")

    assert board.status_code == 200
    assert counted.json_body["counts"]["created"] == PEOPLE
    assert counted.json_body["funnel"]["received"] == PEOPLE - 1
    assert any(each.items() >= ANOMALY.items() for each in counted.json_body["oddities"])
    page = edge.send(
        "GET", f"{SUMMARIES}/2024-10-09?format=html", caller="manager here", Accept_Language="en"
    )
    assert "Stored records that cannot be read and are not counted: 1" in page.body.decode()


def test_one_unreadable_registration_is_refused_with_a_code_of_its_own(
    edge: Edge,
    references: list[str],
    damage: Callable[[str, str], None],
    list_firing: Callable[[], set[str]],
    log_output: LogOutput,
) -> None:
    damage(references[1], "money")

    shown = edge.send("GET", f"/v1/registrations/{references[1]}", caller="core")
    cancelled = edge.send(
        "POST", f"/v1/registrations/{references[1]}/cancellation", {"reason": "other"}, caller="kiosk"
    )

    assert_problem(shown, 500, "record_unreadable")
    assert_problem(cancelled, 500, "record_unreadable")
    assert edge.send("GET", f"/v1/registrations/{references[0]}", caller="core").status_code == 200
    assert list_firing() == {"RecordsUnreadable"}


def test_an_item_of_a_batch_that_meets_an_unreadable_record_is_sent_again(
    edge: Edge, references: list[str], list_firing: Callable[[], set[str]]
) -> None:
    damage_item(
        *(boto3.client("dynamodb"), "RegistrationsTable", f"CAPTURE#{make_capture_id(1)}"),
        *("answer", SEALED_DAMAGES["flipped byte"]),
    )

    assert send_batch(edge, make_items(2)) == ["try_again", "created"]

    assert list_firing() == {"RecordsUnreadable"}


def test_listings_without_damage_raise_no_alarm(
    edge: Edge, references: list[str], list_firing: Callable[[], set[str]]
) -> None:
    pull(edge, "status=received", caller="core")
    assert list_firing() == set()


def test_an_unreadable_campaign_stops_neither_the_list_of_campaigns_nor_the_count_of_others(
    edge: Edge, list_firing: Callable[[], set[str]]
) -> None:
    other = make_campaign_payload(campaign_id="senen-2024")
    edge.container.campaigns.open(Campaign.model_validate(other))
    register_and_publish(edge, 1)
    damage_item(
        *(boto3.client("dynamodb"), "CampaignsTable", "CAMPAIGN#senen-2024"),
        *("managers", SEALED_DAMAGES["lost key"]),
    )
    edge.restart()

    listed = edge.send("GET", "/v1/campaigns", caller="manager").json_body["campaigns"]
    assert [each["campaign_id"] for each in listed] == ["tanah-abang-2024"]
    assert run_rollup(edge)["counted"] == 1
    assert_problem(edge.send("GET", "/v1/campaigns/senen-2024", caller="manager"), 500, "record_unreadable")
    assert list_firing() == {"RecordsUnreadable"}


def test_an_unreadable_client_does_not_stop_the_list_of_clients(edge: Edge) -> None:
    garble_item(boto3.client("dynamodb"), "ClientsTable", "CLIENT#senen-1", "enrolled_at")

    listed = edge.send("GET", "/v1/clients", caller="admin").json_body["clients"]

    assert len(listed) > 1
    assert "senen-1" not in [each["client_id"] for each in listed]


def test_an_unreadable_dirty_day_or_sms_does_not_stop_the_count_of_a_day(edge: Edge) -> None:
    register_and_publish(edge, 1)
    dynamodb = boto3.client("dynamodb")
    dynamodb.put_item(TableName="SummariesTable", Item={"pk": {"S": "DIRTY"}, "sk": {"S": "2024-10-01#a"}})
    for number in (1, 2):
        dynamodb.put_item(TableName="SmsLedgerTable", Item=to_item(build_item(make_sms(number))))
    garble_item(dynamodb, "SmsLedgerTable", make_sms(1).sms_id, "facts")

    assert run_rollup(edge)["counted"] == 1

    assert get_summary(edge)["texts"]["total"] == 1


def test_an_unreadable_sms_does_not_stop_the_queuing_of_others(
    edge: Edge, list_firing: Callable[[], set[str]]
) -> None:
    dynamodb = boto3.client("dynamodb")
    for number in (1, 2, 3):
        item = to_item(build_item(make_sms(number, due_at=NOW)))
        dynamodb.put_item(TableName="SmsLedgerTable", Item=item)
    garble_item(dynamodb, "SmsLedgerTable", make_sms(2).sms_id, "deadline")

    assert edge.invoke("queue_due_sms", make_schedule_event())["confirmation"] == 2

    assert list_firing() == {"RecordsUnreadable"}


def test_an_unreadable_summary_does_not_stop_the_count_of_the_days_after_it(edge: Edge) -> None:
    first_day = datetime.now(UTC).date() - timedelta(days=4)
    last_day = first_day + timedelta(days=1)
    recent = make_campaign_payload(
        campaign_id="senen-2024",
        first_day=str(first_day),
        last_day=str(last_day),
        accepts_until=str(last_day),
    )
    edge.container.campaigns.open(Campaign.model_validate(recent))
    key = {"pk": {"S": "CAMPAIGN#senen-2024"}, "sk": {"S": f"DAY#{first_day}#000001"}}
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable", Item={**key, "summary": {"S": "not a summary"}}
    )

    due = [each.campaign_day.day for each in edge.container.due_days.iter_due_days()]

    assert due == [first_day, last_day]


def test_an_export_leaves_out_a_capture_that_became_unreadable(export_edge: Edge) -> None:
    for number in (1, 2, 3):
        register_and_publish(export_edge, number)
    run_rollup(export_edge)
    dynamodb = boto3.client("dynamodb")
    garble_item(dynamodb, "RegistrationsTable", f"CAPTURE#{make_capture_id(2)}", "facts.outcome")
    dynamodb.put_item(
        TableName="SummariesTable", Item={"pk": {"S": "OUTBOX#analysts"}, "sk": {"S": "2024-10-01#a"}}
    )

    assert export_days(export_edge) == {"exported": 1, "open": 0}

    assert len(read_first_day_rows()) == 2
