"""The registrations and captures that a restore takes away, by what people can do about them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.private_files import write_private_file
from ops.restore.items import Item

_CAPTURE, _REGISTRATION = "CAPTURE", "APPLICATION"


@dataclass
class Losses:
    """Captures that came after the moment, and registrations that changed after it.

    `lost` are the captures by their keys: the device and its number, None for one that came from a bot or
    another program without a number. `changed` are the registrations whose later status is lost, with that
    status. `last_numbers` are the last known numbers of devices, where nobody knows what came later.
    `restored_at` is when the tables were taken back; what is left then is to open the stage.
    `is_done` says that it is open again, and that they were told.
    """

    lost: dict[str, tuple[str, int] | None] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)
    last_numbers: dict[str, int] = field(default_factory=dict)
    restored_at: str | None = None
    is_done: bool = False

    @classmethod
    def from_file(cls, file: Path) -> "Losses":
        """Read what `write` has written; there are no losses without a file."""
        if not file.exists():
            return cls()
        values = json.loads(file.read_text(encoding="utf-8"))
        lost = {key: None if each is None else (each[0], each[1]) for key, each in values["lost"].items()}
        return cls(**{**values, "lost": lost, "destroyed": set(values["destroyed"])})

    def write(self, file: Path) -> None:
        """Write them before anything is taken away: a run that was cut off does not find them again."""
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private_file(file, json.dumps({**vars(self), "destroyed": sorted(self.destroyed)}))

    @property
    def captures(self) -> int:
        """Return the number of lost captures."""
        return len(self.lost)

    @property
    def unnumbered(self) -> int:
        """Return the number of lost captures that came without a number."""
        return sum(each is None for each in self.lost.values())

    def record(self, current: Item | None, restored: Item | None) -> None:
        """Take note of one change that a merge makes to the registrations table. It may be repeated."""
        kind = (current or restored or {})["sk"]["S"]
        if kind == _CAPTURE and current is not None and restored is None:
            self.lost[current["pk"]["S"]] = _find_number(current)
        if kind != _REGISTRATION:
            return
        if current is not None and restored is not None:
            if "destroyed_at" in current and "destroyed_at" not in restored:
                self.destroyed.add(current["reference"]["S"])
            elif current.get("status") != restored.get("status"):
                self.changed.setdefault(current["reference"]["S"], current["status"]["S"])

    def record_last_number(self, item: Item) -> None:
        """Take note of a capture that is kept, where nobody knows which came after it."""
        if item["sk"]["S"] == _CAPTURE and (found := _find_number(item)) is not None:
            client_id, number = found
            self.last_numbers[client_id] = max(number, self.last_numbers.get(client_id, 0))

    def list_runs(self) -> list[dict[str, Any]]:
        """Return the numbers of lost captures as runs: of which device, from, and to, None for no end."""
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for client_id, number in filter(None, self.lost.values()):
            numbers[client_id].append(number)
        runs = [
            {"client_id": client_id, "first": first, "last": last}
            for client_id, own in sorted(numbers.items())
            for first, last in _iter_runs(sorted(own))
        ]
        return runs + [
            {"client_id": client_id, "first": number + 1, "last": None}
            for client_id, number in sorted(self.last_numbers.items())
        ]


def _find_number(capture: Item) -> tuple[str, int] | None:
    if "device_sequence" in capture and "client_id" in capture:
        return capture["client_id"]["S"], int(capture["device_sequence"]["N"])
    return None


def _iter_runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number of each run of successive numbers."""
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] > numbers[end - 1] + 1:
            yield numbers[start], numbers[end - 1]
            start = end
