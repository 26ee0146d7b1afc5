"""The bundle of a campaign over HTTP."""

import pytest

from tests.edge.conftest import Edge, assert_problem, dump_stored_state

PATH = "/v1/campaigns/tanah-abang-2024/bundle"


@pytest.mark.parametrize("caller", ["kiosk", "kiosk anywhere", "manager", "manager here"])
def test_a_device_or_manager_of_the_campaign_gets_its_bundle(edge: Edge, caller: str) -> None:
    before = dump_stored_state()

    response = edge.send("GET", PATH, caller=caller)

    assert response.status_code == 200
    bundle = response.json_body
    assert bundle["campaign"]["campaign_id"] == "tanah-abang-2024"
    assert response.headers["ETag"] == f'W/"{bundle["version"]}"'
    assert dump_stored_state() == before


def test_the_bundle_has_no_personal_data(edge: Edge) -> None:
    text = edge.send("GET", PATH).body.decode()
    assert "Kepala" not in text
    assert "@cabang" not in text


def test_an_unchanged_bundle_is_not_sent_again_although_time_passes(edge: Edge) -> None:
    first = edge.send("GET", PATH)
    etag = first.headers["ETag"]

    for known in (etag, etag.removeprefix("W/"), f'"another", {etag}'):
        response = edge.send("GET", PATH, If_None_Match=known)
        assert (response.status_code, response.body, response.headers["ETag"]) == (304, b"", etag)
    edge.restart()
    again = edge.send("GET", PATH)
    assert again.headers["ETag"] == etag
    assert again.json_body["server_time"] > first.json_body["server_time"]


def test_a_change_of_the_campaign_is_a_new_bundle(edge: Edge) -> None:
    etag = edge.send("GET", PATH).headers["ETag"]
    sponsors = [{"sponsor_id": "toko-contoh", "name": "Toko Contoh", "quota": 5}]
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"sponsors": sponsors}, caller="manager")

    response = edge.send("GET", PATH, If_None_Match=etag)

    assert (response.status_code, response.json_body["sponsors"]) == (200, sponsors)


def test_a_change_that_devices_do_not_see_is_none(edge: Edge) -> None:
    etag = edge.send("GET", PATH).headers["ETag"]
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"sms_budget": 7}, caller="manager")
    assert edge.send("GET", PATH, If_None_Match=etag).status_code == 304


def test_only_the_device_itself_may_keep_the_bundle_and_must_ask_again(edge: Edge) -> None:
    assert edge.send("GET", PATH).headers["Cache-Control"] == "private, no-cache"


def test_the_bundle_of_another_campaign_is_refused(edge: Edge) -> None:
    for campaign_id in ("senen-2024", "never-opened"):
        response = edge.send("GET", f"/v1/campaigns/{campaign_id}/bundle", If_None_Match="*")
        assert_problem(response, 403, "campaign_not_yours")
    response = edge.send("GET", "/v1/campaigns/never-opened/bundle", caller="manager", If_None_Match="*")
    assert_problem(response, 404, "campaign_unknown")
