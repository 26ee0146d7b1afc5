"""The mail of a report, parsed as by a mail program."""

import io
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import openpyxl
import pytest

from chalicelib.campaigns.model import Manager
from chalicelib.deliveries.mail import MailReportChannel, MailSender
from chalicelib.deliveries.model import DeliveryId
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.messaging.errors import PermanentFailure
from chalicelib.rollups.renderings import mail
from chalicelib.rollups.report import Report
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock
from tests.support.report_builders import make_report

MANAGER = Manager(name="Manajer Satu", email="satu@example.com")
SENDER = MailSender("laporan@daftar.example", "balas@daftar.example")


class RecordingTransport:
    """Satisfies `mail.MailTransport`. Records mails."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.to: list[str] = []

    def send(self, *, recipient: str, raw_message: bytes, delivery_id: str) -> None:
        """Record a mail."""
        self.to.append(recipient)
        self.raw.append(raw_message)

    @property
    def last(self) -> EmailMessage:
        message = message_from_bytes(self.raw[-1], policy=default)
        assert isinstance(message, EmailMessage)
        return message


def send_report(
    report: Report | None = None, manager: Manager = MANAGER, sender: MailSender = SENDER
) -> tuple[RecordingTransport, EmailMessage]:
    transport = RecordingTransport()
    channel = MailReportChannel(
        transport=transport,
        sender=sender,
        compose=lambda each: mail.compose(each, "id"),
        clock=FixedClock(NOW),
    )
    channel.send(OutgoingReport(DeliveryId("d" * 32), manager, report or make_report()))
    return transport, transport.last


def test_mail_has_html_plain_text_and_the_workbook() -> None:
    _, message = send_report()

    assert message.get_content_type() == "multipart/mixed"
    body, attached = message.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/html"]
    text, page = (part.get_content() for part in body.iter_parts())
    assert "157" in text
    assert "157" in page
    assert attached.get_filename() == "tanah-abang-2024-2024-10-10-v2.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(attached.get_content())).sheetnames


def test_headers_have_sender_recipient_and_auto_submitted() -> None:
    transport, message = send_report()

    assert message["From"] == "Daftar <laporan@daftar.example>"
    assert message["Reply-To"] == "balas@daftar.example"
    assert message["To"] == "Manajer Satu <satu@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW.replace(microsecond=0)
    assert transport.to == ["satu@example.com"]


def test_reply_to_is_left_out_without_an_address() -> None:
    _, message = send_report(sender=MailSender("laporan@daftar.example"))

    assert "Reply-To" not in message


def test_repeated_delivery_has_the_same_message_id() -> None:
    assert send_report()[1]["Message-ID"] == send_report()[1]["Message-ID"] == f"<{'d' * 32}@daftar.example>"


@pytest.mark.parametrize("name", ["Café Tanah Abang", "Pasar Ångström", "市場"])
def test_headers_with_any_name_are_ascii(name: str) -> None:
    transport, message = send_report(
        make_report(campaign={"name": name}), Manager(name=name, email="satu@example.com")
    )

    assert name in message["Subject"]
    assert message["To"].addresses[0].display_name == name
    head = transport.raw[-1].partition(b"\r\n\r\n")[0]
    assert head.isascii()


@pytest.mark.parametrize(
    "line_break", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
)
@pytest.mark.parametrize("target", ["campaign", "manager"])
def test_names_cannot_inject_headers(line_break: str, target: str) -> None:
    injection = f"Pasar{line_break}Bcc: lain@example.net{line_break}{line_break}<b>halo</b>"
    names: dict[str, Any] = {"campaign": "Pasar", "manager": "Manajer Satu", target: injection}

    transport, message = send_report(
        make_report(campaign={"name": names["campaign"]}),
        Manager(name=names["manager"], email="satu@example.com"),
    )

    assert set(message.keys()) == {
        *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type"),
    }
    assert [each.addr_spec for each in message["To"].addresses] == ["satu@example.com"]
    assert len(list(message.iter_parts())) == 2
    assert transport.to == ["satu@example.com"]


@pytest.mark.parametrize(
    "address",
    ["satu@example.com,dua@example.org", "a@b@c", "sätu@example.com", "satu@", "<satu@example.com>"],
)
def test_invalid_address_is_a_permanent_failure(address: str) -> None:
    with pytest.raises(PermanentFailure) as raised:
        send_report(manager=Manager.model_construct(name="Manajer Satu", email=address, phone=None))

    assert raised.value.reason == "address_unusable"
    assert address not in str(raised.value)


def test_mail_suppresses_small_groups() -> None:
    report = make_report(summary={"by_sex": {"female": 3, "male": 154}, "by_occupation": {"porter": 157}})

    _, message = send_report(report)

    body, attached = message.iter_parts()
    text, page = (part.get_content() for part in body.iter_parts())
    cells = [
        cell
        for sheet in openpyxl.load_workbook(io.BytesIO(attached.get_content()))
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    ]
    # The number of men would reveal the three women by subtraction.
    assert 154 not in cells
    assert "154" not in text
    assert ">154<" not in page


def test_report_is_composed_once_for_all_managers() -> None:
    composed = []

    def compose(report: Report) -> mail.Mail:
        composed.append(report)
        return mail.compose(report, "id")

    channel = MailReportChannel(
        transport=RecordingTransport(), sender=SENDER, compose=compose, clock=FixedClock(NOW)
    )
    first, second = make_report(), make_report(is_first=True)
    for report in (first, make_report(), second):
        channel.send(OutgoingReport(DeliveryId("d" * 32), MANAGER, report))

    assert composed == [first, second]


def test_mail_is_small() -> None:
    transport, _ = send_report()

    assert len(transport.raw[-1]) < 100_000


def test_mails_of_one_report_differ_in_their_date_alone() -> None:
    transport = RecordingTransport()
    clock = FixedClock(NOW)
    channel = MailReportChannel(
        transport=transport, sender=SENDER, compose=lambda each: mail.compose(each, "id"), clock=clock
    )
    report = make_report()
    channel.send(OutgoingReport(DeliveryId("d" * 32), MANAGER, report))
    clock.advance(timedelta(minutes=2))
    channel.send(OutgoingReport(DeliveryId("d" * 32), MANAGER, report))

    first, second = (message_from_bytes(raw, policy=default) for raw in transport.raw)
    assert {name for name in first if first[name] != second[name]} <= {"Date", "Content-Type"}
