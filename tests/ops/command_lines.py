"""A good command line for every command of `daftar`, and the ways to run one."""

from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner, Result

from ops.cli import main
from ops.commands.results import Command

CAPTURES = Path(__file__).parents[2] / "examples" / "tanah-abang-2024" / "kiosk-1.jsonl"
TYPED_NUMBER = "0824-5550-7001\n"

# By the command; what follows its name.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "up": (),
    "down": (),
    "status": (),
    "doctor": (),
    "run": (),
    "deploy": ("--stage", "try", "--yes"),
    "rollback": ("--yes",),
    "messages": (),
    "mails": (),
    "register": (str(CAPTURES),),
    "rescue": (str(CAPTURES),),
    "roll-up": ("tanah-abang-2024",),
    "summary": ("tanah-abang-2024", "2024-10-09"),
    "export": ("tanah-abang-2024", "2024-10-09"),
    "clients list": (),
    "clients enrol": ("van-9", "--role", "kiosk", "--campaign", "tanah-abang-2024"),
    "clients enrol-device": ("van-9",),
    "clients enrol-odk": ("van-9",),
    "clients enrol-admin": ("admin-2",),
    "clients rotate": ("van-9",),
    "clients revoke": ("van-9",),
    "audit": ("--subject", "client:van-9"),
    "restore": ("--at", "2026-01-01T00:00:00Z", "--yes"),
    "rotate": (),
    "records unreadable": (),
    "sms release": ("tanah-abang-2024",),
    "sms stop": ("maintenance",),
    "sms resume": (),
    "sms status": (),
    "opt-outs show": (),
    "opt-outs enter": ("--by", "salemba"),
    "opt-outs lift": ("--by", "salemba"),
    "dead-letters list": (),
    "dead-letters show": ("StreamFailures", "m-1"),
    "dead-letters redrive": ("StreamFailures", "--all"),
    "dead-letters drop": ("StreamFailures", "--all", "--yes"),
}


def iter_commands(group: click.Group = main, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Command]]:
    """Yield every command that is not a group, with its whole name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from iter_commands(command, (*prefix, name))
        else:
            assert isinstance(command, Command), name
            yield " ".join((*prefix, name)), command


COMMANDS = dict(iter_commands())
# They make a stage on AWS, and look at no other.
DEPLOYING = {"deploy"}
STAGE_COMMANDS = [
    name for name, command in COMMANDS.items() if any("--stack" in each.opts for each in command.params)
]


def run_daftar(command: str, *options: str, obj: object = None, typed: str = TYPED_NUMBER) -> Result:
    """Run a command with its good arguments and some options."""
    arguments = [*command.split(), *ARGUMENTS[command], *options]
    return CliRunner().invoke(main, arguments, obj=obj, input=typed)
