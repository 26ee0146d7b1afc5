"""Summaries of campaign days through the edge."""

import pytest

from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

DAY = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"


def market_day(edge: Edge) -> None:
    """Two workers, one of them twice, one mistyped; a third worker comes with two trades."""
    edge.register(make_capture_payload())
    edge.register(make_capture_payload(capture_id=make_capture_id(2)))
    edge.register(make_capture_payload(capture_id=make_capture_id(3), worker={"nik": make_nik(7002)}))
    edge.register(
        make_capture_payload(
            capture_id=make_capture_id(4),
            worker={"nik": make_nik(7003)},
            work={"occupations": ["porter", "tailor"]},
        ),
        caller="bot",
    )
    edge.register(make_capture_payload(capture_id=make_capture_id(5), worker={"nik": "1"}))


def test_a_day_never_counted_has_no_summary(edge: Edge) -> None:
    assert_problem(edge.send("GET", DAY, caller="manager"), 404, "summary_unknown")


def test_a_day_is_counted_on_request(edge: Edge) -> None:
    market_day(edge)

    counted = edge.send("POST", DAY, caller="manager").json_body

    assert counted["counts"] == {
        "captures": 4,
        "created": 3,
        "already_registered": 1,
        "reactivated": 0,
        "refused": 1,
    }
    assert counted["by_channel"] == {"bot": 1, "van": 2}
    assert counted["by_client"] == {"van-1": 2, "whatsapp": 1}
    assert counted["by_occupation"] == {"porter": 3, "tailor": 1}
    assert (counted["version"], counted["state"], counted["changes"]) == (1, "final", [])


def test_what_was_counted_is_what_is_shown(edge: Edge) -> None:
    market_day(edge)

    counted = edge.send("POST", DAY, caller="manager here")

    assert counted.status_code == 200
    assert edge.send("GET", DAY, caller="manager").body == counted.body


def test_counting_again_says_nothing_new(edge: Edge) -> None:
    market_day(edge)
    first = edge.send("POST", DAY, caller="manager")
    before = dump_stored_state()

    second = edge.send("POST", DAY, caller="manager")

    assert second.body == first.body
    assert dump_stored_state() == before


def test_a_late_capture_makes_a_new_version_that_says_what_changed(edge: Edge) -> None:
    edge.register(make_capture_payload())
    edge.send("POST", DAY, caller="manager")
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}))

    counted = edge.send("POST", DAY, caller="manager").json_body

    assert counted["version"] == 2
    assert {"figure": "counts.created", "was": 1, "now": 2} in counted["changes"]
    assert {"figure": "by_client.van-1", "was": 1, "now": 2} in counted["changes"]


def test_every_version_of_a_day_stays_readable(edge: Edge) -> None:
    edge.register(make_capture_payload())
    first = edge.send("POST", DAY, caller="manager").json_body
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}))
    second = edge.send("POST", DAY, caller="manager").json_body

    for version, counted in (("1", first), ("2", second)):
        shown = edge.send("GET", f"{DAY}?version={version}", caller="manager").json_body
        assert (shown["version"], shown["counts"]) == (counted["version"], counted["counts"])
    assert_problem(edge.send("GET", f"{DAY}?version=3", caller="manager"), 404, "summary_unknown")


@pytest.mark.parametrize("query", ["version=0", "version=one", "version=1000000", "versions=1"])
def test_a_version_that_cannot_be_is_refused_by_name(edge: Edge, query: str) -> None:
    assert_problem(edge.send("GET", f"{DAY}?{query}", caller="manager"), 422, "body_invalid")


def test_the_days_of_a_campaign_are_listed_by_their_newest_versions(edge: Edge) -> None:
    listed = DAY.rpartition("/")[0]
    assert edge.send("GET", listed, caller="manager").json_body == {
        "campaign_id": "tanah-abang-2024",
        "days": [],
    }
    market_day(edge)
    counted = edge.send("POST", DAY, caller="manager").json_body

    (day,) = edge.send("GET", listed, caller="manager").json_body["days"]

    assert day.pop("created") == counted["counts"]["created"]
    assert day == {name: counted[name] for name in day}
    answer = edge.send("GET", "/v1/campaigns/never-opened/summaries", caller="manager")
    assert_problem(answer, 404, "campaign_unknown")


def test_a_summary_stands_beside_the_campaigns_progress(edge: Edge) -> None:
    market_day(edge)

    counted = edge.send("POST", DAY, caller="manager").json_body

    assert counted["progress"] == {
        "target": 500,
        "created": 3,
        "curve": [{"day": "2024-10-09", "created": 3, "cumulative": 3, "version": 1, "state": "final"}],
    }
    assert counted["revisions"] == []


def test_a_late_capture_to_a_final_day_is_told_in_the_next_days_report(edge: Edge) -> None:
    edge.register(make_capture_payload())
    for day in (DAY, DAY.replace("-09", "-10")):
        edge.send("POST", day, caller="manager")
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}))
    edge.send("POST", DAY, caller="manager")

    (told,) = edge.send("GET", DAY.replace("-09", "-10"), caller="manager").json_body["revisions"]

    assert (told["day"], told["version"]) == ("2024-10-09", 2)
    assert [(note["difference"], note["client_id"]) for note in told["notes"]] == [(1, "van-1")]


def test_an_empty_day_can_be_counted_too(edge: Edge) -> None:
    counted = edge.send("POST", DAY, caller="manager").json_body

    assert set(counted["counts"].values()) == {0}


def test_a_summary_names_nobody(edge: Edge) -> None:
    market_day(edge)

    told = edge.send("POST", DAY, caller="manager").body.decode()

    assert not [value for value in (make_nik(), "Melati", "82455507001") if value in told]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_day_that_is_none_of_the_campaigns_has_no_summary(
    edge: Edge, subtests: pytest.Subtests, method: str
) -> None:
    before = dump_stored_state()

    for day in (
        "2024-10-08",
        "2024-10-11",
        "2024-02-30",
        "today",
        "..",
        "%00",
        "2024-10-09T00:00",
        "20241009",
        "2024-W41-3",
        "2024-10-9",
        "9" * 3000,
    ):
        with subtests.test(day[:20]):
            answer = edge.send(method, f"/v1/campaigns/tanah-abang-2024/summaries/{day}", caller="manager")
            assert_problem(answer, 404, "day_not_in_campaign")

    assert dump_stored_state() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_campaign_nobody_opened_has_no_summaries(edge: Edge, method: str) -> None:
    answer = edge.send(method, "/v1/campaigns/never-opened/summaries/2024-10-09", caller="manager")

    assert_problem(answer, 404, "campaign_unknown")
