"""What changed, and what is unusual, as sentences: the same on the page and in the mail."""

from collections.abc import Iterator

from chalicelib.rollups.model import Anomaly, Change, Note
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData, Revision

_HEADLINES = "counts."


def describe_changes(figures: ReportData, speech: Localizer) -> Iterator[str]:
    """What differs from the version before: first why, then the headline figures."""
    for note in figures.notes:
        yield _because(note, speech)
    for change in figures.changes:
        if change.figure.startswith(_HEADLINES):
            yield _change(change, speech)


def describe_revisions(figures: ReportData, speech: Localizer) -> Iterator[str]:
    """What is new about earlier days."""
    for revision in figures.revisions:
        told = _revision(revision, speech)
        reasons = "; ".join(_because(note, speech) for note in revision.notes)
        yield f"{told}: {reasons}" if reasons else told


def describe_anomalies(figures: ReportData, speech: Localizer) -> Iterator[str]:
    """What a person should look at."""
    for oddity in figures.anomalies:
        told = _oddity(oddity, speech)
        yield f"{told}, {speech.translate('through', client=oddity.client_id)}" if oddity.client_id else told


def describe_version(figures: ReportData, speech: Localizer) -> str:
    """Which version it is, and which after the day was final."""
    if figures.revision:
        return speech.translate("revised", version=figures.version, revision=figures.revision)
    return speech.translate("version", version=figures.version)


def describe_progress(figures: ReportData, speech: Localizer) -> str:
    """How far the campaign has come, against its target if it has one."""
    cumulative, target = speech.format_number(figures.cumulative), figures.campaign.target
    if not target:
        return speech.translate("no_target", cumulative=cumulative)
    return speech.translate("of_target", cumulative=cumulative, target=speech.format_number(target))


def describe_remaining(figures: ReportData, speech: Localizer) -> str | None:
    """What is left to do; None where there is no target."""
    share = figures.share_of_target
    if share is None:
        return None
    left = figures.campaign.target - figures.cumulative
    still = (
        speech.translate("to_go", missing=speech.format_number(left))
        if left > 0
        else speech.translate("target_met")
    )
    return f"{speech.translate('of_target_share', share=speech.format_share(share))}, {still}"


def _because(note: Note, speech: Localizer) -> str:
    difference = speech.format_difference(note.difference)
    if note.received_on is None:
        return speech.translate("note", difference=difference, client=note.client_id)
    received_on = speech.format_day(note.received_on)
    return speech.translate(
        "note_received", difference=difference, client=note.client_id, received_on=received_on
    )


def _change(change: Change, speech: Localizer) -> str:
    return speech.translate(
        "change",
        label=speech.get_count_label(change.figure.removeprefix(_HEADLINES)),
        was=speech.format_number(change.was),
        now=speech.format_number(change.now),
        difference=speech.format_difference(change.now - change.was),
    )


def _revision(revision: Revision, speech: Localizer) -> str:
    day, now = speech.format_day(revision.day), speech.format_number(revision.now)
    if revision.was == revision.now:
        return speech.translate("revision_same", day=day, now=now, version=revision.version)
    return speech.translate(
        "revision",
        day=day,
        was=speech.format_number(revision.was),
        now=now,
        difference=speech.format_difference(revision.now - revision.was),
        version=revision.version,
    )


def _oddity(oddity: Anomaly, speech: Localizer) -> str:
    workers = speech.format_number(oddity.workers) if oddity.workers else speech.translate("few")
    if oddity.pattern == "client_above_peers":
        if oddity.usual is None:
            return speech.translate("client_above_peers_alone")
        return speech.translate(
            "client_above_peers", workers=workers, usual=speech.format_number(oddity.usual)
        )
    return speech.translate(oddity.pattern, workers=workers)
