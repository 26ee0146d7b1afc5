"""Hold checkov's findings in the packaged template against their answers (`make template-audit`).

Exit status: 0 if every finding has an answer, 1 for a finding without one or an answer without a finding, 3
if checkov gave no report.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ops.deploy.packaging import package_app
from ops.project import ROOT

ANSWERS = Path(__file__).with_name("template_answers.json")
CHECKOV = ROOT / ".checkov" / "bin" / "checkov"
_NO_REPORT = 3


def load_answers() -> Mapping[str, Mapping[str, Any]]:
    answers: Mapping[str, Mapping[str, Any]] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return answers


def compare(report: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line for each finding without an answer, and for each answer without a finding.

    An answer is for a check and for some resources, by their logical ids or their types.
    """
    lines = []
    answered = set()
    for finding in report["results"]["failed_checks"]:
        check, (kind, name) = finding["check_id"], finding["resource"].rsplit(".", 1)
        if {kind, name} & {*answers.get(check, {}).get("resources", ())}:
            answered.add(check)
        else:
            lines.append(f"NEW {check} {name}: {finding['check_name']}")
    lines += [f"no longer found: {check}" for check in answers if check not in answered]
    return lines


def run_checkov(template: Path) -> dict[str, Any] | None:
    """Return checkov's report on a template, None if it gives none. It asks no service."""
    command: list[str | Path] = [CHECKOV, "-f", template, "--framework", "cloudformation"]
    options = ["--compact", "--quiet", "--skip-download", "--output", "json"]
    environment = {**os.environ, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
    completed = subprocess.run(
        [*command, *options], capture_output=True, env=environment, text=True, check=False
    )
    try:
        report: dict[str, Any] = json.loads(completed.stdout)
    except ValueError:
        click.echo(completed.stderr, err=True)
        return None
    return report


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def main(out: Path) -> None:
    """Package production into the directory OUT, and audit its template."""
    package_app("prod", out)
    report = run_checkov(out / "template.json")
    if report is None:
        sys.exit(_NO_REPORT)
    lines = compare(report, load_answers())
    summary = report["summary"]
    click.echo(f"checkov: {summary['passed']} passed, {summary['failed']} found")
    click.echo("\n".join(lines) or f"every finding has an answer in {ANSWERS.name}")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
