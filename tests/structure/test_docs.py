"""Every file that a page of the documentation names or links to exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        ROOT / "README.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "infra").glob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    )
)
SUFFIXES = "py|md|json|jsonl|yaml|toml|txt|css|js|j2|png"
NAMED = re.compile(rf"`((?:[\w.-]+/)*[\w.-]+\.(?:{SUFFIXES}))`")
LINKED = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
# Files that a run makes, and names that are none of ours: routes, a row of an export, packages' files.
NOT_COMMITTED = re.compile(r"^(\.local|\.daftar|dist)/|^(_manifest|openapi|stage)\.json$|^deploy\.toml$")
REMOVED = {"docs/api.md"}


def iter_files() -> Iterator[str]:
    for folder in (
        "app.py",
        "Makefile",
        ".chalice",
        "bench",
        "chalicelib",
        "docs",
        "examples",
        "infra",
        "ops",
        "tests",
    ):
        path = ROOT / folder
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (f"/{each.relative_to(ROOT).as_posix()}" for each in files)
    yield from (f"/{each.name}" for each in ROOT.iterdir())


FILES = sorted(set(iter_files()))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = {
        name
        for name in NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
        if not NOT_COMMITTED.search(name)
    }
    missing = {name for name in named if not any(file.endswith(f"/{name}") for file in FILES)}
    assert missing - (REMOVED if page.startswith("docs/decisions/") else set()) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    folder = Path(page).parent
    assert [link for link in LINKED.findall(text) if not (ROOT / folder / link).exists()] == []


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = [row.casefold() for row in rows if row != "Word"]
    assert words == sorted(set(words))
