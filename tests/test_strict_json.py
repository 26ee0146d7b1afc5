"""JSON whose objects name each key once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.strict_json import (
    MAX_DEPTH,
    MAX_DIGITS,
    cut_out_items,
    iter_repeated_keys,
    load_data_file,
    require_within_limits,
)

_DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(_DOCUMENTS)
def test_a_document_without_repeated_keys_is_read_as_it_is(document: Any) -> None:
    text = json.dumps(document)

    assert load_data_file(text) == document
    assert list(iter_repeated_keys(text)) == []


@given(_DOCUMENTS, _DOCUMENTS)
def test_a_key_that_is_there_twice_is_found_at_any_depth(first: Any, second: Any) -> None:
    text = f'{{"list": [1, {{"key": {json.dumps(first)}, "other": 0, "key": {json.dumps(second)}}}]}}'

    assert list(iter_repeated_keys(text)) == [("list", 1, "key")]


def test_many_repeated_keys_at_great_depth_take_no_time_or_memory_to_speak_of() -> None:
    depth, width = 400, 20_000
    text = "[" * depth + ",".join(['{"a":1,"a":2}'] * width) + "]" * depth

    paths = iter_repeated_keys(text)

    assert len(next(paths)) == depth + 1


@given(st.lists(_DOCUMENTS, max_size=5), st.sampled_from([None, 0, "\t"]), st.booleans())
def test_the_items_of_a_list_are_cut_out_as_they_are(
    documents: list[Any], indent: int | str | None, ensure_ascii: bool
) -> None:
    text = json.dumps({"items": documents}, indent=indent, ensure_ascii=ensure_ascii)

    envelope, items = cut_out_items(text.encode())

    assert [json.loads(item) for item in items] == documents
    assert json.loads(envelope) == {"items": list(range(len(documents)))}


@pytest.mark.parametrize(
    "document", ["1", "[1, {}]", '{"items": {"a": [1, 2]}}', '{"items": 1}', "{", "]]]", ""]
)
def test_a_document_without_a_list_in_an_object_is_left_as_it_is(document: str) -> None:
    assert cut_out_items(document.encode())[0] == document.encode()


@pytest.mark.parametrize(
    "document",
    [
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        "[" + "[{}, []]," * MAX_DEPTH + "1]",
        json.dumps("[" * 1000 + '"\\' + "{" * 1000),
        "9" * MAX_DIGITS,
        json.dumps("9" * 9000),
        json.dumps(['\\"', "9" * 9000]),
    ],
    ids=["deep", "wide", "brackets in a string", "digits", "digits in a string", "after a quote"],
)
def test_a_document_within_the_limits_passes(document: str) -> None:
    require_within_limits(document.encode())


@pytest.mark.parametrize(
    "document",
    [
        '{"a":' * (MAX_DEPTH + 1),
        "[" * (MAX_DEPTH + 1),
        "9" * (MAX_DIGITS + 1),
        f'{{"9": -1.{"9" * (MAX_DIGITS + 1)}}}',
    ],
    ids=["objects", "lists", "digits", "digits of a fraction"],
)
def test_a_document_beyond_the_limits_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="too"):
        require_within_limits(document.encode())


def test_a_data_file_with_a_repeated_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rows\.0\.id is written twice"):
        load_data_file('{"rows": [{"id": 1, "id": 2}]}')
