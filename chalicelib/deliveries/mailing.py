"""The mail of a report: a page and plain words that say the same, with the workbook attached."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chalicelib.campaigns.model import Manager
from chalicelib.clock import Clock
from chalicelib.deliveries.service import Sending
from chalicelib.notifications.errors import Never
from chalicelib.rollups.report import Report

if TYPE_CHECKING:
    from email.headerregistry import Address

_WORKBOOK = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")

# A subject is folded where it is longer, and some mail programs show the fold. SMTP takes lines of 998.
_HEADER_LINE = 250

# What could end a header, and begin another one: names are whatever somebody typed.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


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


class Post(Protocol):
    """Who carries mails."""

    def send(self, *, to: str, raw: bytes) -> None:
        """Hand over one mail. Raises TryLater, Never or OutcomeUnknown."""


@dataclass(frozen=True)
class Sender:
    """Who mails are from, and where answers go; empty for back to the sender."""

    address: str
    reply_to: str = ""
    name: str = "Daftar"


class Mailing:
    """Satisfies `service.Way`."""

    def __init__(
        self, *, post: Post, sender: Sender, compose: Callable[[Report], Mail], clock: Clock
    ) -> None:
        self._post = post
        self._sender = sender
        self._compose = compose
        self._clock = clock
        self._composed: tuple[Report, Mail] | None = None

    def address(self, manager: Manager) -> str | None:
        """The manager's e-mail address."""
        return manager.email or None

    def send(self, sending: Sending) -> None:
        """Mail a report. Raises TryLater, Never or OutcomeUnknown."""
        address = sending.manager.email or ""
        self._post.send(to=address, raw=self._message(sending, address))

    def _message(self, sending: Sending, address: str) -> bytes:
        # Imported here because the cold start of the API, which shares the zip, would pay for it too.
        from email.message import EmailMessage  # noqa: PLC0415
        from email.policy import SMTP  # noqa: PLC0415

        mail, summary = self._mail(sending.report), sending.report.summary
        message = EmailMessage(policy=SMTP.clone(max_line_length=_HEADER_LINE))
        message["From"] = _address(self._sender.name, self._sender.address)
        message["To"] = _address(sending.manager.name, address)
        if self._sender.reply_to:
            message["Reply-To"] = _address("", self._sender.reply_to)
        message["Subject"] = _one_line(mail.subject)
        message["Date"] = self._clock()
        message["Message-ID"] = f"<{sending.delivery_id}@{self._sender.address.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        maintype, subtype = _WORKBOOK
        name = f"{summary.campaign_id}-{summary.day.isoformat()}-v{summary.version}.xlsx"
        message.add_attachment(mail.workbook, maintype=maintype, subtype=subtype, filename=name)
        return message.as_bytes()

    def _mail(self, report: Report) -> Mail:
        """A report's mail, composed once for all managers who are told the same."""
        if self._composed is None or self._composed[0] != report:
            self._composed = report, self._compose(report)
        return self._composed[1]


def _address(name: str, address: str) -> "Address":
    from email.headerregistry import Address  # noqa: PLC0415 - as above

    try:
        parsed = Address(_one_line(name), addr_spec=address)
        parsed.addr_spec.encode("ascii")
    except Exception:  # noqa: BLE001 - the parser of addresses fails in many ways
        raise Never("address_unusable") from None
    return parsed


def _one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()
