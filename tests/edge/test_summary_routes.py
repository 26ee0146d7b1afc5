"""Summaries of campaign days over HTTP."""

import pytest

from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

DAY = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"


def register_example_day(edge: Edge) -> None:
    """Register three workers, one of them twice and one with two occupations; one capture is refused."""
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


def test_an_uncounted_day_has_no_summary(edge: Edge) -> None:
    assert_problem(edge.send("GET", DAY, caller="manager"), 404, "summary_unknown")


def test_a_summary_has_counts_breakdowns_and_progress_and_no_personal_data(edge: Edge) -> None:
    register_example_day(edge)

    response = edge.send("POST", DAY, caller="manager here")

    assert response.status_code == 200
    counted = response.json_body

    assert counted["counts"] == {
        "captures": 4,
        "created": 3,
        "already_registered": 1,
        "reactivated": 0,
        "refused": 1,
        "registered": 3,
    }
    assert counted["by_channel"] == {"bot": 1, "van": 2}
    assert counted["by_client"] == {"van-1": 2, "whatsapp": 1}
    assert counted["by_occupation"] == {"porter": 3, "tailor": 1}
    assert (counted["version"], counted["state"], counted["changes"]) == (1, "final", [])
    assert counted["progress"] == {
        "target": 500,
        "created": 3,
        "registered": 3,
        "curve": [
            {
                "day": "2024-10-09",
                "created": 3,
                "registered": 3,
                "cumulative": 3,
                "version": 1,
                "state": "final",
            }
        ],
    }
    assert counted["revisions"] == []
    personal_values = (make_nik(), "Melati", "82455507001")
    assert not [value for value in personal_values if value in response.body.decode()]


def test_a_recount_without_changes_is_the_stored_summary(edge: Edge) -> None:
    register_example_day(edge)
    first = edge.send("POST", DAY, caller="manager")
    before = dump_stored_state(without="AuditTable")

    second = edge.send("POST", DAY, caller="manager")

    assert second.body == first.body
    assert edge.send("GET", DAY, caller="manager").body == first.body
    assert dump_stored_state(without="AuditTable") == before


def test_a_recount_after_a_late_capture_is_a_new_version_with_its_changes(edge: Edge) -> None:
    edge.register(make_capture_payload())
    edge.send("POST", DAY, caller="manager")
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}))

    counted = edge.send("POST", DAY, caller="manager").json_body

    assert counted["version"] == 2
    assert {"figure": "counts.created", "was": 1, "now": 2} in counted["changes"]
    assert {"figure": "by_client.van-1", "was": 1, "now": 2} in counted["changes"]


def test_a_late_cancellation_is_a_new_version_that_no_longer_counts_the_worker(edge: Edge) -> None:
    register_example_day(edge)
    edge.send("POST", DAY, caller="manager")
    padded = make_capture_payload(
        capture_id=make_capture_id(9), worker={"nik": make_nik(7009)}, officer="ofc-99"
    )
    reference = edge.register(padded).json_body["reference"]
    before = edge.send("POST", DAY, caller="manager").json_body
    cancellation = {"reason": "captured_by_mistake"}
    edge.send("POST", f"/v1/registrations/{reference}/cancellation", caller="kiosk", body=cancellation)

    counted = edge.send("POST", DAY, caller="manager").json_body

    assert (before["counts"]["registered"], before["by_officer"]["ofc-99"]) == (4, 1)
    assert (counted["version"], counted["counts"]["registered"], counted["counts"]["created"]) == (3, 3, 4)
    assert "ofc-99" not in counted["by_officer"]
    assert {"figure": "counts.registered", "was": 4, "now": 3} in counted["changes"]
    assert [note["difference"] for note in counted["notes"]] == [-1]
    progress = counted["progress"]
    assert (progress["registered"], progress["created"], progress["curve"][-1]["cumulative"]) == (3, 4, 3)
    (headline,) = edge.send("GET", DAY.rpartition("/")[0], caller="manager").json_body["days"]
    assert (headline["registered"], headline["created"]) == (3, 4)


def test_each_version_can_be_read(edge: Edge) -> None:
    edge.register(make_capture_payload())
    first = edge.send("POST", DAY, caller="manager").json_body
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}))
    second = edge.send("POST", DAY, caller="manager").json_body

    for version, counted in (("1", first), ("2", second)):
        shown = edge.send("GET", f"{DAY}?version={version}", caller="manager").json_body
        assert (shown["version"], shown["counts"]) == (counted["version"], counted["counts"])
    assert_problem(edge.send("GET", f"{DAY}?version=3", caller="manager"), 404, "summary_unknown")


@pytest.mark.parametrize("query", ["version=0", "version=one", "version=1000000", "versions=1"])
def test_an_invalid_version_is_refused(edge: Edge, query: str) -> None:
    assert_problem(edge.send("GET", f"{DAY}?{query}", caller="manager"), 422, "body_invalid")


def test_the_counted_days_of_a_campaign_are_listed_with_their_latest_versions(edge: Edge) -> None:
    days_path = DAY.rpartition("/")[0]
    assert edge.send("GET", days_path, caller="manager").json_body == {
        "campaign_id": "tanah-abang-2024",
        "days": [],
    }
    register_example_day(edge)
    counted = edge.send("POST", DAY, caller="manager").json_body

    (day,) = edge.send("GET", days_path, caller="manager").json_body["days"]

    for count in ("created", "registered"):
        assert day.pop(count) == counted["counts"][count]
    assert day == {name: counted[name] for name in day}
    response = edge.send("GET", "/v1/campaigns/never-opened/summaries", caller="manager")
    assert_problem(response, 404, "campaign_unknown")


def test_a_late_change_of_a_final_day_is_a_revision_in_the_next_days_summary(edge: Edge) -> None:
    edge.register(make_capture_payload())
    for day in (DAY, DAY.replace("-09", "-10")):
        edge.send("POST", day, caller="manager")
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}))
    edge.send("POST", DAY, caller="manager")

    (revision,) = edge.send("GET", DAY.replace("-09", "-10"), caller="manager").json_body["revisions"]

    assert (revision["day"], revision["version"]) == ("2024-10-09", 2)
    assert [(note["difference"], note["client_id"]) for note in revision["notes"]] == [(1, "van-1")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_day_outside_the_campaign_or_malformed_is_not_found(
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
            response = edge.send(method, f"/v1/campaigns/tanah-abang-2024/summaries/{day}", caller="manager")
            assert_problem(response, 404, "day_not_in_campaign")

    assert dump_stored_state() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_day_of_an_unknown_campaign_is_not_found(edge: Edge, method: str) -> None:
    response = edge.send(method, "/v1/campaigns/never-opened/summaries/2024-10-09", caller="manager")

    assert_problem(response, 404, "campaign_unknown")
