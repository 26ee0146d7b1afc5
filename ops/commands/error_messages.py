"""Show every error as one line on standard error, never as a traceback, and exit with its status.

0: done. 1: failed, or done in part. 2: used wrongly, nothing was done. 130: interrupted.
"""

import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import IO, Any, NoReturn

import click
import httpx

from chalicelib.crypto.encryption import UnsealError
from chalicelib.crypto.keyring import KeysMissing
from chalicelib.refusals import Refusal
from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.commands.results import Command, write_json
from ops.errors import OperationError, StackUnavailable
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
        _prepare_streams()
        try:
            status = super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            _exit(arguments, USAGE_EXIT_CODE, _show_usage(error))
        except (click.Abort, Shutdown) as error:
            _exit_interrupted(arguments, error)
        except Exception as error:  # noqa: BLE001 - an operator gets one line for every error
            _exit(arguments, FAILED_EXIT_CODE, explain_error(error))
        sys.exit(status or 0)


def _show_usage(error: click.UsageError) -> OperationError:
    """Print how a command is used, or the help of a group that was called without a command."""
    is_without_command = isinstance(error, click.exceptions.NoArgsIsHelpError)
    if error.ctx is not None:
        usage = f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n"
        click.echo(error.ctx.get_help() + "\n" if is_without_command else usage, err=True)
    return OperationError("name a command" if is_without_command else error.format_message(), code="usage")


def _prepare_streams() -> None:
    """Read nothing from a closed standard input, and escape what the terminal's encoding has none for."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def explain_error(error: Exception) -> OperationError:
    """Return any error as one with a message for the operator."""
    if isinstance(error, OperationError):
        return error
    if isinstance(error, AWS_ERRORS):
        return explain_aws_error(error)
    message, code = _describe_error(error)
    return OperationError(message, code=code)


def _describe_error(error: Exception) -> tuple[str, str]:
    """Return a message and a code for an error that is not one of an operation."""
    match error:
        case click.ClickException():
            return error.format_message(), OperationError.default_code
        case Refusal() | KeysMissing() | UnsealError():
            # Their messages hold nothing personal.
            return f"{type(error).__name__}: {error}", "data_unavailable"
        case httpx.HTTPError() | httpx.InvalidURL():
            name = type(error).__name__
            return f"the local stack does not answer ({name}): daftar status", StackUnavailable.default_code
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or type(error).__name__}", "system_error"
    # Not the message: it may hold personal data.
    return f"daftar itself is at fault: {type(error).__name__} at {_find_place(error)}", "internal_error"


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
        no_answer = OperationError("there was no answer on standard input", code="no_answer")
        _exit(arguments, FAILED_EXIT_CODE, no_answer)
    interrupted = OperationError(str(error) or "interrupted", code="interrupted")
    _exit(arguments, INTERRUPTED_EXIT_CODE, interrupted)


def _exit(arguments: Sequence[str], status: int, error: OperationError) -> NoReturn:
    """Print an error, and with --json its object, and exit."""
    _write(sys.stderr, lambda: click.echo(f"Error: {error}", err=True))
    if "--json" in arguments:
        described = {"code": error.code, "message": str(error), "fields": list(error.fields)}
        _write(sys.stdout, lambda: write_json(ok=False, result=error.result, error=described))
    sys.exit(status)


def _write(stream: IO[str] | None, write: Callable[[], None]) -> None:
    """Write to a stream. If that fails, drop what its buffer holds, which Python would write at its end."""
    try:
        write()
    except OSError:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
