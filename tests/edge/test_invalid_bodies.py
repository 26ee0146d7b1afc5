"""Bodies that are not a capture: each gets its problem, and nothing of it is stored, logged or repeated.

`tests/test_problems.py` has the codes, `tests/registrations/test_messages.py` the limits of each field.
"""

import json
import unicodedata
from typing import Any

import pytest

from chalicelib.http.endpoints import MAX_BODY_BYTES
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import encode_payload, make_capture_payload, make_nik

# A value that no response, item or log line may repeat.
PERSONAL_VALUE = "Melati-Tidak-Boleh-Tampak"


def remove_field(*path: str) -> bytes:
    """Return a capture without one field."""
    capture = make_capture_payload()
    group = capture
    for name in path[:-1]:
        group = group[name]
    del group[path[-1]]
    return encode_payload(capture)


def replace_text(old: str, new: str) -> bytes:
    """Return a capture with one piece of its JSON replaced."""
    text = json.dumps(make_capture_payload())
    assert old in text
    return text.replace(old, new).encode()


MALFORMED_BODIES: dict[str, bytes] = {
    "empty": b"",
    "white space": b"  \n",
    "half a capture": encode_payload(make_capture_payload())[:200],
    "two captures": encode_payload(make_capture_payload()) * 2,
    "single quotes": replace_text('"officer"', "'officer'"),
    "a trailing comma": encode_payload(make_capture_payload())[:-1] + b",}",
    "a form": b"nik=3171075204857001&name=" + PERSONAL_VALUE.encode(),
    "XML": b"<worker><name>" + PERSONAL_VALUE.encode() + b"</name></worker>",
    "invalid UTF-8": encode_payload(make_capture_payload()).replace(b"Melati", b"\xff\xfe\xfa"),
    "overlong UTF-8": encode_payload(make_capture_payload()).replace(b"Melati", b"\xc0\xaf"),
    "a lone high surrogate": replace_text("Melati", "\\ud83d"),
    "a lone low surrogate": replace_text("Melati", "\\ude00"),
    "a control character": replace_text("Melati", "Mel\nati"),
    "objects nested too deep": b'{"worker":' * 5000 + b"1" + b"}" * 5000,
    "arrays nested too deep": b"[" * 30_000,
    "a number with a leading zero": replace_text("2500000", "02500000"),
    "UTF-16": json.dumps(make_capture_payload()).encode("utf-16"),
}


def set_field(path: str, value: Any, code: str = "value_wrong_type") -> tuple[bytes, str, str]:
    """Return a capture with a value at a path, the path and the code of its error."""
    group, _, name = path.rpartition(".")
    capture = (
        make_capture_payload(**{group: {name: value}}) if group else make_capture_payload(**{name: value})
    )
    return encode_payload(capture), path, code


INVALID_BODIES: dict[str, tuple[bytes, str, str]] = {
    "an array": (b"[" + encode_payload(make_capture_payload()) + b"]", "", "value_wrong_type"),
    "a string": (json.dumps(PERSONAL_VALUE).encode(), "", "value_wrong_type"),
    "no NIK": (remove_field("worker", "nik"), "worker.nik", "field_missing"),
    "no time of consent": (remove_field("consent", "given_at"), "consent.given_at", "field_missing"),
    "an unknown field": set_field("worker.mother", PERSONAL_VALUE, "field_unknown"),
    "an unknown field with a personal name": (
        encode_payload(make_capture_payload(worker={PERSONAL_VALUE: 1})),
        "worker.?",
        "field_unknown",
    ),
    "a name as null": set_field("worker.name", None),
    "a name as a list": set_field("worker.name", [PERSONAL_VALUE]),
    "a very long address": set_field("worker.address", PERSONAL_VALUE * 100, "value_too_long"),
    "an income as a boolean": set_field("work.monthly_income", True),
    "an income beyond 64 bits": set_field("work.monthly_income", 2**70, "value_out_of_range"),
    "an income of 400 digits": set_field("work.monthly_income", 10**400, "value_out_of_range"),
    "a boolean as a number": set_field("work.employs_others", 1),
    "an occupation as a sentence": (
        encode_payload(make_capture_payload(work={"occupations": ["porter", PERSONAL_VALUE]})),
        "work.occupations.1",
        "value_malformed",
    ),
    "months as a string": set_field("coverage.months", "3", "value_not_allowed"),
    "a capture id as a number": set_field("capture_id", 7),
    "a campaign id with a line break": set_field("campaign_id", "tanah-abang-2024\n", "value_malformed"),
    "a campaign id that is too long": set_field("campaign_id", "a" * 65, "value_malformed"),
    "a birth date with a time": set_field("worker.birth_date", "1985-04-12T00:00:00", "value_malformed"),
    "a birth date as a number": set_field("worker.birth_date", 482112000),
    "a time without an hour": set_field("captured_at", "2024-10-09", "value_malformed"),
    "a time of 25 o'clock": set_field("captured_at", "2024-10-09T25:00:00+07:00", "value_malformed"),
    "an offset of 99 hours": set_field("captured_at", "2024-10-09T11:12:00+99:00", "value_malformed"),
    "an officer with a name": set_field("officer", f"{PERSONAL_VALUE} si petugas", "value_malformed"),
    "an unknown method of consent": set_field("consent.method", PERSONAL_VALUE, "value_not_allowed"),
    "NaN": (replace_text("2500000", "NaN"), "work.monthly_income", "value_wrong_type"),
    "infinity": (replace_text("2500000", "Infinity"), "work.monthly_income", "value_wrong_type"),
    "minus infinity": (replace_text("2500000", "-Infinity"), "work.monthly_income", "value_wrong_type"),
    "too large for a float": (replace_text("2500000", "1e999"), "work.monthly_income", "value_wrong_type"),
}


def test_a_body_that_is_not_json_is_refused(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for name, body in MALFORMED_BODIES.items():
        with subtests.test(name):
            problem = assert_problem(edge.register(body), 400, "json_malformed")
            assert "errors" not in problem

    assert dump_stored_state() == before
    assert PERSONAL_VALUE not in log_output.text


def test_an_invalid_field_is_named_and_its_value_is_not_repeated(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for name, (body, field, code) in INVALID_BODIES.items():
        with subtests.test(name):
            response = edge.register(body)
            problem = assert_problem(response, 422, "body_invalid")
            assert {(error["field"], error["code"]) for error in problem["errors"]} == {(field, code)}
            assert all(error["message"] for error in problem["errors"])
            assert dump_stored_state() == before
            assert PERSONAL_VALUE not in response.body.decode()
            assert make_nik() not in response.body.decode()

    assert PERSONAL_VALUE not in log_output.text
    assert make_nik() not in log_output.text
    assert "Traceback" not in log_output.text


def test_all_invalid_fields_are_named_at_once(edge: Edge) -> None:
    body = make_capture_payload(
        officer="?", worker={"name": "", "birth_date": "soon"}, work={"monthly_income": -1}
    )

    problem = assert_problem(edge.register(body), 422, "body_invalid")

    fields = [error["field"] for error in problem["errors"]]
    assert fields == ["officer", "worker.name", "worker.birth_date", "work.monthly_income"]


def test_a_body_over_the_maximum_size_is_refused(edge: Edge, log_output: LogOutput) -> None:
    before = dump_stored_state()
    address = PERSONAL_VALUE * (MAX_BODY_BYTES // len(PERSONAL_VALUE))

    response = edge.register(make_capture_payload(worker={"address": address}))

    assert_problem(response, 413, "body_too_large")
    assert dump_stored_state() == before
    assert PERSONAL_VALUE not in log_output.text


def test_a_body_of_exactly_the_maximum_size_is_accepted(edge: Edge) -> None:
    body = encode_payload(make_capture_payload())

    assert edge.register(body + b" " * (MAX_BODY_BYTES - len(body))).status_code == 201


def test_another_media_type_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    before = dump_stored_state()

    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "*/*"):
        with subtests.test(media_type):
            response = edge.register(make_capture_payload(), Content_Type=media_type)
            assert_problem(response, 415, "media_type_unsupported")

    assert dump_stored_state() == before


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;v=1"]
)
def test_json_may_be_declared_in_several_ways(edge: Edge, media_type: str) -> None:
    assert edge.register(make_capture_payload(), Content_Type=media_type).status_code == 201


@pytest.mark.parametrize("name", ["Mel\x00ati", "Mel\x1bati", "{reference}"])
def test_an_invalid_name_is_refused_and_not_repeated(edge: Edge, log_output: LogOutput, name: str) -> None:
    response = edge.register(make_capture_payload(worker={"name": name}))

    problem = assert_problem(response, 422, "rules_broken")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("worker.name", "name_characters")
    ]
    for output in (response.body.decode(), log_output.text, dump_stored_state()):
        assert name not in output
        assert ascii(name)[1:-1] not in output


@pytest.mark.parametrize("name", ["E\u0301mi", "\u0938\u0940\u0924\u093e"], ids=ascii)
def test_a_name_in_another_script_is_accepted_and_shown_normalised(edge: Edge, name: str) -> None:
    response = edge.register(make_capture_payload(worker={"name": name}))

    assert response.status_code == 201
    shown = edge.send("GET", f"/v1/registrations/{response.json_body['reference']}").json_body
    assert shown["worker"]["name"][0] == unicodedata.normalize("NFC", name)[0]
