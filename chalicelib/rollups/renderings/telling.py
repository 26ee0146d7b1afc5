"""What changed, and what is unusual, as sentences: the same on the page and in the mail."""

from collections.abc import Iterator

from chalicelib.rollups.model import Change, Note, Oddity
from chalicelib.rollups.renderings.figures import Figures, Revision
from chalicelib.rollups.renderings.words import Speech

_HEADLINES = "counts."


def changes(figures: Figures, speech: Speech) -> Iterator[str]:
    """What differs from the version before: first why, then the headline figures."""
    for note in figures.notes:
        yield _because(note, speech)
    for change in figures.changes:
        if change.figure.startswith(_HEADLINES):
            yield _change(change, speech)


def revisions(figures: Figures, speech: Speech) -> Iterator[str]:
    """What is new about earlier days."""
    for revision in figures.revisions:
        told = _revision(revision, speech)
        reasons = "; ".join(_because(note, speech) for note in revision.notes)
        yield f"{told}: {reasons}" if reasons else told


def oddities(figures: Figures, speech: Speech) -> Iterator[str]:
    """What a person should look at."""
    for oddity in figures.oddities:
        told = _oddity(oddity, speech)
        yield f"{told}, {speech.say('through', client=oddity.client_id)}" if oddity.client_id else told


def version(figures: Figures, speech: Speech) -> str:
    """Which version it is, and which after the day was final."""
    if figures.revision:
        return speech.say("revised", version=figures.version, revision=figures.revision)
    return speech.say("version", version=figures.version)


def progress(figures: Figures, speech: Speech) -> str:
    """How far the campaign has come, against its target if it has one."""
    cumulative, target = speech.number(figures.cumulative), figures.campaign.target
    if not target:
        return speech.say("no_target", cumulative=cumulative)
    return speech.say("of_target", cumulative=cumulative, target=speech.number(target))


def missing(figures: Figures, speech: Speech) -> str | None:
    """What is left to do; None where there is no target."""
    share = figures.share_of_target
    if share is None:
        return None
    left = figures.campaign.target - figures.cumulative
    still = speech.say("to_go", missing=speech.number(left)) if left > 0 else speech.say("target_met")
    return f"{speech.say('of_target_share', share=speech.share(share))}, {still}"


def _because(note: Note, speech: Speech) -> str:
    difference = speech.difference(note.difference)
    if note.received_on is None:
        return speech.say("note", difference=difference, client=note.client_id)
    received_on = speech.day(note.received_on)
    return speech.say("note_received", difference=difference, client=note.client_id, received_on=received_on)


def _change(change: Change, speech: Speech) -> str:
    return speech.say(
        "change",
        label=speech.count(change.figure.removeprefix(_HEADLINES)),
        was=speech.number(change.was),
        now=speech.number(change.now),
        difference=speech.difference(change.now - change.was),
    )


def _revision(revision: Revision, speech: Speech) -> str:
    day, now = speech.day(revision.day), speech.number(revision.now)
    if revision.was == revision.now:
        return speech.say("revision_same", day=day, now=now, version=revision.version)
    return speech.say(
        "revision",
        day=day,
        was=speech.number(revision.was),
        now=now,
        difference=speech.difference(revision.now - revision.was),
        version=revision.version,
    )


def _oddity(oddity: Oddity, speech: Speech) -> str:
    workers = speech.number(oddity.workers) if oddity.workers else speech.say("few")
    if oddity.pattern == "client_above_peers":
        if oddity.usual is None:
            return speech.say("client_above_peers_alone")
        return speech.say("client_above_peers", workers=workers, usual=speech.number(oddity.usual))
    return speech.say(oddity.pattern, workers=workers)
