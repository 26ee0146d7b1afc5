"""The function that sends reports to managers, called as EventBridge calls it, with SES on moto.

By the real clock the campaign's days are long over, so their reports are final ones.
"""

import io
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import openpyxl
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib.campaigns.model import Campaign
from chalicelib.deliveries.schedule import DeliveryPartialFailure
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import FAR_FUTURE, Edge, LogOutput
from tests.edge.test_rollup_function import SECOND_DAY_CAPTURED_AT, register_and_publish, run_rollup
from tests.support.aws_events import make_schedule_event, make_sqs_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_campaign_payload

SENDER = "laporan@daftar.example"
MANAGERS = [
    {"name": "Manajer Satu", "email": "satu@example.com", "phone": "+6282455507801"},
    {"name": "Manajer Dua", "email": "dua@example.org", "phone": None},
]
# Parts of the managers' names, addresses and phone numbers.
PERSONAL_VALUES = ("satu@", "dua@", "82455507", "Manajer")
NO_REPORTS = {"settled": 0, "open": 0}


@pytest.fixture
def mail_edge(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """A stage with a mail sender, and a campaign with two managers, one of them with a phone."""
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    monkeypatch.setenv("DAFTAR_MAIL_FROM", SENDER)
    monkeypatch.setenv("DAFTAR_REPORT_DAYS", "36500")
    edge.restart()
    managers = Campaign.model_validate(make_campaign_payload(managers=MANAGERS)).managers
    edge.container.campaigns.change("tanah-abang-2024", {"managers": managers})
    return edge


def deliver_reports(edge: Edge) -> dict[str, int]:
    """Invoke the function. Return its result."""
    result: dict[str, int] = edge.invoke("deliver_reports", make_schedule_event())
    return result


def list_mails() -> list[tuple[str, EmailMessage]]:
    """Return the recipient and the content of each mail."""
    sent = ses_backends[DEFAULT_ACCOUNT_ID]["eu-north-1"].sent_messages
    # Moto adds the addresses of the header to the recipients of the request.
    return [(each.destinations[0], message_from_string(each.raw_data, policy=default)) for each in sent]


def open_campaign_of_today(edge: Edge, **changes: Any) -> None:
    """Open a campaign whose only day is today and whose summary hour has come."""
    today = edge.container.clock().astimezone(ZoneInfo("Asia/Jakarta")).date().isoformat()
    campaign = make_campaign_payload(
        campaign_id="hari-ini",
        first_day=today,
        last_day=today,
        accepts_until=FAR_FUTURE,
        summary_hour=0,
        managers=MANAGERS,
        **changes,
    )
    edge.container.campaigns.open(Campaign.model_validate(campaign))


def test_each_manager_gets_one_mail_with_the_workbook_of_a_counted_day(mail_edge: Edge) -> None:
    assert deliver_reports(mail_edge) == NO_REPORTS
    register_and_publish(mail_edge, 1)
    run_rollup(mail_edge)

    assert deliver_reports(mail_edge) == {"settled": 1, "open": 0}
    assert deliver_reports(mail_edge) == NO_REPORTS

    assert [recipient for recipient, _ in list_mails()] == ["satu@example.com", "dua@example.org"]
    _, mail = list_mails()[0]
    assert "final" in mail["Subject"].lower()
    (_, workbook) = mail.iter_parts()
    assert isinstance(workbook, EmailMessage)
    assert openpyxl.load_workbook(io.BytesIO(workbook.get_content())).sheetnames


def test_managers_with_a_phone_also_get_an_sms_at_the_summary_hour(
    mail_edge: Edge, gateway: FakeSmsServer
) -> None:
    mail_edge.restart()
    open_campaign_of_today(mail_edge, name="Pasar Hari Ini")
    run_rollup(mail_edge)

    deliver_reports(mail_edge)
    deliver_reports(mail_edge)

    (sms,) = gateway.inbox.list_sms()
    assert (sms.to, len(list_mails())) == ("+6282455507801", 2)
    assert "Pasar Hari Ini" in sms.text


def test_mails_that_ses_rejects_are_sent_by_a_later_run(mail_edge: Edge) -> None:
    register_and_publish(mail_edge, 1)
    run_rollup(mail_edge)
    boto3.client("sesv2").delete_email_identity(EmailIdentity=SENDER)
    assert deliver_reports(mail_edge) == {"settled": 0, "open": 1}
    assert list_mails() == []
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)

    assert deliver_reports(mail_edge) == {"settled": 1, "open": 0}

    assert len(list_mails()) == 2


def test_a_mail_that_bounces_is_a_report_that_was_not_delivered(
    mail_edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(mail_edge, 1)
    run_rollup(mail_edge)
    deliver_reports(mail_edge)
    keys = [item["pk"]["S"] for item in list_stored_items("SendingTable")]
    first, second = (key.removeprefix("DELIVERY#") for key in keys if key.startswith("DELIVERY#"))
    mail = {"destination": ["satu@example.com"], "tags": {"delivery": [first]}}
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "satu@example.com"}]}

    done = mail_edge.invoke(
        "on_receipts", make_sqs_event({"eventType": "Bounce", "mail": mail, "bounce": bounce})
    )

    assert done == {"batchItemFailures": []}
    states = {
        item["pk"]["S"].removeprefix("DELIVERY#"): (item["state"]["S"], item.get("reason", {}).get("S"))
        for item in list_stored_items("SendingTable")
        if item["pk"]["S"].startswith("DELIVERY#")
    }
    assert states == {first: ("failed", "bounced:permanent"), second: ("accepted", None)}
    assert [each["ReportsNotDelivered"] for each in log_output.metrics if "ReportsNotDelivered" in each] == [
        [1.0]
    ]
    assert not [value for value in PERSONAL_VALUES if value in log_output.text]


def test_a_stage_without_a_sender_logs_and_counts_the_reports_that_are_not_mailed(
    mail_edge: Edge,
    monkeypatch: pytest.MonkeyPatch,
    log_output: LogOutput,
) -> None:
    monkeypatch.delenv("DAFTAR_MAIL_FROM")
    mail_edge.restart()
    register_and_publish(mail_edge, 1)
    run_rollup(mail_edge)

    assert deliver_reports(mail_edge) == {"settled": 1, "open": 0}

    assert list_mails() == []
    (warning,) = [line for line in log_output.lines if line["level"] == "WARNING"]
    assert warning["campaign_id"] == "tanah-abang-2024"
    assert [each["ReportsNotMailed"] for each in log_output.metrics if "ReportsNotMailed" in each] == [[1.0]]


def test_a_report_that_cannot_be_delivered_fails_the_run_after_the_other_reports(
    mail_edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(mail_edge, 1)
    register_and_publish(mail_edge, 2, captured_at=SECOND_DAY_CAPTURED_AT)
    run_rollup(mail_edge)
    key = {"pk": {"S": "CAMPAIGN#tanah-abang-2024"}, "sk": {"S": "DAY#2024-10-09#000001"}}
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable", Item={**key, "summary": {"S": "not a summary"}}
    )

    with pytest.raises(DeliveryPartialFailure):
        deliver_reports(mail_edge)

    assert len(list_mails()) == 2
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert (failure["day"], failure["campaign_id"]) == ("2024-10-09", "tanah-abang-2024")


def test_an_unknown_campaign_fails_the_run_after_the_other_reports(
    mail_edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(mail_edge, 1)
    run_rollup(mail_edge)
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable",
        Item={
            "pk": {"S": "OUTBOX#managers"},
            "sk": {"S": "2024-10-01#senen-2024"},
            "campaign_id": {"S": "senen-2024"},
            "day": {"S": "2024-10-01"},
            "version": {"N": "1"},
            "enqueued_at": {"S": "2024-10-02T00:00:00.000Z"},
        },
    )

    with pytest.raises(DeliveryPartialFailure):
        deliver_reports(mail_edge)

    assert len(list_mails()) == 2


def test_sent_reports_are_counted_and_no_log_or_table_names_a_manager(
    mail_edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(mail_edge, 1)
    run_rollup(mail_edge)

    deliver_reports(mail_edge)

    reports = [each for each in log_output.metrics if "Reports" in each]
    assert [(each["medium"], each["state"]) for each in reports] == [("mail", "accepted")] * 2
    outputs = {"log": log_output.text} | {
        table: str(boto3.client("dynamodb").scan(TableName=table)["Items"])
        for table in ("SendingTable", "SummariesTable")
    }
    for name, output in outputs.items():
        assert not [value for value in PERSONAL_VALUES if value in output], name
