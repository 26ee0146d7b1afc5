"""Compressed bodies over HTTP: taken in like the same bodies uncompressed, on every route."""

import gzip
import json
from typing import Any

from chalicelib.registrations.batch import MAX_BODY_BYTES
from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

BATCH = "/v1/registrations/batch"


def make_capture(number: int) -> dict[str, Any]:
    return make_capture_payload(
        capture_id=make_capture_id(number),
        worker={"nik": make_nik(number), "phone": f"0824-5551-{number:04}"},
    )


def compress(body: Any) -> bytes:
    return gzip.compress(json.dumps(body).encode())


def test_a_compressed_batch_gets_the_verdicts_of_the_same_batch(edge: Edge) -> None:
    batch = {"items": [make_capture(number) for number in range(1, 21)]}

    compressed = edge.send("POST", BATCH, compress(batch), Content_Encoding="gzip")
    plain = edge.send("POST", BATCH, batch)

    assert {each["outcome"] for each in compressed.json_body["results"]} == {"created"}
    assert [each["reference"] for each in compressed.json_body["results"]] == [
        each["reference"] for each in plain.json_body["results"]
    ]


def test_a_single_capture_may_be_compressed_too(edge: Edge) -> None:
    response = edge.send("POST", "/v1/registrations", compress(make_capture(1)), Content_Encoding="gzip")
    assert (response.status_code, response.json_body["outcome"]) == (201, "created")


def test_what_unpacks_to_more_than_a_batch_is_refused_and_stores_nothing(edge: Edge) -> None:
    before = dump_stored_state()
    bomb = gzip.compress(b'{"items": [' + b" " * (200 * MAX_BODY_BYTES) + b"]}")

    assert len(bomb) < MAX_BODY_BYTES
    assert_problem(edge.send("POST", BATCH, bomb, Content_Encoding="gzip"), 413, "body_too_large")
    assert dump_stored_state() == before


def test_a_damaged_or_unknown_compression_is_refused_and_stores_nothing(edge: Edge) -> None:
    before = dump_stored_state()
    whole = compress({"items": [make_capture(1)]})

    assert_problem(edge.send("POST", BATCH, whole[:-9], Content_Encoding="gzip"), 400, "gzip_malformed")
    assert_problem(edge.send("POST", BATCH, whole, Content_Encoding="br"), 415, "encoding_unsupported")
    assert_problem(edge.send("POST", BATCH, whole), 400, "json_malformed")
    assert dump_stored_state() == before
