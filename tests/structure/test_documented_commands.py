"""Every command line of `daftar` in the documentation exists, with its options."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from ops.cli import main
from tests.structure.test_docs import PAGES
from tests.support.source_tree import ROOT

BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
BEGINNING = re.compile(r"^(?:\.venv/bin/)?daftar (?=[a-z-])")
# What follows is no part of the command line.
END = re.compile(r"\s+(?:#|\||&&|;|>)(?:\s|$)")


def iter_lines(text: str) -> Iterator[str]:
    """Yield the command lines of a page, in blocks and in sentences."""
    candidates = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
    candidates += INLINE.findall(BLOCK.sub("", text))
    for line in candidates:
        if found := BEGINNING.match(line):
            yield END.split(line[found.end() :])[0]


def find_fault(line: str) -> str | None:
    """Return what is wrong with the words after `daftar`, None if they are a command with its options."""
    words = shlex.split(line)
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        # `daftar sms stop|resume` and `daftar sms` stand for several commands.
        alternatives = words.pop(0).split("|")
        unknown = [each for each in alternatives if each not in command.commands]
        if unknown:
            return f"there is no {unknown[0]}"
        command = command.commands[alternatives[0]]
    options = {"--help", *(name for each in command.params for name in each.opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
    return f"there is no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_on_a_page_exists(page: str) -> None:
    lines = iter_lines((ROOT / page).read_text(encoding="utf-8"))
    faults = {line: fault for line in lines if (fault := find_fault(line))}
    assert faults == {}


def test_the_search_finds_commands_that_do_not_exist() -> None:
    text = (
        "Run `daftar restor --at X`, `daftar status --all` and `daftar sms`.\n"
        "```sh\n.venv/bin/daftar sms forget --stack a  # x\n"
        "daftar audit --client van-1 | head --lines 2\n```\n"
    )
    lines = list(iter_lines(text))
    assert [find_fault(line) for line in lines] == [
        "there is no forget",
        None,
        "there is no restor",
        "there is no option --all",
        None,
    ]


def test_every_runbook_is_linked_from_the_operating_page_and_names_a_command() -> None:
    folder = ROOT / "docs" / "operating"
    operating = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    pages = sorted(folder.glob("*.md"))
    assert pages
    assert [page.name for page in pages if f"](operating/{page.name})" not in operating] == []
    assert [page.name for page in pages if not list(iter_lines(page.read_text(encoding="utf-8")))] == []
