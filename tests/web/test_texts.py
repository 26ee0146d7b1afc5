"""The texts of the web app: each in both languages, none unused, none missing."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from chalicelib.web.site import STATIC_DIRECTORY
from tests.support.source_tree import ROOT

TRANSLATE = STATIC_DIRECTORY / "texts" / "translate.js"
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder in ("screens", "scripts")
    for path in sorted((STATIC_DIRECTORY / folder).glob("*.js"))
}
KEY = re.compile(r'"([a-z]+\.[a-z_]+(?:\.[A-Za-z_]+)?)"')
# The paths of a capture look like keys.
CAPTURE_PATHS = {"consent.given_at", "consent.text_version"}
GROUP = re.compile(r"""\b(?:tOf\("([a-z.]+)"|t\(`([a-z.]+)\.\$\{)""")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def texts() -> dict[str, dict[str, str]]:
    """Return every text by its key and language, as the app has them."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: the texts of the web app are read with it")
    program = f"import({json.dumps(TRANSLATE.as_uri())}).then(m => console.log(JSON.stringify(m.TEXTS)))"
    found: dict[str, dict[str, str]] = run_in_node(program)
    return found


def run_in_node(program: str) -> Any:
    """Return what a program prints as JSON."""
    return json.loads(
        subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True).stdout
    )


def find_groups(code: str) -> set[str]:
    """Return the groups of texts that a script chooses from by a value."""
    return {group for found in GROUP.findall(code) for group in found if group}


def test_every_text_is_in_both_languages_with_the_same_values(texts: dict[str, dict[str, str]]) -> None:
    for key, by_language in texts.items():
        assert set(by_language) == {"id", "en"}, key
        indonesian, english = by_language["id"], by_language["en"]
        assert indonesian.strip() == indonesian != "", key
        assert english.strip() == english != "", key
        assert set(PLACEHOLDER.findall(indonesian)) == set(PLACEHOLDER.findall(english)), key


def test_no_text_is_unused(texts: dict[str, dict[str, str]]) -> None:
    code = "\n".join(SOURCES.values())
    named, groups = set(KEY.findall(code)), find_groups(code)
    # What is said to workers themselves takes the place of what is said to officers.
    spoken = [key.removesuffix(".own") for key in texts]
    assert [key for key in spoken if key not in texts] == []
    assert [key for key in spoken if key not in named and key.rpartition(".")[0] not in groups] == []


def test_one_thing_is_not_said_in_the_plural(texts: dict[str, dict[str, str]]) -> None:
    values = dict.fromkeys({name for text in texts.values() for name in PLACEHOLDER.findall(text["en"])}, 1)
    program = (
        f"import({json.dumps(TRANSLATE.as_uri())}).then(m => console.log(JSON.stringify(Object.fromEntries("
        f"Object.keys(m.TEXTS).map(key => [key, m.tIn('en', key, {json.dumps(values)})])))))"
    )
    said = run_in_node(program)
    assert said["months.count"] == "1 month"
    assert {key: text for key, text in said.items() if re.search(r"\b1 \w+s\b", text)} == {}


def test_every_text_that_is_named_exists(texts: dict[str, dict[str, str]]) -> None:
    prefixes = {key.partition(".")[0] for key in texts}
    named = {
        (path.relative_to(ROOT).as_posix(), key)
        for path, code in SOURCES.items()
        for key in KEY.findall(code)
        if key.partition(".")[0] in prefixes and key not in CAPTURE_PATHS | find_groups(code)
    }
    assert [each for each in sorted(named) if each[1] not in texts] == []
