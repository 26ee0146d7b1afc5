"""Sentences and labels about a report, the same in every rendering that has them."""

from collections.abc import Iterable, Iterator

from chalicelib.rollups.model import Anomaly, Change, Note, SmsCounts
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import MERGED_KEY, Cell, Group, ReportData, Revision
from chalicelib.rupiah import format_rupiah

_COUNTS_PREFIX = "counts."


def describe_changes(data: ReportData, localizer: Localizer) -> Iterator[str]:
    """Yield what differs from the version before: first the reasons, then the headline figures."""
    yield from _describe_reasons(data.notes, data.new_corrections, localizer)
    for change in data.changes:
        if change.figure.startswith(_COUNTS_PREFIX):
            yield _describe_change(change, data, localizer)


def describe_revisions(data: ReportData, localizer: Localizer) -> Iterator[str]:
    """Yield what changed about earlier days, with the reasons."""
    for revision in data.revisions:
        sentence = _describe_revision(revision, localizer)
        reasons = "; ".join(_describe_reasons(revision.notes, revision.corrections, localizer))
        yield f"{sentence}: {reasons}" if reasons else sentence


def describe_anomalies(data: ReportData, localizer: Localizer) -> Iterator[str]:
    """Yield a sentence for each anomaly of the day, in their order."""
    for anomaly in data.anomalies:
        sentence = _describe_anomaly(anomaly, data, localizer)
        client = anomaly.client_id
        yield f"{sentence}, {localizer.translate('through', client=client)}" if client else sentence


def describe_version(data: ReportData, localizer: Localizer) -> str:
    """Return the version, and which revision of a final day it is."""
    if data.revision:
        return localizer.translate("revised", version=data.version, revision=data.revision)
    return localizer.translate("version", version=data.version)


def describe_progress(data: ReportData, localizer: Localizer) -> str:
    """Return the campaign's registrations, against its target if it has one."""
    cumulative, target = localizer.format_number(data.cumulative), data.campaign.target
    if not target:
        return localizer.translate("no_target", cumulative=cumulative)
    return localizer.translate("of_target", cumulative=cumulative, target=localizer.format_number(target))


def describe_remaining(data: ReportData, localizer: Localizer) -> str | None:
    """Return the share of the target and what is missing; None without a target."""
    share = data.share_of_target
    if share is None:
        return None
    missing = data.campaign.target - data.cumulative
    rest = (
        localizer.translate("to_go", missing=localizer.format_number(missing))
        if missing > 0
        else localizer.translate("target_met")
    )
    return f"{localizer.translate('of_target_share', share=localizer.format_share(share))}, {rest}"


def describe_outlook(data: ReportData, localizer: Localizer) -> str:
    """Return whether the figures may still change: until when, or only for late data."""
    final_at = data.campaign.summary_final_at(data.day)
    return localizer.translate(
        f"{data.state}_means", moment=localizer.format_datetime(final_at, data.campaign.zone)
    )


def iter_totals(data: ReportData, localizer: Localizer) -> Iterator[tuple[str, str]]:
    """Yield the label and the value of each of the day's totals but `registered`."""
    for name, count in data.counts.items():
        yield localizer.get_count_label(name), localizer.format_number(count)
    for name, rupiah in data.money.items():
        yield localizer.translate(f"money_{name}"), format_rupiah(rupiah)
    if data.corrections:
        yield localizer.translate("corrections_total"), localizer.format_number(data.corrections)
    without_phone = int(data.sms.get("without_phone", 0))
    if without_phone:
        yield localizer.translate("sms_without_phone"), localizer.format_number(without_phone)
    not_told = int(data.sms.get("not_told", 0))
    if not_told:
        yield localizer.translate("sms_not_told"), localizer.format_number(not_told)


def get_cell_label(group: Group, cell: Cell, localizer: Localizer) -> str:
    """Return the label of a cell, which may be the one that small cells were merged into."""
    if cell.key == MERGED_KEY:
        return localizer.translate("merged")
    return cell.label or localizer.get_cell_label(group.name, cell.key)


def get_figure_label(figure: str, data: ReportData, localizer: Localizer) -> str:
    """Return the label of a figure that a change names, such as `by_client.van-2`."""
    group, _, name = figure.partition(".")
    if group == "counts":
        return localizer.get_count_label(name)
    if group == "money":
        return localizer.translate(f"money_{name}")
    if group == "corrections":
        return localizer.translate(f"corrections_{name}")
    if group == "texts" and name in SmsCounts.model_fields:
        return localizer.translate(f"sms_{name}")
    group_label = localizer.get_group_label(group, data.campaign.zone)
    return f"{group_label}: {localizer.get_cell_label(group, name)}"


def _describe_reasons(notes: Iterable[Note], corrections: int | None, localizer: Localizer) -> Iterator[str]:
    """Yield why figures differ: captures that came or were cancelled, and corrections of recorded data."""
    for note in notes:
        yield _describe_note(note, localizer)
    if corrections != 0:
        number = localizer.translate("few") if corrections is None else localizer.format_number(corrections)
        yield localizer.translate("note_corrections", corrections=number)


def _describe_note(note: Note, localizer: Localizer) -> str:
    difference = localizer.format_difference(note.difference)
    if note.received_on is None:
        return localizer.translate("note", difference=difference, client=note.client_id)
    received_on = localizer.format_day(note.received_on)
    return localizer.translate(
        "note_received", difference=difference, client=note.client_id, received_on=received_on
    )


def _describe_change(change: Change, data: ReportData, localizer: Localizer) -> str:
    return localizer.translate(
        "change",
        label=get_figure_label(change.figure, data, localizer),
        was=localizer.format_number(change.was),
        now=localizer.format_number(change.now),
        difference=localizer.format_difference(change.now - change.was),
    )


def _describe_revision(revision: Revision, localizer: Localizer) -> str:
    day, now = localizer.format_day(revision.day), localizer.format_number(revision.now)
    if revision.was == revision.now:
        return localizer.translate("revision_same", day=day, now=now, version=revision.version)
    return localizer.translate(
        "revision",
        day=day,
        was=localizer.format_number(revision.was),
        now=now,
        difference=localizer.format_difference(revision.now - revision.was),
        version=revision.version,
    )


def _describe_anomaly(anomaly: Anomaly, data: ReportData, localizer: Localizer) -> str:
    workers = localizer.format_number(anomaly.workers) if anomaly.workers else localizer.translate("few")
    if anomaly.pattern == "client_above_peers":
        if anomaly.usual is None:
            return localizer.translate("client_above_peers_alone")
        return localizer.translate(
            "client_above_peers", workers=workers, usual=localizer.format_number(anomaly.usual)
        )
    if anomaly.pattern == "sponsor_over_quota":
        names = {each.sponsor_id: each.name for each in data.campaign.sponsors}
        sponsor = names.get(anomaly.sponsor_id or "", anomaly.sponsor_id)
        return localizer.translate("sponsor_over_quota", workers=workers, sponsor=sponsor)
    return localizer.translate(anomaly.pattern, workers=workers)
