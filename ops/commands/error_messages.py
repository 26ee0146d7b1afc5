"""Show every error as one line on standard error, never as a traceback, and exit with its status.

0: done. 1: failed, or done in part. 2: used wrongly, nothing was done. 130: interrupted.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click
import httpx

from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.commands.results import Command, write_json
from ops.errors import OperationError
from ops.project import ROOT
from ops.signals import Shutdown

FAILED_EXIT_CODE = 1
USAGE_EXIT_CODE = 2
# The exit code that shells use for a program stopped by Ctrl-C.
INTERRUPTED_EXIT_CODE = 130

_MAX_FRAMES = 3


class Group(click.Group):
    """A group of commands. The outermost one explains every error and sets the exit status."""

    command_class = Command
    group_class = type

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and exit with its status."""
        arguments = list(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            status = super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            error.show()
            _exit(arguments, USAGE_EXIT_CODE, OperationError(error.format_message(), code="usage"))
        except (click.Abort, Shutdown) as error:
            _exit_interrupted(arguments, error)
        except Exception as error:  # noqa: BLE001 - an operator gets one line for every error
            explained = explain_error(error)
            click.echo(f"Error: {explained}", err=True)
            _exit(arguments, FAILED_EXIT_CODE, explained)
        sys.exit(status or 0)


def explain_error(error: Exception) -> OperationError:
    """Return any error as one with a message for the operator."""
    match error:
        case OperationError():
            return error
        case click.ClickException():
            return OperationError(error.format_message())
        case httpx.HTTPError() | httpx.InvalidURL():
            return OperationError(f"the local stack does not answer ({type(error).__name__}): daftar status")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return OperationError(f"{where}{error.strerror or type(error).__name__}", code="system_error")
    if isinstance(error, AWS_ERRORS):
        return explain_aws_error(error)
    # Not the message: it may hold personal data.
    return OperationError(
        f"daftar itself is at fault: {type(error).__name__} at {_find_place(error)}", code="internal_error"
    )


def _find_place(error: Exception) -> str:
    frames = [
        f"{os.path.relpath(frame.filename, ROOT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(str(ROOT / "ops")) or frame.filename.startswith(str(ROOT / "chalicelib"))
    ]
    return ", ".join(frames[-_MAX_FRAMES:])


def _exit_interrupted(arguments: Sequence[str], error: BaseException) -> NoReturn:
    """Exit after Ctrl-C or a signal, or if a question could not be asked at the end of standard input."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, click.Abort) and not isinstance(cause, KeyboardInterrupt):
        message, status, code = "there was no answer on standard input", FAILED_EXIT_CODE, "no_answer"
    else:
        message, status, code = str(error) or "interrupted", INTERRUPTED_EXIT_CODE, "interrupted"
    click.echo(f"Error: {message}", err=True)
    _exit(arguments, status, OperationError(message, code=code))


def _exit(arguments: Sequence[str], status: int, error: OperationError) -> NoReturn:
    if "--json" in arguments:
        described = {"code": error.code, "message": str(error), "fields": list(error.fields)}
        write_json(ok=False, result=error.result, error=described)
    sys.exit(status)
