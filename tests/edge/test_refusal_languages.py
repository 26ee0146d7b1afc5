"""Refusals are in Indonesian or English, as `Accept-Language` requests."""

import pytest

from tests.edge.conftest import Edge, assert_problem
from tests.support.payloads import make_capture_payload

LANGUAGE_BY_HEADER = {
    "id": "id",
    "id-ID,id;q=0.9,en;q=0.8": "id",
    "in-ID,in;q=0.9,en;q=0.7": "id",
    "en;q=0.7,in_ID": "id",
    "en_US,in;q=0.9": "en",
    "en": "en",
    "EN-gb, id;q=0.5": "en",
    "fr, en;q=0.3": "en",
    "fr": "id",
    "*": "id",
    "": "id",
    ";;,,q=,": "id",
    "id;q=0.1, en;q=0.9": "en",
    "id;q=0, *": "en",
    "en;q=0, *;q=0.5": "id",
}
TITLE_AND_MESSAGE = {
    "id": ("Data belum memenuhi ketentuan.", "NIK harus 16 angka. Yang diketik 1 angka."),
    "en": ("The data breaks rules of registration.", "A NIK has 16 digits. You typed 1."),
}


def test_a_refusal_is_in_the_requested_language(edge: Edge, subtests: pytest.Subtests) -> None:
    capture = make_capture_payload(worker={"nik": "1"})
    for header, language in LANGUAGE_BY_HEADER.items():
        with subtests.test(header):
            response = edge.register(capture, Accept_Language=header)
            problem = assert_problem(response, 422, "rules_broken")
            assert (problem["title"], problem["errors"][0]["message"]) == TITLE_AND_MESSAGE[language]
            assert response.headers["Content-Language"] == language


def test_a_refusal_is_in_indonesian_if_no_language_is_requested(edge: Edge) -> None:
    response = edge.register(b"{", caller="kiosk")

    assert response.headers["Content-Language"] == "id"


REFUSED_BODIES = {
    "malformed JSON": (b"{", 400, "json_malformed"),
    "not a capture": (b"[]", 422, "body_invalid"),
    "too large": (b" " * 70_000, 413, "body_too_large"),
    "unknown campaign": (make_capture_payload(campaign_id="never-opened"), 404, "campaign_unknown"),
}


def test_the_title_of_each_refusal_is_translated(edge: Edge, subtests: pytest.Subtests) -> None:
    for name, (body, status, code) in REFUSED_BODIES.items():
        with subtests.test(name):
            titles = {
                assert_problem(
                    edge.register(body, caller="kiosk anywhere", Accept_Language=language), status, code
                )["title"]
                for language in ("id", "en")
            }
            assert len(titles) == 2
