"""The table of commands in docs/commands.md, from the commands themselves."""

from collections.abc import Iterator

import click

from ops.commands.results import Command

_STACK_OPTION = "--stack"
# Every command has these; the page says so once.
_COMMON_OPTIONS = {_STACK_OPTION, "--json", "--help"}


def render_commands_table(main: click.Group) -> str:
    """Return a Markdown table of every command."""
    rows = [
        "| Command | What it does | `--stack` | Exits 1 if | `result` of `--json` |",
        "|---|---|---|---|---|",
    ]
    rows += [_render_row(name, command) for name, command in _iter_commands(main, "daftar")]
    return "\n".join(rows) + "\n"


def _iter_commands(group: click.Group, prefix: str) -> Iterator[tuple[str, Command]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from _iter_commands(command, f"{prefix} {name}")
        elif isinstance(command, Command):
            yield f"{prefix} {name}", command


def _render_row(name: str, command: Command) -> str:
    has_stack = any(_STACK_OPTION in each.opts for each in command.params)
    fields = ", ".join(f"`{each}`" for each in command.json_fields)
    summary = command.get_short_help_str(limit=200)
    line = " ".join([name, *_iter_parameters(command)])
    return f"| `{line}` | {summary} | {'yes' if has_stack else ''} | {command.fails_when} | {fields} |"


def _iter_parameters(command: Command) -> Iterator[str]:
    for each in command.params:
        if isinstance(each, click.Argument):
            metavar = each.metavar or (each.name or "").upper() + ("..." if each.nargs == -1 else "")
            yield metavar if each.required or metavar.startswith("[") else f"[{metavar}]"
        elif isinstance(each, click.Option) and not _COMMON_OPTIONS & {*each.opts}:
            value = "" if each.is_flag else f" {each.metavar or each.type.name.upper()}"
            option = f"{each.opts[0]}{value}"
            yield option if each.required else f"[{option}]"
