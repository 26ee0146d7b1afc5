"""Requirements have exact versions and hashes; those of the zip have allowed licences, and none is idle."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement as Need
from packaging.utils import canonicalize_name

from ops.audit.licences import READ_BY_A_PERSON, find_licence, is_allowed
from ops.project import ROOT
from tests.support.requirements import DIRECT_REQUIREMENTS, Requirement, parse_requirements, read_requirements

REQUIRED = {str(canonicalize_name(each.name)): each for each in read_requirements()}
# Every file of requirements that anything installs from.
FILES = sorted(
    path.relative_to(ROOT) for place in ("", "ops/*/") for path in ROOT.glob(f"{place}*requirements*.txt")
)


def list_needs(name: str) -> set[str]:
    """Return what a library needs on any platform and Python: no marker counts but those of extras."""
    needs = [Need(line) for line in metadata.distribution(name).requires or ()]
    return {str(canonicalize_name(need.name)) for need in needs if "extra" not in str(need.marker)}


@pytest.mark.parametrize("requirement", REQUIRED.values(), ids=lambda each: each.name)
def test_every_requirement_has_the_hash_of_a_wheel_and_of_the_source(requirement: Requirement) -> None:
    assert len(set(requirement.hashes)) == len(requirement.hashes) >= 2


@pytest.mark.parametrize("requirement", REQUIRED.values(), ids=lambda each: each.name)
def test_the_tests_run_with_the_version_that_is_deployed(requirement: Requirement) -> None:
    assert metadata.version(requirement.name) == requirement.version


def test_whatever_a_requirement_needs_on_any_platform_is_a_requirement() -> None:
    # pip refuses to install anything from a file with hashes that lacks one of them.
    assert {need for name in REQUIRED for need in list_needs(name)} <= set(REQUIRED)


def test_nothing_is_required_that_neither_we_nor_a_requirement_needs() -> None:
    ours = {str(canonicalize_name(each.name)): each for each in read_requirements(DIRECT_REQUIREMENTS)}
    assert {name: each.version for name, each in ours.items()}.items() <= {
        name: each.version for name, each in REQUIRED.items()
    }.items()
    assert set(REQUIRED) == set(ours) | {need for name in REQUIRED for need in list_needs(name)}


@pytest.mark.parametrize("name", [*REQUIRED, "chalice"])
def test_every_library_in_the_zip_has_an_allowed_licence(name: str) -> None:
    licence = find_licence(metadata.distribution(name))
    assert is_allowed(licence), licence


def test_a_licence_that_a_person_read_is_that_of_the_installed_version() -> None:
    assert {(name, metadata.version(name)) for name, _ in READ_BY_A_PERSON} == set(READ_BY_A_PERSON)


def test_the_layer_of_exports_has_an_allowed_licence_and_needs_nothing_else() -> None:
    [library] = read_requirements(ROOT / "ops" / "deploy" / "parquet_requirements.txt")
    assert is_allowed(find_licence(metadata.distribution(library.name)))
    assert list_needs(library.name) == set()


def test_the_files_of_requirements_are_those_that_make_writes_and_installs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installed = re.findall(r"pip install .*--requirement (\S+)", makefile)
    assert sorted(map(str, FILES)) == sorted(installed)
    assert len(re.findall(r"pip install .*--require-hashes .*--requirement", makefile)) == len(installed)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_of_requirements_names_exact_versions_with_hashes_and_no_address(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert [each.name for each in read_requirements(ROOT / path) if not each.hashes] == []
    assert not re.search(r"://|index-url|find-links|trusted-host|^-", text, re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_of_requirements_has_what_the_file_beside_it_asks_for(path: Path) -> None:
    asked = (ROOT / path).with_suffix(".in").read_text(encoding="utf-8").replace("-c requirements.txt\n", "")
    written = {canonicalize_name(each.name): each.version for each in read_requirements(ROOT / path)}
    wanted = {canonicalize_name(each.name): each.version for each in parse_requirements(asked)}
    assert wanted.items() <= written.items()


def test_the_tools_have_the_libraries_of_the_zip_in_the_versions_of_the_zip() -> None:
    tools = {
        str(canonicalize_name(each.name)): each for each in read_requirements(ROOT / "requirements-dev.txt")
    }
    assert {name: tools[name] for name in tools.keys() & REQUIRED} == {
        name: REQUIRED[name] for name in tools.keys() & REQUIRED
    }


@pytest.mark.parametrize("line", ["jinja2", "jinja2>=3", "jinja2==3.1.6 --hash=md5:00", "-r other.txt"])
def test_a_line_without_an_exact_version_or_with_another_hash_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    with pytest.raises(ValueError, match="exact version"):
        read_requirements(tmp_path / "requirements.txt")
