"""Bodies that no capture can be made of: each gets a problem of its own, and nothing is kept of it."""

import json
import unicodedata
from typing import Any

import pytest

from chalicelib.http.endpoints import MAX_BODY_BYTES
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import encode_payload, make_capture_payload, make_nik

MARK = "Melati-Tidak-Boleh-Tampak"


def without(*path: str) -> bytes:
    """A capture that lacks one field."""
    capture = make_capture_payload()
    inner = capture
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return encode_payload(capture)


def raw(old: str, new: str) -> bytes:
    """A capture with one piece of its text replaced."""
    text = json.dumps(make_capture_payload())
    assert old in text
    return text.replace(old, new).encode()


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n",
    "half a capture": encode_payload(make_capture_payload())[:200],
    "two captures": encode_payload(make_capture_payload()) * 2,
    "single quotes": raw('"officer"', "'officer'"),
    "a trailing comma": encode_payload(make_capture_payload())[:-1] + b",}",
    "a form": b"nik=3171075204857001&name=" + MARK.encode(),
    "XML": b"<worker><name>" + MARK.encode() + b"</name></worker>",
    "invalid UTF-8": encode_payload(make_capture_payload()).replace(b"Melati", b"\xff\xfe\xfa"),
    "overlong UTF-8": encode_payload(make_capture_payload()).replace(b"Melati", b"\xc0\xaf"),
    "a lone high surrogate": raw("Melati", "\\ud83d"),
    "a lone low surrogate": raw("Melati", "\\ude00"),
    "a bare control character": raw("Melati", "Mel\nati"),
    "nested far too deep": b'{"worker":' * 5000 + b"1" + b"}" * 5000,
    "arrays nested far too deep": b"[" * 30_000,
    "a number with a leading zero": raw("2500000", "02500000"),
    "UTF-16": json.dumps(make_capture_payload()).encode("utf-16"),
}

MISSHAPEN: dict[str, tuple[bytes, str, str]] = {
    "null": (b"null", "", "value_wrong_type"),
    "an array": (b"[]", "", "value_wrong_type"),
    "a capture in an array": (b"[" + encode_payload(make_capture_payload()) + b"]", "", "value_wrong_type"),
    "a number": (b"7", "", "value_wrong_type"),
    "a text": (json.dumps(MARK).encode(), "", "value_wrong_type"),
    "true": (b"true", "", "value_wrong_type"),
    "no capture id": (without("capture_id"), "capture_id", "field_missing"),
    "no campaign": (without("campaign_id"), "campaign_id", "field_missing"),
    "no worker": (without("worker"), "worker", "field_missing"),
    "no NIK": (without("worker", "nik"), "worker.nik", "field_missing"),
    "no consent": (without("consent", "given_at"), "consent.given_at", "field_missing"),
    "a field nobody knows": (
        encode_payload(make_capture_payload(nickname=MARK)),
        "nickname",
        "field_unknown",
    ),
    "a field nobody knows, inside": (
        encode_payload(make_capture_payload(worker={"mother": MARK})),
        "worker.mother",
        "field_unknown",
    ),
    "a field named for a person": (
        encode_payload(make_capture_payload(worker={MARK: 1})),
        "worker.?",
        "field_unknown",
    ),
}


def wrong(field: str, value: Any, code: str = "value_wrong_type") -> tuple[bytes, str, str]:
    """A capture with a wrong value in a field given by its path."""
    group, _, name = field.rpartition(".")
    capture = (
        make_capture_payload(**{group: {name: value}}) if group else make_capture_payload(**{name: value})
    )
    return encode_payload(capture), field, code


WRONG_VALUES: dict[str, tuple[bytes, str, str]] = {
    "a worker who is a text": (
        encode_payload({**make_capture_payload(), "worker": MARK}),
        "worker",
        "value_wrong_type",
    ),
    "a worker who is null": (
        encode_payload({**make_capture_payload(), "worker": None}),
        "worker",
        "value_wrong_type",
    ),
    "a NIK that is a number": wrong("worker.nik", 3171075204857001),
    "a name that is null": wrong("worker.name", None),
    "a name that is a list": wrong("worker.name", [MARK]),
    "no name": wrong("worker.name", "", "value_too_short"),
    "a very long name": wrong("worker.name", MARK * 50, "value_too_long"),
    "a very long NIK": wrong("worker.nik", "3" * 5000, "value_too_long"),
    "a very long address": wrong("worker.address", MARK * 100, "value_too_long"),
    "an income that is a text": wrong("work.monthly_income", "2500000"),
    "an income that is a truth": wrong("work.monthly_income", True),
    "an income with a fraction": wrong("work.monthly_income", 2_500_000.5),
    "a negative income": wrong("work.monthly_income", -1, "value_out_of_range"),
    "an income beyond 64 bits": wrong("work.monthly_income", 2**70, "value_out_of_range"),
    "an income beyond any number": wrong("work.monthly_income", 10**400, "value_out_of_range"),
    "a yes that is a text": wrong("work.employs_others", "yes"),
    "a yes that is a number": wrong("work.employs_others", 1),
    "three occupations": wrong("work.occupations", ["porter", "tailor", "courier"], "value_too_long"),
    "no occupation": wrong("work.occupations", [], "value_too_short"),
    "an occupation in prose": (
        encode_payload(make_capture_payload(work={"occupations": ["porter", MARK]})),
        "work.occupations.1",
        "value_malformed",
    ),
    "a programme nobody offers": (
        encode_payload(make_capture_payload(coverage={"programmes": ["JKK", MARK]})),
        "coverage.programmes.1",
        "value_not_allowed",
    ),
    "five months": wrong("coverage.months", 5, "value_not_allowed"),
    "months that are a text": wrong("coverage.months", "3", "value_not_allowed"),
    "a capture id that is no UUID": wrong("capture_id", MARK, "value_malformed"),
    "a capture id that is a number": wrong("capture_id", 7),
    "a campaign id in prose": wrong("campaign_id", f"{MARK} 2024", "value_malformed"),
    "a campaign id with a line break": wrong("campaign_id", "tanah-abang-2024\n", "value_malformed"),
    "a campaign id that is too long": wrong("campaign_id", "a" * 65, "value_malformed"),
    "a birth date in February's 30th": wrong("worker.birth_date", "1985-02-30", "value_malformed"),
    "a birth date as a moment": wrong("worker.birth_date", "1985-04-12T00:00:00", "value_malformed"),
    "a birth date as a number": wrong("worker.birth_date", 482112000),
    "a time without its zone": wrong("captured_at", "2024-10-09T11:12:00", "value_malformed"),
    "a time without an hour": wrong("captured_at", "2024-10-09", "value_malformed"),
    "a time of 25 o'clock": wrong("captured_at", "2024-10-09T25:00:00+07:00", "value_malformed"),
    "a time as a number": wrong("captured_at", 1728447120),
    "an offset of a hundred hours": wrong("captured_at", "2024-10-09T11:12:00+99:00", "value_malformed"),
    "an officer in prose": wrong("officer", f"{MARK} si petugas", "value_malformed"),
    "a method of consent nobody has": wrong("consent.method", MARK, "value_not_allowed"),
    "not a number": (raw("2500000", "NaN"), "work.monthly_income", "value_wrong_type"),
    "infinity": (raw("2500000", "Infinity"), "work.monthly_income", "value_wrong_type"),
    "minus infinity": (raw("2500000", "-Infinity"), "work.monthly_income", "value_wrong_type"),
    "a number too large for a float": (raw("2500000", "1e999"), "work.monthly_income", "value_wrong_type"),
}


def test_a_body_that_is_no_json_is_refused(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for what, body in MALFORMED.items():
        with subtests.test(what):
            problem = assert_problem(edge.register(body), 400, "json_malformed")
            assert "errors" not in problem

    assert dump_stored_state() == before
    assert MARK not in log_output.text


@pytest.mark.parametrize("cases", [MISSHAPEN, WRONG_VALUES], ids=["fields", "values"])
def test_a_body_of_another_shape_is_refused_by_the_name_of_its_field(
    edge: Edge, log_output: LogOutput, subtests: pytest.Subtests, cases: Any
) -> None:
    before = dump_stored_state()

    for what, (body, field, code) in cases.items():
        with subtests.test(what):
            response = edge.register(body)
            problem = assert_problem(response, 422, "body_invalid")
            assert {(error["field"], error["code"]) for error in problem["errors"]} == {(field, code)}
            assert all(error["message"] for error in problem["errors"])
            assert dump_stored_state() == before
            assert MARK not in response.body.decode()
            assert make_nik() not in response.body.decode()

    assert MARK not in log_output.text
    assert make_nik() not in log_output.text
    assert "Traceback" not in log_output.text


def test_every_field_at_fault_is_named_at_once(edge: Edge) -> None:
    body = make_capture_payload(
        officer="?", worker={"name": "", "birth_date": "soon"}, work={"monthly_income": -1}
    )

    problem = assert_problem(edge.register(body), 422, "body_invalid")

    fields = [error["field"] for error in problem["errors"]]
    assert fields == ["officer", "worker.name", "worker.birth_date", "work.monthly_income"]


def test_a_body_larger_than_any_record_is_refused(edge: Edge, log_output: LogOutput) -> None:
    before = dump_stored_state()

    response = edge.register(make_capture_payload(worker={"address": MARK * (MAX_BODY_BYTES // len(MARK))}))

    assert_problem(response, 413, "body_too_large")
    assert dump_stored_state() == before
    assert MARK not in log_output.text


def test_a_body_of_exactly_the_largest_size_is_read(edge: Edge) -> None:
    body = encode_payload(make_capture_payload())

    assert edge.register(body + b" " * (MAX_BODY_BYTES - len(body))).status_code == 201


def test_a_body_declared_as_something_else_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    before = dump_stored_state()

    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "*/*"):
        with subtests.test(kind):
            assert_problem(
                edge.register(make_capture_payload(), Content_Type=kind), 415, "media_type_unsupported"
            )

    assert dump_stored_state() == before


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;v=1"]
)
def test_the_ways_to_say_json_are_one(edge: Edge, kind: str) -> None:
    assert edge.register(make_capture_payload(), Content_Type=kind).status_code == 201


def test_of_a_key_sent_twice_the_last_value_counts(edge: Edge) -> None:
    body = raw('"officer": "ofc-12"', '"officer": "ofc-11", "officer": "ofc-13"')
    reference = edge.register(body).json_body["reference"]

    history = edge.send("GET", f"/v1/registrations/{reference}").json_body["history"]

    assert history[0]["officer"] == "ofc-13"


@pytest.mark.parametrize(
    "name",
    ["Mel\x00ati", "Mel\x1bati", "Me\u0301lati \U0001f33a", "D'Artagnan; DROP TABLE", "{reference}"],
)
def test_a_name_with_hidden_marks_pictures_or_signs_is_refused_and_not_repeated(
    edge: Edge, log_output: LogOutput, name: str
) -> None:
    response = edge.register(make_capture_payload(worker={"name": name}))

    problem = assert_problem(response, 422, "rules_broken")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("worker.name", "name_characters")
    ]
    for told in (response.body.decode(), log_output.text, dump_stored_state()):
        assert name not in told
        assert ascii(name)[1:-1] not in told


@pytest.mark.parametrize(
    "name", ["Me\u0301lati", "\u5f20\u4f1f", "D'Artagnan, DROP TABLE--", "`ls`", "\u0938\u0940\u0924\u093e"]
)
def test_a_strange_name_is_a_name(edge: Edge, name: str) -> None:
    answer = edge.register(make_capture_payload(worker={"name": name}))

    assert answer.status_code == 201
    shown = edge.send("GET", f"/v1/registrations/{answer.json_body['reference']}").json_body
    assert shown["worker"]["name"][0] == unicodedata.normalize("NFC", name)[0]
