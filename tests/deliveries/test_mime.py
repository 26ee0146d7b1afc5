"""The mail as it travels: what any mail program makes of its bytes."""

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
from tests.support.fakes import FixedClock
from tests.support.report_builders import make_report

MANAGER = Manager(name="Manajer Satu", email="satu@example.com")
SENDER = MailSender("laporan@daftar.example", "balas@daftar.example")


class Letterbox:
    """Satisfies `mailing.MailTransport`; reads each mail as its recipient would."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.to: list[str] = []

    def send(self, *, recipient: str, raw_message: bytes) -> None:
        """Keep it."""
        self.to.append(recipient)
        self.raw.append(raw_message)

    @property
    def last(self) -> EmailMessage:
        message = message_from_bytes(self.raw[-1], policy=default)
        assert isinstance(message, EmailMessage)
        return message


def sent(
    report: Report | None = None, manager: Manager = MANAGER, sender: MailSender = SENDER
) -> tuple[Letterbox, EmailMessage]:
    box = Letterbox()
    mailing = MailReportChannel(
        transport=box, sender=sender, compose=lambda each: mail.compose(each, "id"), clock=FixedClock(NOW)
    )
    mailing.send(OutgoingReport(DeliveryId("d" * 32), manager, report or make_report()))
    return box, box.last


def test_a_mail_has_a_page_the_same_in_words_and_the_workbook() -> None:
    _, message = sent()

    assert message.get_content_type() == "multipart/mixed"
    said, attached = message.iter_parts()
    assert said.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in said.iter_parts()] == ["text/plain", "text/html"]
    words, page = (part.get_content() for part in said.iter_parts())
    assert "157" in words
    assert "157" in page
    assert attached.get_filename() == "tanah-abang-2024-2024-10-10-v2.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(attached.get_content())).sheetnames


def test_it_says_from_whom_to_whom_and_that_a_machine_wrote_it() -> None:
    box, message = sent()

    assert message["From"] == "Daftar <laporan@daftar.example>"
    assert message["Reply-To"] == "balas@daftar.example"
    assert message["To"] == "Manajer Satu <satu@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW.replace(microsecond=0)
    assert box.to == ["satu@example.com"]


def test_without_an_address_for_answers_there_is_none() -> None:
    _, message = sent(sender=MailSender("laporan@daftar.example"))

    assert "Reply-To" not in message


def test_a_delivery_that_is_repeated_has_the_same_id() -> None:
    assert sent()[1]["Message-ID"] == sent()[1]["Message-ID"] == f"<{'d' * 32}@daftar.example>"


@pytest.mark.parametrize("name", ["Café Tanah Abang", "Pasar Ångström", "市場"])
def test_a_name_in_any_letters_travels_in_ascii_and_arrives_whole(name: str) -> None:
    box, message = sent(make_report(campaign={"name": name}), Manager(name=name, email="satu@example.com"))

    assert name in message["Subject"]
    assert message["To"].addresses[0].display_name == name
    head = box.raw[-1].partition(b"\r\n\r\n")[0]
    assert head.isascii()


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("where", ["campaign", "manager"])
def test_no_name_becomes_a_header(break_: str, where: str) -> None:
    evil = f"Pasar{break_}Bcc: lain@example.net{break_}{break_}<b>halo</b>"
    names: dict[str, Any] = {"campaign": "Pasar", "manager": "Manajer Satu", where: evil}

    box, message = sent(
        make_report(campaign={"name": names["campaign"]}),
        Manager(name=names["manager"], email="satu@example.com"),
    )

    assert set(message.keys()) == {
        *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type"),
    }
    assert [each.addr_spec for each in message["To"].addresses] == ["satu@example.com"]
    assert len(list(message.iter_parts())) == 2
    assert box.to == ["satu@example.com"]


@pytest.mark.parametrize(
    "address",
    ["satu@example.com,dua@example.org", "a@b@c", "sätu@example.com", "satu@", "<satu@example.com>"],
)
def test_what_is_no_address_is_mailed_to_nobody(address: str) -> None:
    with pytest.raises(PermanentFailure) as refused:
        sent(manager=Manager.model_construct(name="Manajer Satu", email=address, phone=None))

    assert refused.value.reason == "address_unusable"
    assert address not in str(refused.value)


def test_a_mail_holds_no_small_group() -> None:
    report = make_report(summary={"by_sex": {"female": 3, "male": 154}, "by_occupation": {"porter": 157}})

    _, message = sent(report)

    said, attached = message.iter_parts()
    words, page = (part.get_content() for part in said.iter_parts())
    cells = [
        cell
        for sheet in openpyxl.load_workbook(io.BytesIO(attached.get_content()))
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    ]
    # Neither the three women nor, by subtraction, how many men there were.
    assert 154 not in cells
    assert "154" not in words
    assert ">154<" not in page


def test_one_report_is_composed_once_for_all_its_managers() -> None:
    composed = []

    def compose(report: Report) -> mail.Mail:
        composed.append(report)
        return mail.compose(report, "id")

    mailing = MailReportChannel(transport=Letterbox(), sender=SENDER, compose=compose, clock=FixedClock(NOW))
    first, second = make_report(), make_report(is_first=True)
    for report in (first, make_report(), second):
        mailing.send(OutgoingReport(DeliveryId("d" * 32), MANAGER, report))

    assert composed == [first, second]


def test_a_mail_is_small_enough_for_any_mailbox() -> None:
    box, _ = sent()

    assert len(box.raw[-1]) < 100_000


def test_mails_of_two_minutes_differ_in_their_date_alone() -> None:
    box = Letterbox()
    clock = FixedClock(NOW)
    mailing = MailReportChannel(
        transport=box, sender=SENDER, compose=lambda each: mail.compose(each, "id"), clock=clock
    )
    report = make_report()
    mailing.send(OutgoingReport(DeliveryId("d" * 32), MANAGER, report))
    clock.advance(timedelta(minutes=2))
    mailing.send(OutgoingReport(DeliveryId("d" * 32), MANAGER, report))

    first, second = (message_from_bytes(raw, policy=default) for raw in box.raw)
    assert {name for name in first if first[name] != second[name]} <= {"Date", "Content-Type"}
