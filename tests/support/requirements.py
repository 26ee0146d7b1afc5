"""Read requirements: names, exact versions, and hashes of what may be installed."""

import re
from dataclasses import dataclass
from pathlib import Path

from ops.project import ROOT

REQUIREMENTS = ROOT / "requirements.txt"
DIRECT_REQUIREMENTS = ROOT / "requirements.in"


@dataclass(frozen=True)
class Requirement:
    """A library of one exact version. `hashes` are SHA-256, one for each file of that version."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read_requirements(path: Path = REQUIREMENTS) -> list[Requirement]:
    """Return the requirements of a file. Raise ValueError for a line that names no exact version."""
    return parse_requirements(path.read_text(encoding="utf-8"))


def parse_requirements(text: str) -> list[Requirement]:
    """Return the requirements in a text. Raise ValueError for a line that names no exact version."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    return [_parse(line) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _parse(line: str) -> Requirement:
    pin, *options = line.split()
    name, equals, version = pin.partition("==")
    hashes = tuple(option.removeprefix("--hash=sha256:") for option in options)
    if not (name and equals and version) or any(not re.fullmatch("[0-9a-f]{64}", each) for each in hashes):
        raise ValueError(f"not a requirement of an exact version with SHA-256 hashes: {line[:80]}")
    return Requirement(name, version, hashes)
