"""The tables that commands print: outcomes, SMS, mails, summaries, clients and the audit trail."""

from collections import Counter
from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ops.submission import SubmissionOutcomes

# Successes come first; the codes of refusals follow by name.
_SUCCESS_OUTCOMES = ("created", "already_registered", "accepted", "replayed")


def make_outcomes_table(outcomes: SubmissionOutcomes) -> Table:
    devices = outcomes.by_device
    table = Table("", *devices, "all", title="Answers of the API")
    for column in table.columns[1:]:
        column.justify = "right"
    total = outcomes.total
    for outcome in [name for name in _SUCCESS_OUTCOMES if name in total] + sorted(
        set(total) - set(_SUCCESS_OUTCOMES)
    ):
        cells = [*(counts[outcome] for counts in devices.values()), total[outcome]]
        table.add_row(outcome, *map(str, cells))
    table.add_section()
    table.add_row("lines sent", *(str(counts.total()) for counts in devices.values()), str(total.total()))
    return table


def make_channels_table(campaigns: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Return a table of what the summaries of some campaigns count by channel."""
    counts = {
        name: sum((Counter(each["by_channel"]) for each in summaries), Counter())
        for name, summaries in campaigns.items()
    }
    table = Table("", *counts, title="Registered by channel")
    for column in table.columns[1:]:
        column.justify = "right"
    for channel in sorted(set().union(*counts.values())):
        table.add_row(channel, *(str(each[channel]) for each in counts.values()))
    return table


def make_sms_table(sms_list: Sequence[Mapping[str, str]], *, total: int) -> Table:
    """Return a table of some SMS, with the number of all in its title."""
    table = Table("to", "text", title=f"{len(sms_list)} of {total} SMS", show_lines=True)
    for sms in sms_list:
        # As plain text: an SMS must not be able to style the table.
        table.add_row(Text(sms["to"]), Text(sms["text"]))
    return table


def list_mails(files: Sequence[Path]) -> list[dict[str, str]]:
    """Return the recipient, the subject and the file of each mail."""
    mails = []
    for file in files:
        headers = BytesParser(policy=default).parsebytes(file.read_bytes(), headersonly=True)
        mails.append({"to": str(headers["To"]), "subject": str(headers["Subject"]), "file": str(file)})
    return mails


def make_mails_table(mails: Sequence[Mapping[str, str]]) -> Table:
    table = Table("to", "subject", "file", title=f"{len(mails)} mails to managers")
    for mail in mails:
        # As plain text: a mail must not be able to style the table.
        table.add_row(Text(mail["to"]), Text(mail["subject"]), Text(mail["file"], overflow="fold"))
    return table


def make_summaries_table(summaries: Sequence[Mapping[str, Any]]) -> Table:
    """Return the counts of one campaign's days side by side."""
    headings = [f"{each['day']}\n{each['state']}, version {each['version']}" for each in summaries]
    table = Table("", *headings, title=summaries[0]["campaign_id"])
    for column in table.columns[1:]:
        column.justify = "right"
    for group in ("counts", "by_channel", "by_client", "by_occupation", "funnel", "money"):
        shows_zeros = group == "counts"
        figures = dict.fromkeys(
            name for each in summaries for name in each[group] if shows_zeros or each[group][name]
        )
        # What every rendering leads with.
        for figure in sorted(figures, key=lambda name: name != "registered"):
            table.add_row(figure, *(str(each[group].get(figure, 0)) for each in summaries))
        table.add_section()
    return table


def make_clients_table(clients: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of clients: roles, campaigns, expiry of the token, last seen, revoked."""
    table = Table("client", "roles", "campaigns", "token ends", "last seen", "revoked", title="Clients")
    for each in clients:
        table.add_row(
            each["client_id"],
            " ".join(each["roles"]),
            " ".join(each["campaigns"]),
            *(str(each[name] or "") for name in ("expires_at", "last_seen_at", "revoked_at")),
        )
    return table


def make_audit_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of records: time, client, action, subject, and what they name beside it."""
    table = Table("when", "client", "action", "subject", "names", title="Audit trail")
    for each in records:
        named = " ".join((*each.get("fields", ()), *each.get("references", ())))
        table.add_row(each["occurred_at"], each["client_id"], each["action"], each["subject"], named)
    return table
