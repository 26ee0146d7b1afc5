"""docs/security.md names real tests: each one in its table exists, and each row has one."""

import ast
import re
from functools import cache

import pytest

from tests.support.source_tree import ROOT

TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
ASVS_REQUIREMENT = re.compile(r"(?:[1-9]|1[0-7])\.\d{1,2}\.\d{1,2}")


def read_rows() -> dict[str, list[str]]:
    """Return the cells of each attack in the table. A row in bold is a heading: who attacks."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ") and not line.startswith(("| Attack", "| **"))
    ]
    return {row[0]: row[1:] for row in rows}


ROWS = read_rows()


@cache
def list_tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("attack", ROWS)
def test_an_attack_has_a_defence_and_tests_that_exist(attack: str) -> None:
    defence, shown_by, _ = ROWS[attack]
    named = TEST.findall(shown_by)
    assert defence
    assert named
    assert TEST.sub("", shown_by).strip(", ") == "", "every test is named as `folder/file.py::test`"
    missing = [f"{path}::{name}" for path, name in named if name not in list_tests(path)]
    assert missing == []
    assert all(name.startswith("test_") for _, name in named)


@pytest.mark.parametrize("attack", ROWS)
def test_an_attack_names_requirements_of_the_asvs_by_number(attack: str) -> None:
    _, _, requirements = ROWS[attack]
    assert all(ASVS_REQUIREMENT.fullmatch(number) for number in requirements.split(", "))


def test_the_table_is_read() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert len(ROWS) >= 15
    assert len(TEST.findall(page)) == sum(len(TEST.findall(cells[1])) for cells in ROWS.values())
