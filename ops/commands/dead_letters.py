"""`daftar dead-letters …`: the commands, without the group that says which stage they work on."""

from collections import Counter

import click

from ops.dead_letters.queues import DEAD_LETTER_QUEUES, DeadLetter, DeadLetterReader
from ops.dead_letters.reasons import extract_facts, find_reason
from ops.dead_letters.redrive import RedriveFailed, redrive
from ops.deploy.stages import Stage
from ops.local.processes import OperationError

_QUEUE_ARGUMENT = click.argument("queue", type=click.Choice(list(DEAD_LETTER_QUEUES)))
_MESSAGE_IDS_ARGUMENT = click.argument("message_ids", metavar="[MESSAGE_ID]...", nargs=-1)
_ALL_OPTION = click.option("--all", "all_messages", is_flag=True, help="Every message of the queue.")


@click.command("list")
@click.argument("queue", required=False, type=click.Choice(list(DEAD_LETTER_QUEUES)))
@click.pass_obj
def list_dead_letters(stage: Stage, queue: str | None) -> None:
    """Show what was given up, in every QUEUE or in one, and why."""
    number = 0
    for name in [queue] if queue else DEAD_LETTER_QUEUES:
        with DeadLetterReader(stage, name).hold_messages() as letters:
            for letter in letters:
                number += 1
                cells = [
                    f"{letter.sent_at:%Y-%m-%d %H:%M:%S}",
                    _summarize(letter),
                    find_reason(letter, stage).error,
                ]
                click.echo("  ".join([name, letter.message_id, *cells]))
    click.echo(f"{number} given up")


def _summarize(dead_letter: DeadLetter) -> str:
    known = extract_facts(dead_letter)
    if dead_letter.queue.is_for_stream:
        return f"{known.get('batchSize', '?')} records"
    return next((known[name] for name in ("reference", "eventType", "type", "time") if name in known), "?")


@click.command("show")
@_QUEUE_ARGUMENT
@click.argument("message_id")
@click.pass_obj
def show_dead_letter(stage: Stage, queue: str, message_id: str) -> None:
    """Show what is known of one message, its person left out."""
    with DeadLetterReader(stage, queue).hold_messages() as letters:
        for letter in letters:
            if letter.message_id == message_id:
                _print_dead_letter(letter, stage)
                return
    raise OperationError(f"{queue} has no message {message_id}")


def _print_dead_letter(dead_letter: DeadLetter, stage: Stage) -> None:
    why = find_reason(dead_letter, stage)
    click.echo(f"sent: {dead_letter.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    for name, value in extract_facts(dead_letter).items():
        click.echo(f"{name}: {value}")
    click.echo(f"why: {why.error}")
    for frame in why.frames:
        click.echo(f"     {frame}")
    click.echo(f"log: {stage.get_log_group(dead_letter.queue.function_id)}")


@click.command("redrive")
@_QUEUE_ARGUMENT
@_MESSAGE_IDS_ARGUMENT
@_ALL_OPTION
@click.option("--from-table", is_flag=True, help="For records that have left the stream.")
@click.pass_obj
def redrive_dead_letters(
    stage: Stage, queue: str, message_ids: tuple[str, ...], all_messages: bool, from_table: bool
) -> None:
    """Have messages of a QUEUE handled again. Repeating it sends nothing twice."""
    _require_choice(message_ids, all_messages)
    letters = DeadLetterReader(stage, queue)
    came_to: Counter[str] = Counter()
    with letters.hold_messages() as held:
        for letter in held:
            if not all_messages and letter.message_id not in message_ids:
                continue
            try:
                redrive(letter, stage, from_table=from_table)
            except RedriveFailed as refusal:
                came_to[str(refusal)] += 1
                continue
            # Only now: whoever is stopped in between redrives it once more, and nothing comes of that.
            letters.remove(letter)
            came_to["redriven"] += 1
    _print_outcomes(came_to, message_ids)
    if set(came_to) - {"redriven"}:
        raise OperationError("some messages stay where they are")


@click.command("drop")
@_QUEUE_ARGUMENT
@_MESSAGE_IDS_ARGUMENT
@_ALL_OPTION
@click.confirmation_option(prompt="What is dropped is gone for good. Drop it?")
@click.pass_obj
def drop_dead_letters(stage: Stage, queue: str, message_ids: tuple[str, ...], all_messages: bool) -> None:
    """Take messages out of a QUEUE for good, unhandled."""
    _require_choice(message_ids, all_messages)
    letters = DeadLetterReader(stage, queue)
    came_to: Counter[str] = Counter()
    with letters.hold_messages() as held:
        for letter in held:
            if all_messages or letter.message_id in message_ids:
                letters.remove(letter)
                came_to["dropped"] += 1
    _print_outcomes(came_to, message_ids)


def _require_choice(message_ids: tuple[str, ...], all_messages: bool) -> None:
    if bool(message_ids) == all_messages:
        raise click.UsageError("name the messages, or say --all")


def _print_outcomes(outcomes: Counter[str], message_ids: tuple[str, ...]) -> None:
    for outcome, number in outcomes.items():
        click.echo(f"{number} {outcome}")
    missing = len(message_ids) - outcomes.total()
    if missing > 0:
        click.echo(f"{missing} not found")
    elif not outcomes:
        click.echo("there was nothing")


DEAD_LETTER_COMMANDS = (list_dead_letters, show_dead_letter, redrive_dead_letters, drop_dead_letters)
