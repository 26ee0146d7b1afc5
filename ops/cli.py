"""The `daftar` command: its groups and commands are in `ops/commands/`."""

import click

from ops.commands.audit import list_audit
from ops.commands.clients import clients
from ops.commands.dead_letters import dead_letters
from ops.commands.deploy import deploy
from ops.commands.devices import enrol_device, enrol_odk, take_in_rescue
from ops.commands.error_messages import Group
from ops.commands.health import doctor, status
from ops.commands.keys import rotate_keys
from ops.commands.local import LOCAL_COMMANDS
from ops.commands.opt_outs import opt_outs
from ops.commands.records import records
from ops.commands.registrations import register_files
from ops.commands.restore import restore_tables
from ops.commands.rollback import rollback
from ops.commands.sms import sms
from ops.commands.summaries import SUMMARY_COMMANDS


@click.group(cls=Group)
def main() -> None:
    """Operate Daftar.

    The local stack uses the port DAFTAR_PORT (8320) and the two above it, and keeps its data in
    DAFTAR_LOCAL_DIR (.local). Commands with --stack also work on a stack on AWS.

    Results go to standard output, messages to standard error. With --json the result is one JSON object with
    ok, result and error. Exit status: 0 done; 1 failed, or done in part; 2 used wrongly, nothing was done;
    130 interrupted.
    """


for command in (
    *LOCAL_COMMANDS,
    *(deploy, rollback, status, doctor, restore_tables),
    *(register_files, take_in_rescue),
    *SUMMARY_COMMANDS,
    *(clients, list_audit, rotate_keys, records, sms, opt_outs, dead_letters),
):
    main.add_command(command)
clients.add_command(enrol_device)
clients.add_command(enrol_odk)

if __name__ == "__main__":
    main()
