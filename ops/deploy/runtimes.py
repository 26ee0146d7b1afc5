"""The Python and the processor that a zip is made for: those of Lambda, or those of this machine."""

import json
import platform
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_DATA = Path(__file__).with_name("runtimes.json")

# The names that Python's wheels have for Lambda's processors. All of these run on Amazon Linux 2023.
_WHEEL_PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}
_MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


@dataclass(frozen=True)
class Target:
    """A Python, as `3.13`, and a processor, as Lambda names it."""

    python: str
    architecture: str

    @property
    def runtime(self) -> str:
        """Return Lambda's name of the Python."""
        return f"python{self.python}"

    @property
    def wheel_platforms(self) -> list[str]:
        """Return pip's names of the platforms whose wheels run on Lambda."""
        return [f"{each}_{_WHEEL_PROCESSORS[self.architecture]}" for each in _MANYLINUX]


# Python 3.12 or later has SnapStart. arm64 costs a fifth less, and every library has a wheel for it.
LAMBDA = Target("3.13", "arm64")


def find_own_target() -> Target:
    """Return the Python that runs this, on the processor of this machine."""
    processor = "arm64" if platform.machine().lower() in {"aarch64", "arm64"} else "x86_64"
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", processor)


def find_target(stage: str) -> Target:
    """Return what a stage runs on: the local one on this machine, any other on Lambda."""
    return find_own_target() if stage == "local" else LAMBDA


def read_end_of_support(runtime: str) -> date:
    """Return the day on which AWS ends its support of a runtime. Raise KeyError for one without a date."""
    return date.fromisoformat(json.loads(_DATA.read_text(encoding="utf-8"))["ends"][runtime])
