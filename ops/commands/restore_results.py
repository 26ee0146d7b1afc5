"""The results of `daftar restore`, for people and for programs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib.clock import to_timestamp
from ops.commands.results import Result
from ops.restore.bringing_back import Restoration
from ops.restore.drill import Drill
from ops.restore.lost_acts import describe_acts, to_json

FIELDS = (
    *("moment", "into", "tables", "lost_captures", "resend", "unnumbered", "changed", "acts", "erasures"),
    *("unlogged_erasures", "held_sms", "days", "closed_seconds", "seconds", "notes", "drill"),
)
_MAX_CHANGED_SHOWN = 20


def describe(
    moment: datetime, done: Restoration, *, drill: Drill | None = None, into: str | None = None
) -> Result:
    """Return the result of a restore. `into` is the stack that was filled, if it was another one."""
    losses = done.losses
    data: dict[str, Any] = {
        "moment": to_timestamp(moment),
        "into": into,
        "tables": {name: vars(each) for name, each in done.tables.items()},
        "lost_captures": losses.captures,
        "resend": losses.list_runs(),
        "unnumbered": losses.unnumbered,
        "changed": dict(sorted(losses.changed.items())),
        "acts": to_json(done.acts),
        "erasures": done.erasures,
        "unlogged_erasures": list(done.unlogged_erasures),
        "held_sms": done.held_sms,
        "days": done.days,
        "closed_seconds": round(done.closed_seconds, 1),
        "seconds": round(done.seconds, 1),
        "notes": list(done.notes),
        "drill": None if drill is None else drill.get_figures(),
    }
    text = [*_iter_losses(done), *_iter_rest(done, into)]
    if drill is not None:
        text += drill.describe()
    return Result(data, text, failure=None if drill is None else drill.find_failure(), code="drill_failed")


def _iter_losses(done: Restoration) -> Iterator[str]:
    losses = done.losses
    for name, each in done.tables.items():
        if each.put_back or each.taken_away:
            yield f"{name}: {each.put_back} items put back, {each.taken_away} taken away"
    yield f"{losses.captures} captures that came later are lost"
    for run in losses.list_runs():
        until = "on" if run["last"] is None else f"to {run['last']}"
        yield f"  {run['client_id']}: numbers {run['first']} {until}; ask for them again"
    if losses.unnumbered:
        yield f"  {losses.unnumbered} came without a number, from bots or other programs"
    yield f"{len(losses.changed)} registrations lost a later status"
    for reference, status in sorted(losses.changed.items())[:_MAX_CHANGED_SHOWN]:
        yield f"  {reference} was {status}"
    yield f"{len(done.acts)} acts on registrations are lost; --json names each"
    yield from (f"  {line}" for line in describe_acts(done.acts))


def _iter_rest(done: Restoration, into: str | None) -> Iterator[str]:
    yield f"{done.erasures} erasures were done again; {done.days} days are counted again"
    if done.unlogged_erasures:
        yield f"erasures to send again: {', '.join(done.unlogged_erasures)}"
    if done.held_sms:
        yield f"{done.held_sms} SMS are held: daftar sms status"
    yield f"closed for {done.closed_seconds:.0f} s, {done.seconds:.0f} s in all"
    yield from (f"note: {note}" for note in done.notes)
    if into is not None:
        yield f"{into} is closed: daftar restore --open --stack {into}"
        yield f"then it sends no SMS until: daftar sms resume --stack {into}"
