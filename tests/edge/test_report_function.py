"""The run that sends reports, called as EventBridge calls it: a real container, SES on moto, SMS at
the fake-sms. The example's days are long over by the real clock, so their reports are final ones.
"""

import io
from collections.abc import Iterator
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import openpyxl
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib.campaigns.model import Campaign
from chalicelib.deliveries.schedule import DeliveryPartialFailure
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput
from tests.edge.test_rolling_up import TOMORROW, registers, tick
from tests.support.aws_events import make_schedule_event
from tests.support.payloads import make_campaign_payload

SENDER = "laporan@daftar.example"
ONE = {"name": "Manajer Satu", "email": "satu@example.com", "phone": "+6282455507801"}
TWO = {"name": "Manajer Dua", "email": "dua@example.org", "phone": None}
NOTHING = {"settled": 0, "open": 0}


@pytest.fixture
def delivery_log(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """A stage that mails, and a campaign with two managers, one of them with a phone."""
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    monkeypatch.setenv("DAFTAR_MAIL_FROM", SENDER)
    monkeypatch.setenv("DAFTAR_REPORT_DAYS", "36500")
    edge.restart()
    edge.container.campaigns.change("tanah-abang-2024", {"managers": managers(ONE, TWO)})
    return edge


def managers(*each: dict[str, Any]) -> Any:
    return Campaign.model_validate(make_campaign_payload(managers=list(each))).managers


def deliver(edge: Edge) -> dict[str, int]:
    counts: dict[str, int] = edge.invoke("deliver_reports", make_schedule_event())
    return counts


def mails() -> list[tuple[str, EmailMessage]]:
    """To whom each mail went, and the mail."""
    sent = ses_backends[DEFAULT_ACCOUNT_ID]["eu-north-1"].sent_messages
    # Moto adds the header's addresses to those that the mail was handed over for.
    return [(each.destinations[0], message_from_string(each.raw_data, policy=default)) for each in sent]


def a_campaign_of_today(edge: Edge, **changes: Any) -> str:
    """A campaign whose only day is today, and whose summary hour has come."""
    day = edge.container.clock().astimezone(ZoneInfo("Asia/Jakarta")).date().isoformat()
    campaign = make_campaign_payload(
        campaign_id="hari-ini",
        first_day=day,
        last_day=day,
        accepts_until="2999-12-31",
        summary_hour=0,
        managers=[ONE, TWO],
        **changes,
    )
    edge.container.campaigns.open(Campaign.model_validate(campaign))
    return day


def test_nothing_is_told_where_nothing_was_counted(delivery_log: Edge) -> None:
    assert deliver(delivery_log) == NOTHING


def test_each_manager_gets_one_mail_of_a_counted_day(delivery_log: Edge) -> None:
    registers(delivery_log, 1)
    tick(delivery_log)

    assert deliver(delivery_log) == {"settled": 1, "open": 0}

    assert [to for to, _ in mails()] == ["satu@example.com", "dua@example.org"]
    _, mail = mails()[0]
    assert "final" in mail["Subject"].lower()
    (_, attached) = mail.iter_parts()
    assert openpyxl.load_workbook(io.BytesIO(attached.get_content())).sheetnames


def test_rounds_that_repeat_send_nothing_more(delivery_log: Edge) -> None:
    registers(delivery_log, 1)
    tick(delivery_log)
    deliver(delivery_log)

    assert [deliver(delivery_log), deliver(delivery_log)] == [NOTHING, NOTHING]

    assert len(mails()) == 2


def test_at_the_summary_hour_managers_with_a_phone_get_a_text_too(
    delivery_log: Edge, gateway: FakeSmsServer
) -> None:
    delivery_log.restart()
    a_campaign_of_today(delivery_log, name="Pasar Hari Ini")
    tick(delivery_log)

    deliver(delivery_log)
    deliver(delivery_log)

    (text,) = gateway.inbox.list_sms()
    assert (text.to, len(mails())) == ("+6282455507801", 2)
    assert "Pasar Hari Ini" in text.text


def test_where_ses_does_not_take_mails_they_go_out_with_a_later_round(delivery_log: Edge) -> None:
    registers(delivery_log, 1)
    tick(delivery_log)
    boto3.client("sesv2").delete_email_identity(EmailIdentity=SENDER)
    assert deliver(delivery_log) == {"settled": 0, "open": 1}
    assert mails() == []
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)

    assert deliver(delivery_log) == {"settled": 1, "open": 0}

    assert len(mails()) == 2


def test_without_a_sender_nobody_is_mailed_and_the_log_says_so(
    delivery_log: Edge,
    monkeypatch: pytest.MonkeyPatch,
    log_output: LogOutput,
) -> None:
    monkeypatch.delenv("DAFTAR_MAIL_FROM")
    delivery_log.restart()
    registers(delivery_log, 1)
    tick(delivery_log)

    assert deliver(delivery_log) == {"settled": 1, "open": 0}

    assert mails() == []
    (warning,) = [line for line in log_output.lines if line["level"] == "WARNING"]
    assert warning["campaign_id"] == "tanah-abang-2024"
    assert [each["ReportsNotMailed"] for each in log_output.metrics if "ReportsNotMailed" in each] == [[1.0]]


def test_a_report_that_cannot_be_told_holds_up_no_other_and_fails_the_round(
    delivery_log: Edge, log_output: LogOutput
) -> None:
    registers(delivery_log, 1)
    registers(delivery_log, 2, captured_at=TOMORROW)
    tick(delivery_log)
    dynamodb = boto3.client("dynamodb")
    key = {"pk": {"S": "CAMPAIGN#tanah-abang-2024"}, "sk": {"S": "DAY#2024-10-09#000001"}}
    dynamodb.put_item(TableName="SummariesTable", Item={**key, "summary": {"S": "not a summary"}})

    with pytest.raises(DeliveryPartialFailure):
        deliver(delivery_log)

    assert len(mails()) == 2
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert (failure["day"], failure["campaign_id"]) == ("2024-10-09", "tanah-abang-2024")


def test_a_campaign_that_cannot_be_read_holds_up_no_other(delivery_log: Edge, log_output: LogOutput) -> None:
    registers(delivery_log, 1)
    tick(delivery_log)
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
        deliver(delivery_log)

    assert len(mails()) == 2


def test_a_mail_of_few_holds_no_small_group(delivery_log: Edge) -> None:
    for number in (1, 2, 3):
        registers(delivery_log, number)
    tick(delivery_log)

    deliver(delivery_log)

    said, attached = mails()[0][1].iter_parts()
    workbook = openpyxl.load_workbook(io.BytesIO(attached.get_content()))
    cells = [cell for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row]
    assert 3 in cells, "the total is no group"
    words = next(iter(said.iter_parts())).get_content()
    for name in ("female", "Perempuan", "35-44", "ofc-12"):
        assert not [cell for cell in cells if cell == name], name
        assert f"{name} 3" not in words


def test_what_was_told_is_measured_and_names_no_manager(delivery_log: Edge, log_output: LogOutput) -> None:
    registers(delivery_log, 1)
    tick(delivery_log)

    deliver(delivery_log)

    told_of = [each for each in log_output.metrics if "Reports" in each]
    assert [(each["medium"], each["state"]) for each in told_of] == [("mail", "accepted")] * 2
    assert not [each for each in ("satu@", "dua@", "82455507", "Manajer") if each in log_output.text]


def test_nothing_that_is_kept_names_a_manager(delivery_log: Edge) -> None:
    registers(delivery_log, 1)
    tick(delivery_log)
    deliver(delivery_log)

    for table in ("SendingTable", "SummariesTable"):
        kept = str(boto3.client("dynamodb").scan(TableName=table)["Items"])
        assert not [each for each in ("satu@", "dua@", "82455507", "Manajer") if each in kept], table
