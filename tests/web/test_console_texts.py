"""The texts of the console: each in both languages, none unused, none missing."""

import json
import re
import shutil
from pathlib import Path
from typing import get_args

import pytest

from chalicelib.callers import Channel, DeviceMode
from chalicelib.contributions.model import Payer
from chalicelib.corrections.fields import PATHS
from chalicelib.notifications.model import SmsState
from chalicelib.registrations.corrections import CorrectionState
from chalicelib.registrations.model import EventType, Flag, Status, Verification
from chalicelib.registrations.reported_events import Cancellation
from chalicelib.registrations.worker import Check
from chalicelib.reviews.model import ReviewKind, ReviewState
from chalicelib.rollups.model import SummaryState
from chalicelib.sms_purposes import Purpose
from chalicelib.web.site import CONSOLE_DIRECTORY, load_console_site
from tests.support.source_tree import ROOT
from tests.web.test_texts import PLACEHOLDER, run_in_node

SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder in ("pages", "scripts")
    for path in sorted((CONSOLE_DIRECTORY / folder).glob("*.js"))
}
KEY = re.compile(r'"([a-z_]+\.[a-z_]+)"')
# What is chosen by a value: `tOf("status", value)`, or t(`figure.${name}`).
GROUP = re.compile(r"""\b(?:tOf\("([a-z_]+)"|t\(`([a-z_]+)\.)""")


# The values that the API sends, by the group of texts that names them to people.
VALUES: dict[str, tuple[str, ...]] = {
    "cancel_reason": get_args(Cancellation.model_fields["reason"].annotation),
    "channel": tuple(Channel),
    "check": tuple(Check),
    "correction_state": tuple(CorrectionState),
    "device_mode": tuple(set(DeviceMode) - {DeviceMode.SELF}),
    "event": tuple(EventType),
    "field": tuple(path.rpartition(".")[2] for path in PATHS.values()),
    "flag": tuple(Flag),
    "payer": get_args(Payer),
    "purpose": tuple(Purpose),
    "review_action": tuple(ReviewState),
    "review_done": tuple(ReviewState),
    "review_kind": tuple(ReviewKind),
    "review_state": tuple(ReviewState),
    "sms_state": tuple(SmsState),
    "status": tuple(Status),
    "summary_state": tuple(SummaryState),
    "verification": tuple(Verification),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Return every text by its key and language, as the console has them: with the modules that it shares."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: the texts of the console are read with it")
    served, site = tmp_path_factory.mktemp("console"), load_console_site()
    for name in site.names:
        if name.endswith(".js"):
            (served / name).parent.mkdir(exist_ok=True)
            (served / name).write_bytes(site.get_file(site.release, name).content)
    (served / "package.json").write_text('{"type": "module"}')
    return read_texts(served / "texts" / "translate.js")


def read_texts(translate: Path) -> dict[str, dict[str, str]]:
    """Return the texts that a module has."""
    address = json.dumps(translate.as_uri())
    found: dict[str, dict[str, str]] = run_in_node(
        f"import({address}).then(m => console.log(JSON.stringify(m.TEXTS)))"
    )
    return found


def find_groups() -> set[str]:
    """Return the groups of texts that the pages choose from by a value."""
    found = GROUP.findall("\n".join(SOURCES.values()))
    return {group for groups in found for group in groups if group}


def test_every_text_is_in_both_languages_with_the_same_values(texts: dict[str, dict[str, str]]) -> None:
    for key, by_language in texts.items():
        assert set(by_language) == {"id", "en"}, key
        indonesian, english = by_language["id"], by_language["en"]
        assert indonesian.strip() == indonesian != "", key
        assert english.strip() == english != "", key
        assert set(PLACEHOLDER.findall(indonesian)) == set(PLACEHOLDER.findall(english)), key


@pytest.mark.parametrize("group", VALUES)
def test_every_value_of_the_api_has_a_text(texts: dict[str, dict[str, str]], group: str) -> None:
    # The console names a field by what it is about.
    values = {"work_place" if each == "place" and group == "field" else each for each in VALUES[group]}
    assert [value for value in sorted(values) if f"{group}.{value}" not in texts] == []


def test_no_text_is_unused(texts: dict[str, dict[str, str]]) -> None:
    named, groups = set(KEY.findall("\n".join(SOURCES.values()))), find_groups()
    assert [key for key in texts if key not in named and key.partition(".")[0] not in groups] == []


def test_every_text_that_is_named_exists(texts: dict[str, dict[str, str]]) -> None:
    prefixes = {key.partition(".")[0] for key in texts}
    named = {
        (path.relative_to(ROOT).as_posix(), key)
        for path, code in SOURCES.items()
        for key in KEY.findall(code)
        if key.partition(".")[0] in prefixes
    }
    assert [each for each in sorted(named) if each[1] not in texts] == []
