"""Ask pip-audit which vulnerabilities are known of the libraries in the zip.

pip-audit exits 0 with "no known vulnerabilities" also if its service knows none of the libraries, and 1 both
for a vulnerability and for a service that it cannot reach. So its report is read, and a library counts as
looked up only if the report says what is known of it.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from ops.audit.components import Component

_SECONDS_PER_REQUEST = 15


@dataclass(frozen=True)
class Lookup:
    """The known vulnerabilities, a line for each, and the libraries of which nothing could be learned."""

    vulnerabilities: tuple[str, ...]
    not_looked_up: tuple[str, ...]


def look_up_vulnerabilities(components: Sequence[Component], python: Path) -> Lookup:
    """Run pip-audit, which `python` has installed, for exactly these versions. It installs nothing."""
    with NamedTemporaryFile("w", suffix=".txt") as pins:
        pins.writelines(f"{component.name}=={component.version}\n" for component in components)
        pins.flush()
        command: list[str | Path] = [python, "-P", "-m", "pip_audit", "--requirement", pins.name]
        command += ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
        command += ["--timeout", str(_SECONDS_PER_REQUEST)]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
    return read_report(completed.stdout, components)


def read_report(report: str, components: Sequence[Component]) -> Lookup:
    """Read a report of pip-audit in JSON. Without a report, nothing was looked up."""
    try:
        entries = json.loads(report)["dependencies"]
        looked_up = {_normalise(entry["name"]): entry["vulns"] for entry in entries if "vulns" in entry}
    except (ValueError, KeyError, TypeError):
        looked_up = {}
    vulnerabilities = [
        f"{component.name} {component.version}: {known['id']}, mended in {_join(known['fix_versions'])}"
        for component in components
        for known in looked_up.get(_normalise(component.name), [])
    ]
    missing = [component.name for component in components if _normalise(component.name) not in looked_up]
    return Lookup(tuple(vulnerabilities), tuple(missing))


def _normalise(name: str) -> str:
    return name.replace("_", "-").lower()


def _join(versions: Sequence[str]) -> str:
    return ", ".join(versions) or "no version yet"
