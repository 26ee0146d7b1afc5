"""What the command line shows as tables: outcomes, texts, summaries and clients."""

from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ops.submission import SubmissionOutcomes

# These are no refusals and come first; the refusals follow by name.
_SUCCESS_OUTCOMES = ("created", "already_registered", "accepted", "replayed")


def make_outcomes_table(outcomes: SubmissionOutcomes) -> Table:
    """How often each outcome was answered to each device, and to all of them."""
    devices = outcomes.by_device
    table = Table("", *devices, "all", title="What the API answered")
    for column in table.columns[1:]:
        column.justify = "right"
    total = outcomes.total
    for outcome in [name for name in _SUCCESS_OUTCOMES if name in total] + sorted(
        set(total) - set(_SUCCESS_OUTCOMES)
    ):
        counts = [*(counted[outcome] for counted in devices.values()), total[outcome]]
        table.add_row(outcome, *map(str, counts))
    table.add_section()
    table.add_row("lines sent", *(str(counted.total()) for counted in devices.values()), str(total.total()))
    return table


def make_sms_table(sms_list: Sequence[Mapping[str, str]], *, total: int) -> Table:
    """Some of the texts that workers got."""
    table = Table("to", "text", title=f"{len(sms_list)} of {total} texts", show_lines=True)
    for text in sms_list:
        # As they are: a text must not be able to style the table.
        table.add_row(Text(text["to"]), Text(text["text"]))
    return table


def make_mails_table(mails: Sequence[Path]) -> Table:
    """The mails that managers got, and where each can be opened."""
    table = Table("to", "subject", "file", title=f"{len(mails)} mails to managers")
    for mail in mails:
        headers = BytesParser(policy=default).parsebytes(mail.read_bytes(), headersonly=True)
        # As they are: a mail must not be able to style the table.
        table.add_row(Text(headers["To"]), Text(headers["Subject"]), Text(str(mail), overflow="fold"))
    return table


def make_summaries_table(summaries: Sequence[Mapping[str, Any]]) -> Table:
    """Days of one campaign side by side: their counts, and what their registrations break down into."""
    headings = [f"{each['day']}\n{each['state']}, version {each['version']}" for each in summaries]
    table = Table("", *headings, title=summaries[0]["campaign_id"])
    for column in table.columns[1:]:
        column.justify = "right"
    for group in ("counts", "by_channel", "by_client", "by_occupation", "funnel", "money"):
        always = group == "counts"
        figures = dict.fromkeys(
            name for each in summaries for name in each[group] if always or each[group][name]
        )
        for figure in figures:
            table.add_row(figure, *(str(each[group].get(figure, 0)) for each in summaries))
        table.add_section()
    return table


def make_clients_table(clients: Sequence[Mapping[str, Any]]) -> Table:
    """Who may call, for which campaigns, until when, and when they last did."""
    table = Table("client", "roles", "campaigns", "token ends", "last seen", "revoked", title="Clients")
    for each in clients:
        table.add_row(
            each["client_id"],
            " ".join(each["roles"]),
            " ".join(each["campaigns"]),
            *(str(each[name] or "") for name in ("expires_at", "last_seen_at", "revoked_at")),
        )
    return table
