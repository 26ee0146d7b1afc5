"""The commands of `daftar` and their results: text for people, or with `--json` one JSON object for machines.

The object is the same for every command: `ok` is true if the exit status is 0, `result` is what was done or
found, `error` is null or says what failed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import click
from rich.console import Console, RenderableType

from ops.errors import OperationError

console = Console()
progress_console = Console(stderr=True)

_JSON_OPTION = "as_json"


@dataclass(frozen=True)
class Result:
    """The result of a command. With a `failure` it was not done, or not all of it: the exit status is 1."""

    data: Mapping[str, Any]
    text: Sequence[RenderableType] = ()
    failure: str | None = None
    code: str | None = None

    def write(self, *, as_json: bool) -> None:
        """Print the result. Raise OperationError if there is a failure."""
        if not as_json:
            for part in self.text:
                write_text(part)
        if self.failure is not None:
            raise OperationError(self.failure, code=self.code, result=self.data)
        if as_json:
            write_json(ok=True, result=self.data, error=None)


class Command(click.Command):
    """A command with `--json`, whose function returns a Result.

    `fails_when` completes "Exit status 1 if ..."; `json_fields` are the keys of the JSON object's `result`.
    """

    def __init__(
        self, *args: Any, fails_when: str = "", json_fields: Sequence[str] = (), **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fails_when = fails_when
        self.json_fields = tuple(json_fields)
        self.params.append(
            click.Option(["--json", _JSON_OPTION], is_flag=True, help="Print one JSON object, for programs.")
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit statuses and the fields of the JSON object."""
        formatter.write_paragraph()
        formatter.write_text(
            f"Exit status: 0 done; 1 {self.fails_when}; 2 used wrongly, nothing was done; 130 interrupted."
        )
        formatter.write_paragraph()
        formatter.write_text(
            f"--json prints {{ok, result, error}}; result has {', '.join(self.json_fields)}."
        )

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and print its result."""
        as_json: bool = ctx.params.pop(_JSON_OPTION)
        ctx.meta[_JSON_OPTION] = as_json
        result = super().invoke(ctx)
        if isinstance(result, Result):
            result.write(as_json=as_json)


def write_early(result: Result) -> None:
    """Print the result of a command that goes on running."""
    result.write(as_json=click.get_current_context().meta[_JSON_OPTION])


def write_text(text: RenderableType) -> None:
    """Print text as it is, or a table."""
    console.print(text, soft_wrap=isinstance(text, str), markup=False, highlight=False)


def write_json(*, ok: bool, result: Mapping[str, Any] | None, error: Mapping[str, Any] | None) -> None:
    """Print the one JSON object of a command."""
    document = {"ok": ok, "result": result, "error": error}
    click.echo(json.dumps(document, default=_to_json, allow_nan=False))


def _to_json(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
