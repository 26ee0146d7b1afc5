"""Refusals in Indonesian or English, as the caller asks."""

import pytest

from tests.edge.conftest import Edge, assert_problem
from tests.support.payloads import make_capture_payload

ASKED = {
    "id": "id",
    "id-ID,id;q=0.9,en;q=0.8": "id",
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
TOLD = {
    "id": ("Data belum memenuhi ketentuan.", "NIK harus 16 angka. Yang diketik 1 angka."),
    "en": ("The data breaks rules of registration.", "A NIK has 16 digits. You typed 1."),
}


def test_a_refusal_speaks_the_language_it_was_asked_for(edge: Edge, subtests: pytest.Subtests) -> None:
    for asked, language in ASKED.items():
        with subtests.test(asked):
            response = edge.register(make_capture_payload(worker={"nik": "1"}), Accept_Language=asked)
            problem = assert_problem(response, 422, "rules_broken")
            assert (problem["title"], problem["errors"][0]["message"]) == TOLD[language]
            assert response.headers["Content-Language"] == language


def test_indonesian_is_spoken_where_nothing_was_asked_for(edge: Edge) -> None:
    response = edge.register(b"{", caller="kiosk")

    assert response.headers["Content-Language"] == "id"


BODIES = {
    "no JSON": (b"{", 400, "json_malformed"),
    "no capture": (b"[]", 422, "body_invalid"),
    "too much": (b" " * 70_000, 413, "body_too_large"),
    "no campaign": (make_capture_payload(campaign_id="never-opened"), 404, "campaign_unknown"),
}


def test_every_refusal_of_a_body_is_told_in_both_languages(edge: Edge, subtests: pytest.Subtests) -> None:
    for what, (body, status, code) in BODIES.items():
        with subtests.test(what):
            answers = [
                edge.register(body, caller="kiosk anywhere", Accept_Language=each) for each in ("id", "en")
            ]
            indonesian, english = (assert_problem(answer, status, code)["title"] for answer in answers)
            assert indonesian != english
