"""The rights of each command: of commands that exist, used by their code, and refused beyond."""

import ast
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import xform_name
from click.testing import CliRunner

from ops.cli import main
from ops.commands import rights
from ops.deploy.stages import Stage
from ops.project import ROOT
from tests.ops.command_lines import COMMANDS, DEPLOYING, STAGE_COMMANDS
from tests.support.operator_rights import ACTIONS, RE_ENCRYPTION, enforce_operator_rights
from tests.support.source_tree import find_imports

_IN_TRANSACTIONS = {f"dynamodb:{name}Item": name for name in ("ConditionCheck", "Put", "Update", "Delete")}
# AWS asks for it when something is made with tags.
_WITHOUT_AN_OPERATION = {"sms-voice:TagResource"}


@cache
def find_module(name: str) -> ast.Module | None:
    path = ROOT.joinpath(*name.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    return ast.parse(file.read_text(encoding="utf-8")) if file.exists() else None


@cache
def list_imports(name: str) -> frozenset[str]:
    tree = find_module(name)
    imported = find_imports(tree) if tree else set()
    return frozenset(
        each for each in imported if each.startswith(("ops", "chalicelib")) and find_module(each)
    )


def find_words(command: str) -> set[str]:
    """Return the attributes and the texts in all modules that a command's module imports."""
    modules, found = [str(COMMANDS[command].callback.__module__)], set()
    words: set[str] = set()
    while modules:
        module = modules.pop()
        if module in found:
            continue
        found.add(module)
        modules += list_imports(module)
        for node in ast.walk(find_module(module) or ast.Module([], [])):
            match node:
                case ast.Attribute(attr=word) | ast.Constant(value=str(word)):
                    words.add(word)
    return words


def test_rights_are_of_commands_that_work_on_a_stage() -> None:
    assert set(rights.ACTIONS) <= {*STAGE_COMMANDS, *DEPLOYING}


@pytest.mark.parametrize("command", rights.ACTIONS)
def test_the_code_of_a_command_calls_what_it_has_the_right_to(command: str) -> None:
    words = find_words(command)

    def is_called(action: str) -> bool:
        names = [action, *(operation for operation, its_action in ACTIONS.items() if its_action == action)]
        names += ["kms:ReEncrypt"] if action in RE_ENCRYPTION else []
        calls = {xform_name(each.partition(":")[2]) for each in names}
        return bool(calls & words) or _IN_TRANSACTIONS.get(action) in words

    idle = rights.list_actions(command) - _WITHOUT_AN_OPERATION
    assert [action for action in sorted(idle) if not is_called(action)] == []


def test_a_command_is_refused_what_its_row_does_not_name(
    moto_stage: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "ACTIONS", {})
    with enforce_operator_rights() as refused:
        session: Any = boto3.Session()
        stage = Stage("try", {"SendingTableName": "SendingTable"}, session.client)
        result = CliRunner().invoke(main, ["sms", "stop", "maintenance"], obj=stage)
    assert result.exit_code == 1
    assert "AccessDenied" in result.output
    assert refused == ["sms stop: dynamodb:UpdateItem"]
