"""The texts of the web app: each in both languages, none unused, none missing."""

import json
import re
import shutil
import subprocess

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
GROUP = re.compile(r'\btOf\("([a-z.]+)"')
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def texts() -> dict[str, dict[str, str]]:
    """Return every text by its key and language, as the app has them."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the texts of the web app are read with it")
    program = f"import({json.dumps(TRANSLATE.as_uri())}).then(m => console.log(JSON.stringify(m.TEXTS)))"
    printed = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True).stdout
    found: dict[str, dict[str, str]] = json.loads(printed)
    return found


def test_every_text_is_in_both_languages_with_the_same_values(texts: dict[str, dict[str, str]]) -> None:
    for key, by_language in texts.items():
        assert set(by_language) == {"id", "en"}, key
        indonesian, english = by_language["id"], by_language["en"]
        assert indonesian.strip() == indonesian != "", key
        assert english.strip() == english != "", key
        assert set(PLACEHOLDER.findall(indonesian)) == set(PLACEHOLDER.findall(english)), key


def test_no_text_is_unused(texts: dict[str, dict[str, str]]) -> None:
    code = "\n".join(SOURCES.values())
    named, groups = set(KEY.findall(code)), set(GROUP.findall(code))
    unused = [key for key in texts if key not in named and key.rpartition(".")[0] not in groups]
    assert unused == []


def test_every_text_that_is_named_exists(texts: dict[str, dict[str, str]]) -> None:
    prefixes = {key.partition(".")[0] for key in texts}
    named = {
        (path.relative_to(ROOT).as_posix(), key)
        for path, code in SOURCES.items()
        for key in KEY.findall(code)
        if key.partition(".")[0] in prefixes and key not in CAPTURE_PATHS | set(GROUP.findall(code))
    }
    assert [each for each in sorted(named) if each[1] not in texts] == []
