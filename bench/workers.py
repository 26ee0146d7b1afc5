"""Invented workers by the number: none is another, however many a measurement needs."""

from typing import Any

from tests.builders import a_capture, a_capture_id, a_nik

# A NIK counts the births of a day in a district: four digits.
_IN_A_DISTRICT = 9000


def capture_of(number: int, **changes: Any) -> dict[str, Any]:
    """A capture of the worker with this number, up to 99,999."""
    district, birth = divmod(number, _IN_A_DISTRICT)
    worker = {"nik": a_nik(birth + 1, place=f"9403{district + 1:02}"), "phone": f"0824-555{number:05}"}
    return a_capture(capture_id=a_capture_id(number), worker=worker, **changes)
