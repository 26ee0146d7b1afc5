"""The README of the example states the right numbers."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable

from ops.project import EXAMPLE_DIR
from tests.examples.capture_lines import (
    DEVICES,
    THURSDAY,
    WEDNESDAY,
    Body,
    CaptureLine,
    count_sharers,
)


def read_table(name: str) -> dict[str, list[str]]:
    """Return the rows, by their first cell, of the README's table with this name in its head."""
    blocks = re.split(r"\n\n", (EXAMPLE_DIR / "README.md").read_text(encoding="utf-8"))
    (table,) = [block for block in blocks if block.startswith("|") and name in block.splitlines()[0]]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    return {first: rest for first, *rest in rows}


def test_the_readme_states_the_lines_of_each_file(files: dict[str, list[CaptureLine]]) -> None:
    table = read_table("Lines")
    assert {f"`{path.name}`" for path in EXAMPLE_DIR.iterdir()} == set(table) | {"`README.md`"}
    assert {device: table[f"`{device}.jsonl`"][0] for device in DEVICES} == {
        device: str(len(lines)) for device, lines in files.items()
    }


def test_the_readme_states_the_expected_counts(expected: Body) -> None:
    assert {row: cells[0] for row, cells in read_table("In all").items()} == {
        "Lines sent": str(expected["sends"]["total"]),
        "Captures that count": str(expected["captures"]),
        "Workers, and so registrations and SMS": str(expected["workers"]),
        "Already registered": str(expected["already_registered"]),
        "Refused": str(expected["refused"]["total"]),
        "Answered again with the first answer": str(expected["replays"]),
        "Refused as a reused capture id": str(expected["conflicts"]),
    }
    assert read_table("Sent one device after another") == {
        name: [
            str(day["counts"][count]) for count in ("captures", "created", "already_registered", "refused")
        ]
        for name, day in expected["in_device_order"]["days"].items()
    }


def test_the_readme_counts_the_irregularities(
    lines: list[CaptureLine],
    captures: list[CaptureLine],
    visits: dict[str, list[CaptureLine]],
    files: dict[str, list[CaptureLine]],
) -> None:
    def count_mistakes(*kinds: str) -> int:
        return sum(line.mistake in kinds for line in lines)

    def count_workers(fits: Callable[[list[CaptureLine]], bool]) -> int:
        return sum(fits(found) for found in visits.values())

    names = [found[0].body["worker"]["name"] for found in visits.values()]
    days = [line.day for line in files["van-2"]]
    texts = Counter(line.text for line in lines)
    contents = defaultdict(set)
    for text in texts:
        contents[json.loads(text)["capture_id"]].add(text)
    people_with_mistakes = {
        (line.body["worker"]["name"], line.body["worker"]["birth_date"]) for line in lines if line.mistake
    }
    held = [line for line in files["van-2"][days.index(THURSDAY) :] if line.day == WEDNESDAY]
    sent_before = {line.capture_id for line in files["van-2"][: days.index(THURSDAY)]}
    assert {row: int(cells[0]) for row, cells in read_table("How many").items()} == {
        "Captures sent again, byte for byte": sum(count > 1 for count in texts.values()),
        "Workers who came twice on one day": count_workers(lambda v: len(v) == 2 and v[0].day == v[1].day),
        "Workers who came on both days": count_workers(lambda v: len({capture.day for capture in v}) == 2),
        "Capture ids reused for other content": sum(len(found) > 1 for found in contents.values()),
        "NIKs with a digit too few or too many": count_mistakes("nik_too_short", "nik_too_long"),
        "NIKs with an impossible date": count_mistakes("nik_date"),
        "NIKs with serial 0000": count_mistakes("nik_serial"),
        "NIKs of no province": count_mistakes("nik_province"),
        "Landlines": count_mistakes("phone_landline"),
        "Mobile numbers that are too short": count_mistakes("phone_too_short"),
        "Workers captured correctly after a mistake": count_workers(
            lambda v: (v[0].body["worker"]["name"], v[0].body["worker"]["birth_date"]) in people_with_mistakes
        ),
        "Captures of 9 October that arrive on the 10th": len(
            {line.capture_id for line in held} - sent_before
        ),
        "Captures before 07:00": sum(capture.captured_at.hour < 7 for capture in captures),
        "Phones shared by several workers": len(count_sharers(captures)),
        "Workers with a name of one word": sum(" " not in name for name in names),
        "Names with an apostrophe": sum("'" in name or "\u2019" in name for name in names),
    }
