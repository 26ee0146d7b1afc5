"""`daftar dead-letters list|show|redrive|drop`: messages that a function could not handle."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

import click

from ops.commands.results import Result
from ops.commands.stage_option import on_stage, stage_group
from ops.dead_letters.queues import DEAD_LETTER_QUEUES, DeadLetter, DeadLetterReader
from ops.dead_letters.reasons import extract_facts, find_reason
from ops.dead_letters.redrive import RedriveFailed, redrive
from ops.deploy.stages import Stage
from ops.errors import OperationError

ReturnType = TypeVar("ReturnType")

_QUEUE_TYPE = click.Choice(list(DEAD_LETTER_QUEUES))
_queue_argument = click.argument("queue", metavar="QUEUE", type=_QUEUE_TYPE)


@dataclass(frozen=True)
class Selection:
    """Some messages of a queue by their ids, or all of them."""

    message_ids: frozenset[str] = frozenset()

    def __contains__(self, message_id: str) -> bool:
        return not self.message_ids or message_id in self.message_ids


@dataclass
class Outcomes:
    """The selected messages that are done, and the reason for which each other one stays in its queue."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def describe(self, participle: str, selection: Selection) -> Result:
        """Return the result. It has a failure if a message stays in the queue, or was not in it."""
        missing = sorted(selection.message_ids - {*self.done, *self.failed})
        text = [f"{len(self.done)} {participle}"] if self.done else []
        text += [f"{count} {reason}" for reason, count in Counter(self.failed.values()).items()]
        text += [f"{len(missing)} not found"] if missing else []
        failures = (["some messages stay in the queue"] if self.failed else []) + (
            [f"not in the queue: {', '.join(missing)}"] if missing else []
        )
        failed = [{"message_id": each, "reason": reason} for each, reason in self.failed.items()]
        return Result(
            {participle: self.done, "failed": failed, "missing": missing},
            text or ["the queue is empty"],
            failure="; ".join(failures) or None,
            code="messages_remain" if self.failed else "message_unknown",
        )


def _select_messages(command: Callable[..., ReturnType]) -> Callable[..., ReturnType]:
    """Add QUEUE, MESSAGE_IDs and --all to a command. They are checked before the stage is looked up."""

    @wraps(command)
    def run(*args: Any, message_ids: Collection[str], all_messages: bool, **options: Any) -> ReturnType:
        if bool(message_ids) == all_messages:
            raise click.UsageError("name the messages, or use --all")
        return command(*args, selection=Selection(frozenset(message_ids)), **options)

    # After `wraps`, which would replace these parameters by those of the wrapped function.
    with_all = click.option("--all", "all_messages", is_flag=True, help="All messages of the queue.")(run)
    return _queue_argument(click.argument("message_ids", metavar="[MESSAGE_ID]...", nargs=-1)(with_all))


@stage_group("dead-letters")
def dead_letters() -> None:
    """Show the messages that a function could not handle; redrive or drop them."""


@dead_letters.command("list", fails_when="a queue could not be read", json_fields=("dead_letters",))
@click.argument("queue", metavar="[QUEUE]", required=False, type=_QUEUE_TYPE)
@on_stage
def list_dead_letters(stage: Stage, queue: str | None) -> Result:
    """List the dead letters of all queues or of one QUEUE, each with the reason."""
    found = []
    for name in [queue] if queue else DEAD_LETTER_QUEUES:
        with DeadLetterReader(stage, name).hold_messages() as held:
            found += [
                {
                    "queue": name,
                    "message_id": dead_letter.message_id,
                    "sent_at": dead_letter.sent_at,
                    "subject": _summarize(dead_letter),
                    "reason": find_reason(dead_letter, stage).error,
                }
                for dead_letter in held
            ]
    lines = ["  ".join(_format_cell(value) for value in each.values()) for each in found]
    return Result({"dead_letters": found}, [*lines, f"{len(found)} dead letters"])


def _format_cell(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)


def _summarize(dead_letter: DeadLetter) -> str:
    facts = extract_facts(dead_letter)
    if dead_letter.queue.is_for_stream:
        return f"{facts.get('batchSize', '?')} records"
    if "share" in facts:
        return f"share {facts['share']}"
    return next((facts[name] for name in ("reference", "eventType", "type", "time") if name in facts), "?")


@dead_letters.command(
    "show",
    fails_when="the queue has no such message",
    json_fields=("sent_at", "facts", "reason", "frames", "log"),
)
@_queue_argument
@click.argument("message_id")
@on_stage
def show_dead_letter(stage: Stage, queue: str, message_id: str) -> Result:
    """Show the facts of one message. Personal data is never shown."""
    with DeadLetterReader(stage, queue).hold_messages() as held:
        for dead_letter in held:
            if dead_letter.message_id == message_id:
                return _describe_dead_letter(dead_letter, stage)
    raise OperationError(f"{queue} has no message {message_id}", code="message_unknown")


def _describe_dead_letter(dead_letter: DeadLetter, stage: Stage) -> Result:
    reason, facts = find_reason(dead_letter, stage), extract_facts(dead_letter)
    log = stage.get_log_group(dead_letter.queue.function_id)
    return Result(
        {
            "sent_at": dead_letter.sent_at,
            "facts": facts,
            "reason": reason.error,
            "frames": reason.frames,
            "log": log,
        },
        [
            f"sent: {dead_letter.sent_at:%Y-%m-%d %H:%M:%S} UTC",
            *(f"{name}: {value}" for name, value in facts.items()),
            f"reason: {reason.error}",
            *(f"        {frame}" for frame in reason.frames),
            f"log: {log}",
        ],
    )


@dead_letters.command(
    "redrive",
    fails_when="messages stay in the queue, or were not in it",
    json_fields=("redriven", "failed", "missing"),
)
@_select_messages
@click.option("--from-table", is_flag=True, help="Read records that have left the stream from the table.")
@on_stage
def redrive_dead_letters(stage: Stage, queue: str, selection: Selection, from_table: bool) -> Result:
    """Have messages of a QUEUE handled again. A repeat sends no SMS twice."""
    reader, outcomes = DeadLetterReader(stage, queue), Outcomes()
    with reader.hold_messages() as held:
        for dead_letter in held:
            if dead_letter.message_id not in selection:
                continue
            try:
                redrive(dead_letter, stage, from_table=from_table)
            except RedriveFailed as error:
                outcomes.failed[dead_letter.message_id] = str(error)
                continue
            # Removed last: an interruption in between only makes a later run redrive it again.
            reader.remove(dead_letter)
            outcomes.done.append(dead_letter.message_id)
    return outcomes.describe("redriven", selection)


@dead_letters.command(
    "drop", fails_when="a message was not in the queue", json_fields=("dropped", "failed", "missing")
)
@_select_messages
@click.option("--yes", is_flag=True, help="Drop them without a question.")
@on_stage
def drop_dead_letters(stage: Stage, queue: str, selection: Selection, yes: bool) -> Result:
    """Delete messages of a QUEUE for good."""
    if not yes and not click.confirm("Dropped messages cannot be recovered. Drop them?", err=True):
        raise OperationError("nothing was dropped", code="not_confirmed")
    reader, outcomes = DeadLetterReader(stage, queue), Outcomes()
    with reader.hold_messages() as held:
        for dead_letter in held:
            if dead_letter.message_id in selection:
                reader.remove(dead_letter)
                outcomes.done.append(dead_letter.message_id)
    return outcomes.describe("dropped", selection)
