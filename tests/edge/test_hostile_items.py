"""Hostile items of a batch: each gets the problem that it gets alone, and its neighbours their verdicts."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.http.problems import MAX_FIELD_ERRORS
from chalicelib.strict_json import MAX_DEPTH, MAX_DIGITS
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import encode_payload, make_capture_id, make_capture_payload, make_nik

BATCH = "/v1/registrations/batch"
MAX_LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


def make_neighbour(number: int) -> bytes:
    # The neighbours share a phone, so that they are processed one after the other: moto allows no more.
    return encode_payload(
        make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(number)})
    )


def nest(depth: int, *, start: bytes = b"[", end: bytes = b"]", inside: bytes = b"") -> bytes:
    return start * depth + inside + end * depth


def make_item(value: bytes, *, place: str = '"Blok A"') -> bytes:
    """Return a capture with one value replaced by any bytes."""
    text = json.dumps(make_capture_payload(capture_id=make_capture_id(99), worker={"nik": make_nik(99)}))
    assert text.count(place) == 1
    return text.encode().replace(place.encode(), value)


MANY_KEYS = b"{%s}" % b",".join(b'"k%d":0' % number for number in range(5000))
MANY_KEYS_TWICE = b'{"a":{%s}}' % b",".join([b'"k":0'] * 8000)

# Each of them as an item, and the code of its problem.
HOSTILE_ITEMS: dict[str, tuple[bytes, str]] = {
    "4,400 digits": (make_item(b"9" * 4400), "json_malformed"),
    "minus 4,400 digits": (make_item(b"-" + b"9" * 4400, place="2500000"), "json_malformed"),
    "4,400 digits alone": (b"9" * 4400, "json_malformed"),
    "4,400 digits of a fraction": (make_item(b"0." + b"9" * 4400, place="2500000"), "json_malformed"),
    "an exponent of 4,400 digits": (make_item(b"1e" + b"9" * 4400, place="2500000"), "json_malformed"),
    "the most digits": (make_item(b"9" * MAX_DIGITS, place="2500000"), "body_invalid"),
    "4,400 digits in a string": (make_item(b'"%s"' % (b"9" * 4400)), "body_invalid"),
    "1e999": (make_item(b"1e999", place="2500000"), "body_invalid"),
    "NaN": (make_item(b"NaN", place="2500000"), "body_invalid"),
    "minus NaN": (make_item(b"-NaN", place="2500000"), "json_malformed"),
    "the deepest": (make_item(nest(MAX_DEPTH - 2)), "body_invalid"),
    "one too deep": (make_item(nest(MAX_DEPTH - 1)), "json_malformed"),
    "lists 5,000 deep": (make_item(nest(5000)), "json_malformed"),
    "objects 5,000 deep": (make_item(nest(5000, start=b'{"a":', end=b"}", inside=b"1")), "json_malformed"),
    "a high surrogate": (make_item(b'"\\ud83d"'), "json_malformed"),
    "a low surrogate": (make_item(b'"\\ude00"'), "json_malformed"),
    "a surrogate in UTF-8": (make_item(b'"\xed\xa0\xbd"'), "json_malformed"),
    "bytes that are no UTF-8": (make_item(b'"\xff\xfe"'), "json_malformed"),
    "a NUL": (make_item(b'"\x00"'), "json_malformed"),
    "a form feed before it": (b"\x0c" + make_item(b'"Blok A"'), "json_malformed"),
    "a key twice": (make_item(b'"Blok A", "place": "Blok B"'), "body_invalid"),
    "a key 8,000 times": (MANY_KEYS_TWICE, "body_invalid"),
    "5,000 keys": (MANY_KEYS, "body_invalid"),
    "a string of 70 KB": (make_item(b'"%s"' % (b"A" * 70_000)), "body_too_large"),
    "a word": (b"nul", "json_malformed"),
    "two in one": (b"{} {}", "json_malformed"),
    "a comma too many": (make_item(b'"Blok A",'), "json_malformed"),
    "brackets of two kinds": (make_item(b"[}"), "json_malformed"),
    "brackets in a string": (make_item(b'"]}],[{"', place='"ofc-12"'), "body_invalid"),
    "an escaped quote": (make_item(b'"\\"]\\\\"', place='"ofc-12"'), "body_invalid"),
}


def send_batch(edge: Edge, *items: bytes) -> list[dict[str, Any]]:
    response = edge.send("POST", BATCH, b'{"items": [%s]}' % b", ".join(items))
    assert response.status_code == 200, response.body[:300]
    assert len(response.body) < MAX_LAMBDA_ANSWER_BYTES
    results: list[dict[str, Any]] = response.json_body["results"]
    assert len(results) == len(items)
    return results


def test_a_hostile_item_is_refused_with_its_code_alone_and_among_others(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()
    alone = {}
    for name, (item, code) in HOSTILE_ITEMS.items():
        with subtests.test(name):
            alone[name] = edge.register(item).json_body
            assert alone[name]["code"] == code
    assert dump_stored_state() == before

    items = [item for item, _ in HOSTILE_ITEMS.values()]
    neighbours = [make_neighbour(number) for number in range(1, len(items) + 1)]
    results = send_batch(edge, *(each for pair in zip(items, neighbours, strict=True) for each in pair))

    assert {each["outcome"] for each in results[1::2]} == {"created"}
    assert {each["outcome"] for each in results[::2]} == {"invalid"}
    assert dict(zip(HOSTILE_ITEMS, (each["problem"] for each in results[::2]), strict=True)) == alone
    assert [line for line in log_output.lines if line["level"] == "ERROR"] == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())
HOSTILE_VALUES = st.one_of(
    JSON_VALUES,
    st.integers(1, 5000).map(lambda digits: b"7" * digits),
    st.integers(1, 1200).map(nest),
    st.integers(1, 40).map(lambda times: b"{%s}" % b",".join([b'"k":0'] * times)),
    st.sampled_from(
        [
            b"1e999",
            b"-Infinity",
            b"NaN",
            b"-0",
            b"01",
            b"tru",
            b"1 2",
            b"[,]",
            b"[1,]",
            b"{]",
            b"\xff",
            b"'a'",
        ]
    ),
    # No quote and no backslash, so that the string ends where it should.
    st.binary(max_size=6).map(lambda text: b'"%s"' % text.translate(None, b'"\\')),
    st.sampled_from([b"\\ud800", b"\\udc00", b"\\u0000", b"\\x", b'\\"', b"]}", b"A" * 66_000]).map(
        lambda text: b'"%s"' % text
    ),
)
PLACES = st.sampled_from(
    ['"Blok A"', '"Melati Kusumawati"', "2500000", '["porter"]', f'"{make_capture_id(99)}"', '"consent"']
)
ITEMS = HOSTILE_VALUES | st.builds(lambda value, place: make_item(value, place=place), HOSTILE_VALUES, PLACES)


@given(item=ITEMS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_item_has_the_answer_of_the_same_body_alone_and_its_neighbours_have_theirs(
    edge: Edge, item: bytes
) -> None:
    alone = edge.register(item)

    first, result, last = send_batch(edge, make_neighbour(1), item, make_neighbour(2))

    assert (first["outcome"], last["outcome"]) == ("created", "created")
    assert (result.get("problem") or result) == alone.json_body


def test_an_answer_names_fifty_of_thousands_of_unknown_fields(edge: Edge) -> None:
    problem = assert_problem(edge.register(MANY_KEYS), 422, "body_invalid")
    checks = edge.send("POST", "/v1/checks", MANY_KEYS).json_body["errors"]

    assert len(problem["errors"]) == len(checks) == MAX_FIELD_ERRORS
    assert {each["outcome"] for each in send_batch(edge, *[MANY_KEYS] * 20)} == {"invalid"}


@pytest.mark.parametrize("item", [b'{"a": 1', b'{"a": "}', b'{"a": 1}}', b"", b" "], ids=ascii)
def test_a_batch_that_cannot_be_cut_into_items_is_refused_and_nothing_is_stored(
    edge: Edge, item: bytes
) -> None:
    before = dump_stored_state()
    body = b'{"items": [%s, %s, %s]}' % (make_neighbour(1), item, make_neighbour(2))

    assert_problem(edge.send("POST", BATCH, body), 400, "json_malformed")

    assert dump_stored_state() == before
