"""`daftar clients enrol-device|enrol-odk` and `daftar rescue`: devices of officers and kiosks."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import click
import segno

from ops.commands.api_access import ApiAccess, on_api
from ops.commands.api_calls import call_api, call_as_admin, connect
from ops.commands.parameter_types import CLIENT
from ops.commands.results import Command, Result
from ops.errors import OperationError

_MODES = ("officer", "kiosk")


@click.command(
    "enrol-device",
    cls=Command,
    fails_when="no client has this id, it is revoked, or it is no device",
    json_fields=("enrolment",),
)
@click.argument("client", type=CLIENT)
@click.option(
    "--mode",
    metavar="MODE",
    type=click.Choice(_MODES),
    help="officer or kiosk; a kiosk is unattended. For officers if left out.",
)
@on_api
def enrol_device(access: ApiAccess, client: str, mode: str | None) -> Result:
    """Make a code with which a device becomes CLIENT, once and within 15 minutes."""
    body = {} if mode is None else {"mode": mode}
    made = call_as_admin(access, "POST", f"/v1/clients/{client}/enrolment-codes", body)
    code = made["code"]
    lines = [
        _draw_qr(made["url"]),
        f"Scan it, or open {made['app_url']} and type {code[:4]}-{code[4:]}",
        f"good once, until {made['expires_at']}",
    ]
    if made["exit_code"]:
        lines.append(f"digits that end the kiosk mode, shown this once: {made['exit_code']}")
    return Result({"enrolment": made}, lines)


@click.command(
    "enrol-odk",
    cls=Command,
    fails_when="no client has this id, it is revoked, or it is no officer's device",
    json_fields=("client_id", "odk_qr", "expires_at"),
)
@click.argument("client", type=CLIENT)
@on_api
def enrol_odk(access: ApiAccess, client: str) -> Result:
    """Show a QR code that makes a phone with ODK Collect the device of CLIENT, once and within 15 minutes."""
    made = call_as_admin(access, "POST", f"/v1/clients/{client}/enrolment-codes", {})
    if made["odk_qr"] is None:
        raise OperationError(f"{client} is no officer's device: ODK Collect is for clients of the role kiosk")
    shown = {"client_id": client, "odk_qr": made["odk_qr"], "expires_at": made["expires_at"]}
    advice = f"In ODK Collect: Configure with QR code. Good once, until {made['expires_at']}"
    return Result(shown, [_draw_qr(made["odk_qr"]), advice])


@click.command(
    "rescue",
    cls=Command,
    fails_when="the file cannot be opened, or captures were not taken in; each is named",
    json_fields=("client_id", "outcomes", "failed"),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@on_api
def take_in_rescue(access: ApiAccess, file: Path) -> Result:
    """Take in a rescue FILE, which a device exported, with a manager's token.

    Its captures keep their device, officer and time. To repeat it doubles nothing.
    """
    content = file.read_text(encoding="utf-8", errors="replace")
    results: list[dict[str, Any]] = []
    start: int | None = 0
    with connect(access, "manager") as api:
        while start is not None:
            answer = call_api(api, "POST", f"/v1/rescues?start={start}", content)
            results += answer["results"]
            start = answer.get("next_start")
    failed = [
        {"capture_id": each["capture_id"], "code": each["problem"]["code"]}
        for each in results
        if each.get("problem")
    ]
    outcomes = dict(Counter(each["outcome"] for each in results))
    return Result(
        {"client_id": answer["client_id"], "outcomes": outcomes, "failed": failed},
        [
            f"{len(results)} captures of {answer['client_id']}: {json.dumps(outcomes)}",
            *(f"{each['capture_id']}: {each['code']}" for each in failed),
        ],
        failure=f"{len(failed)} of {len(results)} captures were not taken in" if failed else None,
        code="captures_failed",
    )


def _draw_qr(text: str) -> str:
    """Return a QR code as lines of half blocks."""
    drawing = StringIO()
    segno.make(text, error="m").terminal(out=drawing, compact=True)
    return drawing.getvalue().rstrip("\n")
