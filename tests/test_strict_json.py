"""JSON whose objects name each key once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.strict_json import iter_repeated_keys, load_data_file, parse_json

_DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(_DOCUMENTS)
def test_a_document_without_repeated_keys_is_read_as_it_is(document: Any) -> None:
    text = json.dumps(document)

    assert parse_json(text) == document
    assert list(iter_repeated_keys(parse_json(text))) == []


@given(_DOCUMENTS, _DOCUMENTS)
def test_a_key_that_is_there_twice_is_found_at_any_depth(first: Any, second: Any) -> None:
    text = f'{{"list": [1, {{"key": {json.dumps(first)}, "other": 0, "key": {json.dumps(second)}}}]}}'

    assert list(iter_repeated_keys(parse_json(text))) == [("list", 1, "key")]


def test_many_repeated_keys_at_great_depth_take_no_time_or_memory_to_speak_of() -> None:
    depth, width = 400, 20_000
    text = "[" * depth + ",".join(['{"a":1,"a":2}'] * width) + "]" * depth

    paths = iter_repeated_keys(parse_json(text))

    assert len(next(paths)) == depth + 1


def test_a_data_file_with_a_repeated_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rows\.0\.id is written twice"):
        load_data_file('{"rows": [{"id": 1, "id": 2}]}')
