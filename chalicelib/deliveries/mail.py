"""The mail of a report: a page and plain words that say the same, with the workbook attached."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chalicelib.campaigns.model import Manager
from chalicelib.clock import Clock
from chalicelib.deliveries.service import OutgoingReport
from chalicelib.messaging.errors import PermanentFailure
from chalicelib.rollups.report import Report

if TYPE_CHECKING:
    from email.headerregistry import Address

_WORKBOOK_MIME_TYPE = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")

# A subject is folded where it is longer, and some mail programs show the fold. SMTP takes lines of 998.
_MAX_HEADER_LINE = 250

# What could end a header, and begin another one: names are whatever somebody typed.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Mail(Protocol):
    """A report in words: what a rendering makes of it."""

    @property
    def subject(self) -> str:
        """One line."""

    @property
    def html(self) -> str:
        """A page that needs nothing from elsewhere."""

    @property
    def text(self) -> str:
        """The same in plain words."""

    @property
    def workbook(self) -> bytes:
        """The same as a workbook."""


class MailTransport(Protocol):
    """Who carries mails."""

    def send(self, *, recipient: str, raw_message: bytes) -> None:
        """Hand over one mail. Raises TransientFailure, PermanentFailure or OutcomeUnknown."""


@dataclass(frozen=True)
class MailSender:
    """Who mails are from, and where answers go; empty for back to the sender."""

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
        """The manager's e-mail address."""
        return manager.email or None

    def send(self, outgoing: OutgoingReport) -> None:
        """Mail a report. Raises TransientFailure, PermanentFailure or OutcomeUnknown."""
        address = outgoing.manager.email or ""
        self._transport.send(recipient=address, raw_message=self._build_message(outgoing, address))

    def _build_message(self, outgoing: OutgoingReport, address: str) -> bytes:
        # Imported here because the cold start of the API, which shares the zip, would pay for it too.
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
        """A report's mail, composed once for all managers who are told the same."""
        if self._cached_mail is None or self._cached_mail[0] != report:
            self._cached_mail = report, self._compose(report)
        return self._cached_mail[1]


def _parse_address(name: str, address: str) -> "Address":
    from email.headerregistry import Address  # noqa: PLC0415 - as above

    try:
        parsed = Address(_to_one_line(name), addr_spec=address)
        parsed.addr_spec.encode("ascii")
    except Exception:  # noqa: BLE001 - the parser of addresses fails in many ways
        raise PermanentFailure("address_unusable") from None
    return parsed


def _to_one_line(text: str) -> str:
    return _CONTROL_CHARACTERS.sub(" ", text).strip()
