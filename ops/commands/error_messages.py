"""Show errors of operations as one sentence, without a traceback."""

from typing import Any

import click

from ops.errors import OperationError
from ops.signals import Shutdown

# The exit code that shells use for a program stopped by Ctrl-C.
INTERRUPTED_EXIT_CODE = 130


class ErrorExplainingGroup(click.Group):
    """A command group that prints the message of an OperationError and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. An interrupted command exits with 130."""
        try:
            return super().invoke(ctx)
        except OperationError as error:
            raise click.ClickException(str(error)) from None
        except Shutdown:
            raise click.exceptions.Exit(INTERRUPTED_EXIT_CODE) from None
