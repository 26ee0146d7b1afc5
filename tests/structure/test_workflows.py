"""The workflows: each action is pinned by its hash, no job has rights that it does not need."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from ops.cli import main
from ops.deploy.runtimes import LAMBDA
from tests.support.source_tree import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: Mapping[str, Any] = {file.name: yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES}
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]

# A version beside the hash tells people, and tools that propose updates, what it is.
PINNED = re.compile(r"^\s*(?:- )?uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$")

# The rights beyond reading the sources, and the jobs that have them.
WIDER_RIGHTS = {
    ("deploy.yml", "package"): {"id-token": "write", "attestations": "write"},
    ("deploy.yml", "dev"): {"id-token": "write", "attestations": "read"},
    ("deploy.yml", "production"): {"id-token": "write", "attestations": "read"},
}


def iter_steps(workflow: str, job: str) -> Iterator[Mapping[str, Any]]:
    yield from WORKFLOWS[workflow]["jobs"][job]["steps"]


def read_triggers(workflow: str) -> Mapping[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    triggers: Mapping[str, Any] = WORKFLOWS[workflow][True]
    return triggers


def test_there_are_workflows() -> None:
    assert [file.name for file in FILES] == ["deploy.yml", "gate.yml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_full_hash_and_names_its_version(file: Path) -> None:
    uses = [line for line in file.read_text(encoding="utf-8").splitlines() if re.search(r"\buses:", line)]
    assert uses
    assert [line for line in uses if not PINNED.match(line)] == []


def test_an_action_has_one_hash_in_all_workflows() -> None:
    found = {
        match.groups()
        for file in FILES
        for line in file.read_text(encoding="utf-8").splitlines()
        if (match := PINNED.match(line))
    }
    names = [name for name, _ in found]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_has_no_rights_and_runs_no_code_of_strangers_with_any(workflow: str) -> None:
    assert WORKFLOWS[workflow]["permissions"] == {}
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(read_triggers(workflow))


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_a_job_has_the_rights_that_it_needs_and_a_time_limit(workflow: str, job: str) -> None:
    declared = WORKFLOWS[workflow]["jobs"][job]
    assert declared["permissions"] == {"contents": "read", **WIDER_RIGHTS.get((workflow, job), {})}
    assert 0 < declared["timeout-minutes"] <= 60


def test_jobs_of_a_pull_request_can_sign_and_deploy_nothing() -> None:
    for job in WORKFLOWS["gate.yml"]["jobs"].values():
        assert "id-token" not in job["permissions"]
        assert "environment" not in job


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_a_checkout_leaves_no_token_behind(workflow: str, job: str) -> None:
    checkouts = [step for step in iter_steps(workflow, job) if "checkout@" in step.get("uses", "")]
    assert checkouts
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_a_script_gets_values_by_its_environment_only(workflow: str, job: str) -> None:
    # A value that is pasted into a script, such as the name of a branch, could be a command.
    assert [step for step in iter_steps(workflow, job) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_secret_is_stored(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "aws-access-key-id" not in text


def test_production_is_behind_its_environment_and_after_dev() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert (jobs["dev"]["environment"], jobs["dev"]["needs"]) == ("dev", "package")
    assert (jobs["production"]["environment"], jobs["production"]["needs"]) == ("production", "dev")
    assert jobs["production"]["steps"] == jobs["dev"]["steps"]
    assert read_triggers("deploy.yml") == {"push": {"branches": ["main"]}}
    assert WORKFLOWS["deploy.yml"]["concurrency"]["cancel-in-progress"] is False


def test_only_what_was_signed_is_deployed() -> None:
    scripts = [step.get("run", "") for step in iter_steps("deploy.yml", "production")]
    [verified] = [number for number, script in enumerate(scripts) if "gh attestation verify" in script]
    [deployed] = [number for number, script in enumerate(scripts) if "daftar deploy" in script]
    assert scripts.index("make package") < verified < deployed
    signed = next(
        step for step in iter_steps("deploy.yml", "package") if "attest-build" in step.get("uses", "")
    )
    assert "dist/prod/deployment.zip" in signed["with"]["subject-path"]


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_what_is_packaged_is_compiled_by_the_python_of_lambda(workflow: str, job: str) -> None:
    steps = [*iter_steps(workflow, job)]
    versions = [step["with"]["python-version"] for step in steps if "setup-python@" in step.get("uses", "")]
    if any("make package" in step.get("run", "") for step in steps):
        assert versions == [LAMBDA.python]


def test_every_make_target_and_command_of_the_workflows_exists() -> None:
    targets = re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for workflow, job in JOBS:
        for step in iter_steps(workflow, job):
            script = step.get("run", "")
            assert set(re.findall(r"\bmake ([\w-]+)", script)) <= {*targets, "audit"}, script
            if match := re.search(r"daftar (\w+) (.*)", script):
                result = CliRunner().invoke(
                    main, [match[1], *match[2].replace('"$STAGE"', "try").split(), "--help"]
                )
                assert result.exit_code == 0, script
            assert not script.startswith(".ci/") or (ROOT / script.split()[0]).exists(), script
