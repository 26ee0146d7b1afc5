"""Audit what is deployed: package it, list what is in the zip, and judge it (`make audit`).

Exit status: 0 if nothing was found, 1 for a known vulnerability or a licence that is not allowed, 3 if
nothing was found but not everything could be looked up. The licences and the SBOM need no network.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from ops.audit.components import Component, list_components
from ops.audit.licences import is_allowed
from ops.audit.vulnerabilities import Lookup, look_up_vulnerabilities
from ops.deploy.packaging import package_app
from ops.errors import OperationError
from ops.project import ROOT

NOTHING_FOUND = 0
FOUND = 1
NOT_LOOKED_UP = 3

_TOOLS_PYTHON = ROOT / ".audit" / "bin" / "python"


def write_sbom(digest: str, components: Sequence[Component], path: Path) -> None:
    """Write the SBOM of the zip with this SHA-256, by the library in the audit's environment."""
    document = json.dumps({"digest": digest, "components": [asdict(each) for each in components]})
    command: list[str | Path] = [_TOOLS_PYTHON, "-m", "ops.audit.sbom"]
    path.write_text(
        subprocess.run(command, cwd=ROOT, input=document, capture_output=True, text=True, check=True).stdout
    )


def summarise(components: Sequence[Component], lookup: Lookup) -> tuple[int, list[str]]:
    """Return the exit status and the lines that say why."""
    refused = [each for each in components if not is_allowed(each.licence)]
    lines = [f"licence not allowed: {each.name} {each.version}: {each.licence}" for each in refused]
    if not refused:
        lines.append(f"licences: all {len(components)} libraries have an allowed one")
    lines += [f"vulnerability: {known}" for known in lookup.vulnerabilities]
    if lookup.not_looked_up:
        names = ", ".join(lookup.not_looked_up)
        lines.append(f"NOT LOOKED UP, the service of known vulnerabilities did not say: {names}")
    elif not lookup.vulnerabilities:
        lines.append("vulnerabilities: none is known")
    if refused or lookup.vulnerabilities:
        return FOUND, lines
    return (NOT_LOOKED_UP if lookup.not_looked_up else NOTHING_FOUND), lines


@click.command()
@click.option("--stage", default="prod", show_default=True)
@click.argument("out", type=click.Path(path_type=Path))
def main(stage: str, out: Path) -> None:
    """Package a stage into the directory OUT, audit the zip, and write its SBOM beside it."""
    try:
        package = package_app(stage, out)
        components = list_components(package.archive)
    except OperationError as error:
        raise click.ClickException(str(error)) from error
    sbom = out / "sbom.cdx.json"
    write_sbom(package.digest, components, sbom)
    click.echo(f"SBOM: {sbom}")
    status, lines = summarise(components, look_up_vulnerabilities(components, _TOOLS_PYTHON))
    click.echo("\n".join(lines))
    sys.exit(status)


if __name__ == "__main__":
    main()
