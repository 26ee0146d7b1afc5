"""The audit: what is in the zip is found in the zip, and nothing counts as looked up that was not."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from ops.audit.__main__ import FOUND, NOT_LOOKED_UP, NOTHING_FOUND, summarise
from ops.audit.components import Component, list_components
from ops.audit.licences import is_allowed
from ops.audit.vulnerabilities import Lookup, look_up_vulnerabilities, read_report
from ops.errors import OperationError
from ops.project import ROOT

JINJA = Component("Jinja2", metadata.version("Jinja2"), "BSD-3-Clause")
PYDANTIC_CORE = Component("pydantic_core", "2.0", "MIT")
UNCLEAR = Component("unclear", "1.0", "see the file")
AUDIT_PYTHON = ROOT / ".audit" / "bin" / "python"
NOTHING_KNOWN = Lookup((), ())


def write_zip(path: Path, *names: str) -> Path:
    with ZipFile(path / "deployment.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return path / "deployment.zip"


def write_report(**known: Sequence[str] | str) -> str:
    """Return a report of pip-audit: ids of vulnerabilities by library, or why it was skipped."""
    return json.dumps(
        {
            "dependencies": [
                {"name": name, "skip_reason": value}
                if isinstance(value, str)
                else {"name": name, "vulns": [{"id": each, "fix_versions": ["9.9"]} for each in value]}
                for name, value in known.items()
            ]
        }
    )


def test_libraries_are_found_by_their_code(tmp_path: Path) -> None:
    archive = write_zip(
        tmp_path, "app.py", "chalicelib/languages.py", "__pycache__/app.pyc", "jinja2/nodes.py"
    )
    assert list_components(archive) == [JINJA]


def test_code_that_belongs_to_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="`smuggled`"):
        list_components(write_zip(tmp_path, "app.py", "smuggled/module.py"))


def test_a_library_of_another_version_than_the_tested_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match=r"jinja2_0\.1"):
        list_components(write_zip(tmp_path, "jinja2/nodes.py", "jinja2-0.1.dist-info/WHEEL"))


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("BSD-2-Clause AND Unlicense", True),
        ("(MIT OR Apache-2.0)", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", False),
        ("MIT AND LicenseRef-Own", False),
        ("Apache License 2.0", False),
        ("MIT, Own", False),
        ("", False),
        (None, False),
    ],
)
def test_a_licence_is_allowed_if_each_one_that_it_names_is(licence: str | None, allowed: bool) -> None:
    assert is_allowed(licence) is allowed


def test_a_known_vulnerability_is_reported_with_the_version_that_mends_it() -> None:
    lookup = read_report(write_report(jinja2=["CVE-2099-1"], **{"pydantic-core": []}), [JINJA, PYDANTIC_CORE])
    assert lookup == Lookup((f"Jinja2 {JINJA.version}: CVE-2099-1, mended in 9.9",), ())


def test_a_library_that_the_service_does_not_know_was_not_looked_up() -> None:
    report = write_report(jinja2="Dependency not found", **{"pydantic-core": []})
    assert read_report(report, [JINJA, PYDANTIC_CORE]) == Lookup((), ("Jinja2",))


@pytest.mark.parametrize(
    "report", ["", "no JSON", "[]", "{}", '{"dependencies": null}', '{"dependencies": []}']
)
def test_without_a_report_nothing_was_looked_up(report: str) -> None:
    assert read_report(report, [JINJA]) == Lookup((), ("Jinja2",))


def test_without_the_tool_nothing_was_looked_up() -> None:
    # This environment has no pip-audit.
    assert look_up_vulnerabilities([JINJA], Path(sys.executable)) == Lookup((), ("Jinja2",))


@pytest.mark.parametrize(
    ("components", "lookup", "status"),
    [
        ([JINJA], NOTHING_KNOWN, NOTHING_FOUND),
        ([JINJA], Lookup((), ("Jinja2",)), NOT_LOOKED_UP),
        ([JINJA], Lookup(("Jinja2: CVE-2099-1",), ()), FOUND),
        ([JINJA, UNCLEAR], NOTHING_KNOWN, FOUND),
        ([JINJA, UNCLEAR], Lookup((), ("unclear",)), FOUND),
    ],
)
def test_the_exit_status_says_if_something_was_found_or_not_looked_up(
    components: Sequence[Component], lookup: Lookup, status: int
) -> None:
    assert summarise(components, lookup)[0] == status


def test_each_finding_has_a_line_that_names_it() -> None:
    _, lines = summarise([JINJA, UNCLEAR], Lookup(("Jinja2: CVE-2099-1",), ("unclear",)))
    assert lines == [
        "licence not allowed: unclear 1.0: see the file",
        "vulnerability: Jinja2: CVE-2099-1",
        "NOT LOOKED UP, the service of known vulnerabilities did not say: unclear",
    ]


def test_the_sbom_names_the_zip_by_its_hash_and_each_library_with_its_licence() -> None:
    given = {
        "digest": "ab" * 32,
        "components": [{"name": "Jinja2", "version": "3", "licence": "BSD-3-Clause"}],
    }
    command: list[str | Path] = [AUDIT_PYTHON, "-m", "ops.audit.sbom"]
    completed = subprocess.run(
        command, cwd=ROOT, input=json.dumps(given), check=True, capture_output=True, text=True
    )
    document = json.loads(completed.stdout)
    [library] = document["components"]
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert (library["name"], library["version"], library["licenses"]) == (
        "Jinja2",
        "3",
        [{"license": {"id": "BSD-3-Clause"}}],
    )
