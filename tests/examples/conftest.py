"""The example's files, their captures by worker, and the expected counts."""

import json
from collections import defaultdict

import pytest

from ops.project import EXAMPLE_DIR
from tests.examples.capture_lines import DEVICES, Body, CaptureLine, parse_files


@pytest.fixture(scope="module")
def files() -> dict[str, list[CaptureLine]]:
    return parse_files({path.name: path.read_text(encoding="utf-8") for path in EXAMPLE_DIR.glob("*.jsonl")})


@pytest.fixture(scope="module")
def lines(files: dict[str, list[CaptureLine]]) -> list[CaptureLine]:
    return [line for device in DEVICES for line in files[device]]


@pytest.fixture(scope="module")
def captures(lines: list[CaptureLine]) -> list[CaptureLine]:
    """Return the first valid line of each capture id."""
    first: dict[str, CaptureLine] = {}
    for line in lines:
        if not line.mistake:
            first.setdefault(line.capture_id, line)
    return list(first.values())


@pytest.fixture(scope="module")
def visits(captures: list[CaptureLine]) -> dict[str, list[CaptureLine]]:
    """Return the captures by NIK."""
    found = defaultdict(list)
    for capture in captures:
        found[capture.nik].append(capture)
    return found


@pytest.fixture(scope="module")
def expected() -> Body:
    loaded: Body = json.loads((EXAMPLE_DIR / "expected.json").read_text(encoding="utf-8"))
    return loaded
