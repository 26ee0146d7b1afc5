"""Parsing of stored records: whatever an item holds, it is a record, or it is refused as unreadable."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed
from chalicelib.registrations.store_items import (
    build_capture,
    build_registration,
    parse_capture,
    parse_registration,
)
from chalicelib.registrations.store_readability import check_readable
from tests.support.registration_builders import (
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)

CIPHER = FieldCipher(lambda: FieldKeys(current_key_id="k", by_id={"k": bytes(32)}))
REGISTRATION = build_registration(make_registration(make_reference(1), make_capture_metadata(1)), CIPHER)
CAPTURE = build_capture(make_capture(make_capture_metadata(1), reference=make_reference(1)), CIPHER)
SEALED_PATHS = [("money",), ("facts", "figures"), *(("sealed", name) for name in REGISTRATION["sealed"])]
MISSING = object()
JUNK = st.one_of(
    *(st.just(MISSING), st.none(), st.booleans(), st.integers(), st.decimals(), st.text(), st.binary()),
    *(st.lists(st.text(), max_size=2), st.dictionaries(st.text(), st.text(), max_size=2)),
)


def list_paths(values: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the path of every value, but those of the key."""
    paths: list[tuple[str, ...]] = []
    for name, value in values.items():
        paths += [] if name in {"pk", "sk"} else [(name,)]
        paths += [(name, *rest) for rest in list_paths(value)] if isinstance(value, dict) else []
    return paths


def replace_at(values: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return a copy of the values with another value at a path, or none."""
    changed = deepcopy(values)
    parent = changed
    for name in path[:-1]:
        parent = parent[name]
    if value is MISSING:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return changed


def find_refusal(parse: Callable[..., object], values: dict[str, Any]) -> Exception | None:
    """Return the refusal of a record; None if it was read. Any other error is raised."""
    try:
        parse(values, CIPHER)
    except (RecordUnreadable, RegistrationDestroyed, CaptureErased) as refusal:
        return refusal
    return None


@pytest.mark.parametrize("parse", [parse_registration, check_readable])
@given(path=st.sampled_from(list_paths(REGISTRATION)), junk=JUNK)
def test_any_other_value_in_a_registration_is_read_or_refused(
    parse: Callable[..., object], path: tuple[str, ...], junk: object
) -> None:
    refusal = find_refusal(parse, replace_at(REGISTRATION, path, junk))

    assert not isinstance(refusal, RegistrationDestroyed) or path == ("sealed",)
    assert not isinstance(refusal, RecordUnreadable) or refusal.record == REGISTRATION["pk"]


@pytest.mark.parametrize("parse", [parse_capture, check_readable])
@given(path=st.sampled_from(list_paths(CAPTURE)), junk=JUNK)
def test_any_other_value_in_a_capture_is_read_or_refused(
    parse: Callable[..., object], path: tuple[str, ...], junk: object
) -> None:
    refusal = find_refusal(parse, replace_at(CAPTURE, path, junk))

    assert not isinstance(refusal, CaptureErased) or path == ("fingerprint",)
    assert not isinstance(refusal, RecordUnreadable) or refusal.record == CAPTURE["pk"]


@given(path=st.sampled_from(SEALED_PATHS), data=st.data())
def test_any_altered_bit_of_a_sealed_value_is_found(path: tuple[str, ...], data: st.DataObject) -> None:
    value: Any = REGISTRATION
    for name in path:
        value = value[name]
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    altered = bytearray(value)
    altered[bit // 8] ^= 1 << bit % 8

    refusal = find_refusal(check_readable, replace_at(REGISTRATION, path, bytes(altered)))

    assert isinstance(refusal, RecordUnreadable)
    assert refusal.record == REGISTRATION["pk"]
