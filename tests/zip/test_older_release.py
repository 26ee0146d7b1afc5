"""While a release is a canary, and after a rollback, the release before it works on the same items.

`older_release.json` names the commit of that release, and the format of the items that it stores. Where the
clone has the commit, its code takes turns with today's. In a clone without it, as CI's may be, the recorded
shapes of its items are compared alone: what today's code stores has every attribute that they have, of the
same type.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.functions import ITEM_FORMAT
from ops.deploy.libraries import fetch_libraries
from ops.deploy.runtimes import find_own_target
from ops.project import ROOT
from tests.support.emulator_harness import EmulatorHarness
from tests.support.lambda_runtime import LocalFunction
from tests.support.moto_tables import STAGE_ENVIRONMENT
from tests.zip.conftest import StartFunction
from tests.zip.pipeline import Pipeline, StartHandler

pytestmark = pytest.mark.e2e

RELEASE_FILE = Path(__file__).with_name("older_release.json")
OLDER: Mapping[str, Any] = json.loads(RELEASE_FILE.read_text())
# Read here, because tests run without the variables of ours.
IS_RECORDING = "DAFTAR_RECORD_RELEASE" in os.environ
OUR_CODE = ("app.py", "chalicelib")


def list_commits() -> list[str]:
    """Return the commit of the older release if this clone has it."""
    command = ["git", "cat-file", "-e", f"{OLDER['commit']}^{{commit}}"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    return [str(OLDER["commit"])] if found else []


@pytest.fixture
def older_zip(request: pytest.FixtureRequest, unpacked_zip: Path, tmp_path: Path) -> Path:
    """Return the code of another commit with its libraries, and today's Chalice."""
    directory = tmp_path / "older"
    directory.mkdir()
    archive = subprocess.run(
        ["git", "archive", request.param, *OUR_CODE, "requirements.txt"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    subprocess.run(["tar", "-x", "-C", directory], input=archive, check=True)
    libraries = fetch_libraries(find_own_target(), directory / "requirements.txt")
    for entry in [*libraries.iterdir(), unpacked_zip / "chalice"]:
        (directory / entry.name).symlink_to(entry)
    return directory


class Turns:
    """Starts a handler by the code of one release and the next one by that of the other."""

    def __init__(self, first: StartHandler, second: StartHandler) -> None:
        self._first, self._second = first, second

    def __call__(self, handler: str) -> LocalFunction:
        self._first, self._second = self._second, self._first
        return self._second(handler)


@pytest.mark.parametrize("older_zip", list_commits(), indirect=True)
@pytest.mark.parametrize("number", [11, 12], ids=["today's begins", "the older one begins"])
def test_two_releases_take_turns_on_one_registration(
    number: int, older_zip: Path, start_function: StartFunction, emulator_stage: EmulatorHarness
) -> None:
    start = partial(start_function, environment=emulator_stage.environment)
    older = partial(start, unpacked_zip=older_zip)
    turns = Turns(start, older) if number % 2 else Turns(older, start)
    pipeline = Pipeline(emulator_stage, number)
    pipeline.open_campaign(turns)
    reference = pipeline.register(turns)
    pipeline.publish(turns)
    assert any(reference in text for text in pipeline.send(turns))
    pipeline.count(turns)
    pipeline.pay(turns, reference)
    # Both read what the two have stored, and say the same of it.
    registration, summary = pipeline.read(start, reference)
    read_by_older = pipeline.read(older, reference)
    assert registration["status"] == "active"
    assert summary["counts"]["created"] == 1
    for today, before in zip((registration, summary), read_by_older, strict=True):
        assert keep_known(today, before) == before


def keep_known(today: Any, before: Any) -> Any:
    """Return what today's release answers without the fields that the older one does not know."""
    if isinstance(today, dict) and isinstance(before, dict):
        return {name: keep_known(today[name], before[name]) for name in before if name in today}
    if isinstance(today, list) and isinstance(before, list) and len(today) == len(before):
        return [keep_known(*pair) for pair in zip(today, before, strict=True)]
    return today


def test_what_is_stored_has_what_the_older_release_reads(
    start_function: StartFunction, emulator_stage: EmulatorHarness
) -> None:
    start = partial(start_function, environment=emulator_stage.environment)
    pipeline = Pipeline(emulator_stage, 13)
    pipeline.open_campaign(start)
    reference = pipeline.register(start)
    pipeline.publish(start)
    pipeline.send(start)
    pipeline.count(start)
    pipeline.pay(start, reference)
    # Other tests have stored items before, such as registrations that nobody has paid for.
    stored = find_shapes(emulator_stage)
    if IS_RECORDING:
        record_release(stored)
    missing = {
        f"{kind}.{name}": shape
        for kind, attributes in OLDER["items"].items()
        for name, shape in attributes.items()
        if stored.get(kind, {}).get(name) != shape
    }
    # An older release would not find these: first release code that can do without, then raise ITEM_FORMAT.
    assert missing == {}


def test_the_older_release_stores_this_format_or_the_one_before() -> None:
    assert ITEM_FORMAT - OLDER["format"] in {0, 1}


def record_release(items: Mapping[str, Mapping[str, str]]) -> None:
    """Make the present commit the older release, with the shapes of its items (`make record-release`)."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    release = {"commit": head.stdout.strip(), "format": ITEM_FORMAT, "items": items}
    RELEASE_FILE.write_text(json.dumps(release, indent=1, sort_keys=True) + "\n")


def find_shapes(stage: EmulatorHarness) -> dict[str, dict[str, str]]:
    """Return the types of attributes of each kind of items: a table and two prefixes of keys."""
    shapes: dict[str, dict[str, str]] = {}
    dynamodb = stage.emulator.make_client("dynamodb")
    for table in sorted(value for name, value in STAGE_ENVIRONMENT.items() if name.endswith("_TABLE")):
        for item in dynamodb.scan(TableName=table)["Items"]:
            kind = "/".join([table, *map(_name_prefix, _iter_keys(item))])
            found = {name: next(iter(value)) for name, value in item.items()}
            shapes.setdefault(kind, {}).update(found)
    return shapes


def _iter_keys(item: Mapping[str, Any]) -> Iterator[str]:
    yield from (next(iter(item[name].values())) for name in ("pk", "sk") if name in item)


def _name_prefix(key: str) -> str:
    prefix = key.partition("#")[0]
    return prefix if prefix.isupper() and prefix.isalpha() else "*"
