"""The list of occupations over HTTP."""

import pytest

from chalicelib.occupations.model import load_occupations
from tests.edge.conftest import Edge, dump_stored_state

PATH = "/v1/occupations"


def test_anybody_gets_every_occupation_with_its_names_search_words_and_sector(edge: Edge) -> None:
    before = dump_stored_state()

    response = edge.send("GET", PATH, caller=None)

    assert response.status_code == 200
    listed = {each["id"]: each for each in response.json_body["occupations"]}
    assert list(listed) == list(load_occupations())
    assert (listed["porter"]["name"], listed["porter"]["name_en"]) == ("Porter", "Porter")
    assert "kuli panggul" in listed["porter"]["search"]
    assert {each["sector"] for each in listed.values()} == {"transport", "other"}
    assert dump_stored_state() == before


def test_a_caller_with_a_token_gets_the_same_list(edge: Edge) -> None:
    bodies = {edge.send("GET", PATH, caller=caller).body for caller in ("kiosk", "bot", "manager", None)}
    assert len(bodies) == 1


def test_an_unchanged_list_is_not_sent_again(edge: Edge, subtests: pytest.Subtests) -> None:
    etag = edge.send("GET", PATH, caller=None).headers["ETag"]

    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        with subtests.test(known):
            response = edge.send("GET", PATH, caller=None, If_None_Match=known)
            assert (response.status_code, response.body) == (304, b"")
            assert response.headers["ETag"] == etag
    for known in ('"another"', etag.strip('"'), ""):
        with subtests.test(known):
            assert edge.send("GET", PATH, caller=None, If_None_Match=known).status_code == 200


def test_every_cache_may_keep_the_list_for_an_hour(edge: Edge) -> None:
    headers = edge.send("GET", PATH, caller=None).headers
    assert headers["Cache-Control"] == "public, max-age=3600"
