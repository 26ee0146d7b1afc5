"""The irregularities of the example: repeats, returns, reused ids, mistakes, offline devices."""

import json
from collections import Counter, defaultdict

import pytest

from tests.examples.capture_lines import (
    DEVICES,
    THURSDAY,
    WEDNESDAY,
    Body,
    CaptureLine,
    count_sharers,
    find_nik_mistake,
    find_phone_mistake,
    format_e164,
)


def test_workers_with_two_captures_are_counted(visits: dict[str, list[CaptureLine]], expected: Body) -> None:
    twice = {nik: captures for nik, captures in visits.items() if len(captures) > 1}
    assert len(visits) == expected["workers"]
    assert sum(len(captures) - 1 for captures in twice.values()) == expected["already_registered"]
    for captures in twice.values():
        assert len(captures) == 2
        assert len({capture.body["worker"]["name"] for capture in captures}) == 1
        assert len({format_e164(capture) for capture in captures}) == 2
        assert len({tuple(capture.body["work"]["occupations"]) for capture in captures}) == 1


def test_some_workers_come_to_both_vans(visits: dict[str, list[CaptureLine]]) -> None:
    both = [captures for captures in visits.values() if {c.device for c in captures} == {"van-1", "van-2"}]
    assert sum(len({capture.day for capture in captures}) == 1 for captures in both) >= 10
    assert sum(len({capture.day for capture in captures}) == 2 for captures in both) >= 3


def test_workers_of_both_days_are_listed(visits: dict[str, list[CaptureLine]], expected: Body) -> None:
    listed = {frozenset(capture["capture_id"] for capture in pair) for pair in expected["across_days"]}
    assert listed == {
        frozenset(capture.capture_id for capture in captures)
        for captures in visits.values()
        if len({capture.day for capture in captures}) == 2
    }


def test_one_worker_of_both_days_arrives_with_the_later_capture_first(
    visits: dict[str, list[CaptureLine]],
) -> None:
    reversed_visits = [
        captures
        for captures in visits.values()
        if [(capture.device, capture.day) for capture in captures]
        == [("van-2", THURSDAY), ("van-2", WEDNESDAY)]
    ]
    assert len(reversed_visits) == 1


@pytest.mark.parametrize("device", DEVICES)
def test_captures_are_repeated_at_once_and_much_later(
    files: dict[str, list[CaptureLine]], device: str
) -> None:
    places = defaultdict(list)
    for place, line in enumerate(files[device]):
        places[line.text].append(place)
    repeated = [found for found in places.values() if len(found) > 1]
    assert any(found[1] == found[0] + 1 for found in repeated)
    assert any(found[-1] >= found[0] + 20 for found in repeated)
    assert any(len(found) == 4 for found in repeated)


def test_an_already_registered_capture_is_repeated(lines: list[CaptureLine]) -> None:
    first_of_worker: dict[str, str] = {}
    for line in lines:
        if not line.mistake:
            first_of_worker.setdefault(line.nik, line.capture_id)
    repeats = [line for line, count in Counter(line.text for line in lines).items() if count > 1]
    bodies = [CaptureLine("", text, json.loads(text)) for text in repeats]
    assert any(first_of_worker[line.nik] != line.capture_id for line in bodies)


def test_a_capture_id_is_reused_for_the_same_worker_and_for_another(lines: list[CaptureLine]) -> None:
    contents: dict[str, dict[str, CaptureLine]] = defaultdict(dict)
    for line in lines:
        contents[line.capture_id][line.text] = line
    reused = [list(found.values()) for found in contents.values() if len(found) > 1]
    assert sorted(len({line.nik for line in found}) for found in reused) == [1, 2]
    (mixed_up,) = [found[1] for found in reused if found[0].nik != found[1].nik]
    other_lines = [
        line for line in lines if line.nik == mixed_up.nik and line.capture_id != mixed_up.capture_id
    ]
    assert other_lines, "the worker refused under another's id must be registered under an own one"


@pytest.mark.parametrize(
    "mistake",
    [
        "nik_too_short",
        "nik_too_long",
        "nik_date",
        "nik_serial",
        "nik_province",
        "phone_landline",
        "phone_too_short",
    ],
)
def test_every_kind_of_mistake_occurs_under_its_own_capture_id(
    lines: list[CaptureLine], captures: list[CaptureLine], expected: Body, mistake: str
) -> None:
    found = [line for line in lines if line.mistake == mistake]
    assert len(found) == expected["refused"]["by_reason"][mistake]
    assert not {line.capture_id for line in found} & {capture.capture_id for capture in captures}


def test_a_line_has_at_most_one_mistake(lines: list[CaptureLine]) -> None:
    assert not [line for line in lines if find_nik_mistake(line.nik) and find_phone_mistake(line.phone)]


def test_van_2_sends_captures_of_wednesday_on_thursday(
    files: dict[str, list[CaptureLine]],
) -> None:
    days = [line.day for line in files["van-2"]]
    begins, ends = days.index(THURSDAY), len(days) - days[::-1].index(THURSDAY)
    assert days[begins:ends].count(WEDNESDAY) > 10
    assert days[:begins].count(WEDNESDAY) > 10


def test_some_captures_are_on_the_day_before_in_utc(captures: list[CaptureLine]) -> None:
    assert sum(capture.captured_at.hour < 7 for capture in captures) >= 10


def test_families_share_a_phone(captures: list[CaptureLine]) -> None:
    assert sorted(count_sharers(captures)) == [2, 2, 2, 2, 3, 3]
