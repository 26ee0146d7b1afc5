"""`daftar dead-letters list|show|redrive|drop`: messages that a function could not handle."""

from collections import Counter

import click

from ops.commands.stage_option import on_stage, stage_group
from ops.dead_letters.queues import DEAD_LETTER_QUEUES, DeadLetter, DeadLetterReader
from ops.dead_letters.reasons import extract_facts, find_reason
from ops.dead_letters.redrive import RedriveFailed, redrive
from ops.deploy.stages import Stage
from ops.errors import OperationError

_QUEUE_ARGUMENT = click.argument("queue", metavar="QUEUE", type=click.Choice(list(DEAD_LETTER_QUEUES)))
_MESSAGE_IDS_ARGUMENT = click.argument("message_ids", metavar="[MESSAGE_ID]...", nargs=-1)
_ALL_OPTION = click.option("--all", "all_messages", is_flag=True, help="All messages of the queue.")


@stage_group("dead-letters")
def dead_letters() -> None:
    """Show the messages that a function could not handle; redrive or drop them."""


@dead_letters.command("list")
@click.argument("queue", metavar="[QUEUE]", required=False, type=click.Choice(list(DEAD_LETTER_QUEUES)))
@on_stage
def list_dead_letters(stage: Stage, queue: str | None) -> None:
    """List the dead letters of all queues or of one QUEUE, each with the reason."""
    count = 0
    for name in [queue] if queue else DEAD_LETTER_QUEUES:
        with DeadLetterReader(stage, name).hold_messages() as held:
            for dead_letter in held:
                count += 1
                cells = [
                    f"{dead_letter.sent_at:%Y-%m-%d %H:%M:%S}",
                    _summarize(dead_letter),
                    find_reason(dead_letter, stage).error,
                ]
                click.echo("  ".join([name, dead_letter.message_id, *cells]))
    click.echo(f"{count} dead letters")


def _summarize(dead_letter: DeadLetter) -> str:
    facts = extract_facts(dead_letter)
    if dead_letter.queue.is_for_stream:
        return f"{facts.get('batchSize', '?')} records"
    return next((facts[name] for name in ("reference", "eventType", "type", "time") if name in facts), "?")


@dead_letters.command("show")
@_QUEUE_ARGUMENT
@click.argument("message_id")
@on_stage
def show_dead_letter(stage: Stage, queue: str, message_id: str) -> None:
    """Show the facts of one message. Personal data is never shown."""
    with DeadLetterReader(stage, queue).hold_messages() as held:
        for dead_letter in held:
            if dead_letter.message_id == message_id:
                _print_dead_letter(dead_letter, stage)
                return
    raise OperationError(f"{queue} has no message {message_id}")


def _print_dead_letter(dead_letter: DeadLetter, stage: Stage) -> None:
    reason = find_reason(dead_letter, stage)
    click.echo(f"sent: {dead_letter.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    for name, value in extract_facts(dead_letter).items():
        click.echo(f"{name}: {value}")
    click.echo(f"reason: {reason.error}")
    for frame in reason.frames:
        click.echo(f"        {frame}")
    click.echo(f"log: {stage.get_log_group(dead_letter.queue.function_id)}")


@dead_letters.command("redrive")
@_QUEUE_ARGUMENT
@_MESSAGE_IDS_ARGUMENT
@_ALL_OPTION
@click.option("--from-table", is_flag=True, help="Read records that have left the stream from the table.")
@on_stage
def redrive_dead_letters(
    stage: Stage, queue: str, message_ids: tuple[str, ...], all_messages: bool, from_table: bool
) -> None:
    """Have messages of a QUEUE handled again. A repeat sends no SMS twice."""
    _require_choice(message_ids, all_messages)
    reader = DeadLetterReader(stage, queue)
    outcomes: Counter[str] = Counter()
    with reader.hold_messages() as held:
        for dead_letter in held:
            if not all_messages and dead_letter.message_id not in message_ids:
                continue
            try:
                redrive(dead_letter, stage, from_table=from_table)
            except RedriveFailed as error:
                outcomes[str(error)] += 1
                continue
            # Removed last: an interruption in between only makes a later run redrive it again.
            reader.remove(dead_letter)
            outcomes["redriven"] += 1
    _print_outcomes(outcomes, message_ids)
    if set(outcomes) - {"redriven"}:
        raise OperationError("some messages stay in the queue")


@dead_letters.command("drop")
@_QUEUE_ARGUMENT
@_MESSAGE_IDS_ARGUMENT
@_ALL_OPTION
@click.confirmation_option(prompt="Dropped messages cannot be recovered. Drop them?")
@on_stage
def drop_dead_letters(stage: Stage, queue: str, message_ids: tuple[str, ...], all_messages: bool) -> None:
    """Delete messages of a QUEUE for good."""
    _require_choice(message_ids, all_messages)
    reader = DeadLetterReader(stage, queue)
    outcomes: Counter[str] = Counter()
    with reader.hold_messages() as held:
        for dead_letter in held:
            if all_messages or dead_letter.message_id in message_ids:
                reader.remove(dead_letter)
                outcomes["dropped"] += 1
    _print_outcomes(outcomes, message_ids)


def _require_choice(message_ids: tuple[str, ...], all_messages: bool) -> None:
    if bool(message_ids) == all_messages:
        raise click.UsageError("name the messages, or use --all")


def _print_outcomes(outcomes: Counter[str], message_ids: tuple[str, ...]) -> None:
    for outcome, count in outcomes.items():
        click.echo(f"{count} {outcome}")
    missing = len(message_ids) - outcomes.total()
    if missing > 0:
        click.echo(f"{missing} not found")
    elif not outcomes:
        click.echo("the queue is empty")
