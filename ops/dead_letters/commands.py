"""`daftar dead-letters …`: the commands, without the group that says which stage they work on."""

from collections import Counter

import click

from ops.dead_letters.queues import LAST_RESORTS, DeadLetters, Letter
from ops.dead_letters.reasons import facts, reason
from ops.dead_letters.redriving import NotRedriven, redrive
from ops.processes import ProgramError
from ops.stages import Stage

_QUEUE = click.argument("queue", type=click.Choice(list(LAST_RESORTS)))
_IDS = click.argument("message_ids", metavar="[MESSAGE_ID]...", nargs=-1)
_ALL = click.option("--all", "every", is_flag=True, help="Every message of the queue.")


@click.command("list")
@click.argument("queue", required=False, type=click.Choice(list(LAST_RESORTS)))
@click.pass_obj
def list_letters(stage: Stage, queue: str | None) -> None:
    """Show what was given up, in every QUEUE or in one, and why."""
    number = 0
    for name in [queue] if queue else LAST_RESORTS:
        with DeadLetters(stage, name).held() as letters:
            for letter in letters:
                number += 1
                cells = [f"{letter.sent_at:%Y-%m-%d %H:%M:%S}", _about(letter), reason(letter, stage).error]
                click.echo("  ".join([name, letter.message_id, *cells]))
    click.echo(f"{number} given up")


def _about(letter: Letter) -> str:
    known = facts(letter)
    if letter.resort.is_of_stream:
        return f"{known.get('batchSize', '?')} records"
    return next((known[name] for name in ("reference", "eventType", "type", "time") if name in known), "?")


@click.command()
@_QUEUE
@click.argument("message_id")
@click.pass_obj
def show(stage: Stage, queue: str, message_id: str) -> None:
    """Show what is known of one message, its person left out."""
    with DeadLetters(stage, queue).held() as letters:
        for letter in letters:
            if letter.message_id == message_id:
                _show(letter, stage)
                return
    raise ProgramError(f"{queue} has no message {message_id}")


def _show(letter: Letter, stage: Stage) -> None:
    why = reason(letter, stage)
    click.echo(f"sent: {letter.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    for name, value in facts(letter).items():
        click.echo(f"{name}: {value}")
    click.echo(f"why: {why.error}")
    for frame in why.where:
        click.echo(f"     {frame}")
    click.echo(f"log: {stage.log_group(letter.resort.function)}")


@click.command("redrive")
@_QUEUE
@_IDS
@_ALL
@click.option("--from-table", is_flag=True, help="For records that have left the stream.")
@click.pass_obj
def redrive_letters(
    stage: Stage, queue: str, message_ids: tuple[str, ...], every: bool, from_table: bool
) -> None:
    """Have messages of a QUEUE handled again. Repeating it sends nothing twice."""
    _require_choice(message_ids, every)
    letters = DeadLetters(stage, queue)
    came_to: Counter[str] = Counter()
    with letters.held() as held:
        for letter in held:
            if not every and letter.message_id not in message_ids:
                continue
            try:
                redrive(letter, stage, from_table=from_table)
            except NotRedriven as refusal:
                came_to[str(refusal)] += 1
                continue
            # Only now: whoever is stopped in between redrives it once more, and nothing comes of that.
            letters.remove(letter)
            came_to["redriven"] += 1
    _tell(came_to, message_ids)
    if set(came_to) - {"redriven"}:
        raise ProgramError("some messages stay where they are")


@click.command()
@_QUEUE
@_IDS
@_ALL
@click.confirmation_option(prompt="What is dropped is gone for good. Drop it?")
@click.pass_obj
def drop(stage: Stage, queue: str, message_ids: tuple[str, ...], every: bool) -> None:
    """Take messages out of a QUEUE for good, unhandled."""
    _require_choice(message_ids, every)
    letters = DeadLetters(stage, queue)
    came_to: Counter[str] = Counter()
    with letters.held() as held:
        for letter in held:
            if every or letter.message_id in message_ids:
                letters.remove(letter)
                came_to["dropped"] += 1
    _tell(came_to, message_ids)


def _require_choice(message_ids: tuple[str, ...], every: bool) -> None:
    if bool(message_ids) == every:
        raise click.UsageError("name the messages, or say --all")


def _tell(came_to: Counter[str], message_ids: tuple[str, ...]) -> None:
    for outcome, number in came_to.items():
        click.echo(f"{number} {outcome}")
    missing = len(message_ids) - came_to.total()
    if missing > 0:
        click.echo(f"{missing} not found")
    elif not came_to:
        click.echo("there was nothing")


COMMANDS = (list_letters, show, redrive_letters, drop)
