"""Batches: items are processed concurrently, except those of one capture or worker; results are in order."""

import json
from threading import Barrier, Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.http.problems import to_field_code
from chalicelib.registrations.batch import MAX_BODY_BYTES, MAX_ITEMS, SubmitBatch, process_items
from chalicelib.registrations.messages import SubmitRegistration
from tests.support.payloads import (
    encode_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)


def make_item(capture: int, nik: int, /, **worker: Any) -> SubmitRegistration:
    """Return a capture of a worker who has no phone unless it is given."""
    payload = make_capture_payload(
        capture_id=make_capture_id(capture), worker={"nik": make_nik(nik), "phone": None, **worker}
    )
    return SubmitRegistration.model_validate_json(encode_payload(payload), strict=True)


class RecordingProcessor:
    """Processes items and records in which order they begin and end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.log: list[tuple[str, int]] = []  # ("begin" or "end", position of the item)

    def __call__(self, item: tuple[int, SubmitRegistration]) -> int:
        with self._lock:
            self.log.append(("begin", item[0]))
        with self._lock:
            self.log.append(("end", item[0]))
        return item[0]

    def ended_before(self, earlier: int, later: int) -> bool:
        """Return True if an item ended before another one began."""
        return self.log.index(("end", earlier)) < self.log.index(("begin", later))


def process(items: list[SubmitRegistration]) -> RecordingProcessor:
    """Process a batch. Return the processor, whose log has the positions of the items."""
    processor = RecordingProcessor()
    positions = {id(item): position for position, item in enumerate(items)}
    results = process_items(items, lambda item: processor((positions[id(item)], item)))
    assert results == list(range(len(items)))
    return processor


def test_items_of_different_workers_are_processed_concurrently() -> None:
    barrier = Barrier(10, timeout=20)
    results = process_items(
        [make_item(number, number) for number in range(1, 11)], lambda item: barrier.wait()
    )
    assert sorted(results) == list(range(10))


def test_two_captures_of_one_worker_are_processed_one_after_the_other() -> None:
    processor = process([make_item(1, 1), make_item(2, 2), make_item(3, 1), make_item(4, 1)])
    assert processor.ended_before(0, 2)
    assert processor.ended_before(2, 3)


@pytest.mark.parametrize(
    "typed",
    [
        *("317107 520485 0001", "3171.0752.0485.0001", "31-71-07-520485-0001", " 3171075204850001 "),
        *("３１７１０７５２０４８５０００１", "\ufeff3171075204850001\u200b"),  # noqa: RUF001 - full width
    ],
    ids=ascii,
)
def test_captures_of_one_worker_conflict_however_the_nik_is_typed(typed: str) -> None:
    assert process([make_item(1, 1), make_item(2, 2, nik=typed)]).ended_before(0, 1)


def test_one_capture_twice_is_processed_one_after_the_other() -> None:
    assert process([make_item(1, 1), make_item(1, 2)]).ended_before(0, 1)


@pytest.mark.parametrize(
    "typed",
    ["+62 824 5550 7001", "０８２４５５５０７００１", "\u202a0824-5550-7001"],  # noqa: RUF001 - full width
    ids=ascii,
)
def test_one_phone_is_known_however_it_is_typed(typed: str) -> None:
    items = [make_item(1, 1, phone=make_phone()), make_item(2, 2, phone=typed)]
    assert process(items).ended_before(0, 1)


def test_an_item_waits_for_an_earlier_item_that_waits_itself() -> None:
    # The second item conflicts with the first and the third; the first and the third do not conflict.
    processor = process([make_item(1, 1), make_item(1, 2), make_item(3, 2)])
    assert processor.ended_before(0, 1)
    assert processor.ended_before(1, 2)


@given(numbers=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=25))
def test_of_two_items_that_share_a_capture_or_a_worker_the_earlier_ends_first(
    numbers: list[tuple[int, int]],
) -> None:
    processor = process([make_item(*each) for each in numbers])
    for later, (capture, nik) in enumerate(numbers):
        for earlier, (earlier_capture, earlier_nik) in enumerate(numbers[:later]):
            if capture == earlier_capture or nik == earlier_nik:
                assert processor.ended_before(earlier, later)


def test_a_refused_item_keeps_its_place_and_conflicts_with_none() -> None:
    items = ["refused", make_item(1, 1), "refused", make_item(2, 1), "refused"]
    assert process_items(items, lambda item: item) == items


def parse_batch(*items: Any) -> SubmitBatch:
    """Parse the body of a batch."""
    return SubmitBatch.model_validate_json(json.dumps({"items": items}), strict=True)


@pytest.mark.parametrize("number", [1, 2, MAX_ITEMS])
def test_a_batch_has_one_to_two_hundred_items(number: int) -> None:
    assert len(parse_batch(*[None] * number).items) == number


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"items": []}, "value_too_short"),
        ({"items": [0] * (MAX_ITEMS + 1)}, "value_too_long"),
        ({}, "field_missing"),
        ([], "value_wrong_type"),
        (None, "value_wrong_type"),
        ({"items": {}}, "value_wrong_type"),
        ({"items": "[]"}, "value_wrong_type"),
        ({"items": None}, "value_wrong_type"),
        ({"items": [0], "device": "van-1"}, "field_unknown"),
        ({"items": [0], "registrations": [1]}, "field_unknown"),
    ],
)
def test_an_invalid_body_is_refused(body: Any, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SubmitBatch.model_validate_json(json.dumps(body), strict=True)
    assert [to_field_code(each["type"]) for each in refused.value.errors()] == [code]


def test_the_items_may_be_called_registrations() -> None:
    body = json.dumps({"registrations": [1, "two", None]})
    assert SubmitBatch.model_validate_json(body, strict=True).items == [1, "two", None]


def test_a_full_batch_of_long_captures_fits_into_a_body() -> None:
    longest = make_capture_payload(
        worker={"address": "A" * 300, "name": "N" * 100, "email": f"{'e' * 245}@mail.id"},
        work={"place": "P" * 120, "occupations": ["construction_labourer", "religious_teacher"]},
    )
    assert len(json.dumps({"items": [longest] * MAX_ITEMS})) < MAX_BODY_BYTES
