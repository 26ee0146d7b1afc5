"""The channel for reports by mail: HTML and plain text with the same content, and the workbook attached."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chalicelib.campaigns.model import Manager
from chalicelib.clock import Clock
from chalicelib.deliveries.model import DeliveryId
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.messaging.errors import PermanentFailure
from chalicelib.rollups.report import Report

if TYPE_CHECKING:
    from email.headerregistry import Address

_WORKBOOK_MIME_TYPE = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")

# Longer headers are folded, and some mail programs show the fold. RFC 5322 allows lines of 998 characters.
_MAX_HEADER_LINE = 250

# Characters in a typed name that could end a header and begin another one.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Mail(Protocol):
    """The rendered content of a mail."""

    @property
    def subject(self) -> str:
        """Return the subject, one line."""

    @property
    def html(self) -> str:
        """Return a page that loads nothing else."""

    @property
    def text(self) -> str:
        """Return the same content as plain text."""

    @property
    def workbook(self) -> bytes:
        """Return the same content as an XLSX file."""


class MailTransport(Protocol):
    def send(self, *, recipient: str, raw_message: bytes, delivery_id: DeliveryId) -> None:
        """Send one mail, whose events are to name the delivery.

        Raise TransientFailure, PermanentFailure or OutcomeUnknown.
        """


@dataclass(frozen=True)
class MailSender:
    """The sender of mails. Replies go to `reply_to`, or to the sender if it is empty."""

    address: str
    reply_to: str = ""
    name: str = "Daftar"


class MailReportChannel:
    """Satisfies `service.ReportChannel`."""

    def __init__(
        self, *, transport: MailTransport, sender: MailSender, compose: Callable[[Report], Mail], clock: Clock
    ) -> None:
        self._transport = transport
        self._sender = sender
        self._compose = compose
        self._clock = clock
        self._cached_mail: tuple[Report, Mail] | None = None

    def find_address(self, manager: Manager) -> str | None:
        return manager.email or None

    def send(self, outgoing: OutgoingReport) -> None:
        address = outgoing.manager.email or ""
        self._transport.send(
            recipient=address,
            raw_message=self._build_message(outgoing, address),
            delivery_id=outgoing.delivery_id,
        )

    def _build_message(self, outgoing: OutgoingReport, address: str) -> bytes:
        # Imported here to keep it out of the cold start of the API, which shares the zip.
        from email.message import EmailMessage  # noqa: PLC0415
        from email.policy import SMTP  # noqa: PLC0415

        mail, summary = self._get_mail(outgoing.report), outgoing.report.summary
        message = EmailMessage(policy=SMTP.clone(max_line_length=_MAX_HEADER_LINE))
        message["From"] = _parse_address(self._sender.name, self._sender.address)
        message["To"] = _parse_address(outgoing.manager.name, address)
        if self._sender.reply_to:
            message["Reply-To"] = _parse_address("", self._sender.reply_to)
        message["Subject"] = _to_one_line(mail.subject)
        message["Date"] = self._clock()
        message["Message-ID"] = f"<{outgoing.delivery_id}@{self._sender.address.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        maintype, subtype = _WORKBOOK_MIME_TYPE
        name = f"{summary.campaign_id}-{summary.day.isoformat()}-v{summary.version}.xlsx"
        message.add_attachment(mail.workbook, maintype=maintype, subtype=subtype, filename=name)
        return message.as_bytes()

    def _get_mail(self, report: Report) -> Mail:
        """Return the mail of a report, composed once for consecutive managers with the same report."""
        if self._cached_mail is None or self._cached_mail[0] != report:
            self._cached_mail = report, self._compose(report)
        return self._cached_mail[1]


def _parse_address(name: str, address: str) -> "Address":
    from email.headerregistry import Address  # noqa: PLC0415 - as above

    try:
        parsed = Address(_to_one_line(name), addr_spec=address)
        parsed.addr_spec.encode("ascii")
    except Exception:  # noqa: BLE001 - the address parser raises many types
        raise PermanentFailure("address_unusable") from None
    return parsed


def _to_one_line(text: str) -> str:
    return _CONTROL_CHARACTERS.sub(" ", text).strip()
