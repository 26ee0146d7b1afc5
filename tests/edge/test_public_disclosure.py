"""A bot cannot tell a known worker from a new one, by its responses or by the requests to the tables."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, assert_problem
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

FIRST_DAY_LIST = "/v1/registrations?campaign_id=tanah-abang-2024&day=2024-10-09"
CAPTURE_ID_PATTERN = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ONE_PHONE = {"phone": "0824-5550-7777"}

VisibleParts = tuple[int, dict[str, str], bytes]


def get_visible_parts(response: HTTPResponse) -> VisibleParts:
    """Return a response without the ids of the capture and of the request."""
    headers = {name: value for name, value in response.headers.items() if name != "X-Correlation-Id"}
    return response.status_code, headers, CAPTURE_ID_PATTERN.sub(b"ID", response.body)


def make_capture(number: int, **changes: Any) -> dict[str, Any]:
    """Return another capture of another worker and phone for each `number`; all have the same length."""
    worker = {"nik": make_nik(7000 + number), "phone": f"0824-5551-{1000 + number}"}
    return make_capture_payload(**{"capture_id": make_capture_id(number), "worker": worker, **changes})


def test_a_bot_gets_an_accepted_capture_and_its_quote_only(edge: Edge) -> None:
    response = edge.register(make_capture_payload(), caller="bot")

    assert response.status_code == 202
    answer = response.json_body
    assert list(answer) == ["capture_id", "outcome", "quote"]
    assert (answer["capture_id"], answer["outcome"]) == (make_capture_id(), "accepted")
    assert answer["quote"]["total"] == 98_400


@pytest.mark.parametrize("first_caller", ["kiosk", "bot"])
def test_a_known_worker_gets_the_response_of_a_new_one(edge: Edge, first_caller: str) -> None:
    new = edge.register(make_capture(1), caller="bot")
    edge.register(make_capture(2), caller=first_caller)

    known = edge.register({**make_capture(2), "capture_id": make_capture_id(3)}, caller="bot")

    assert get_visible_parts(known) == get_visible_parts(new)


def test_a_replay_of_a_known_worker_gets_the_response_of_a_replay_of_a_new_one(edge: Edge) -> None:
    edge.register(make_capture(1))
    replays = []
    for capture in (make_capture(2), {**make_capture(1), "capture_id": make_capture_id(3)}):
        edge.register(capture, caller="bot")
        replays.append(edge.register(capture, caller="bot"))

    new, known = replays

    assert get_visible_parts(known) == get_visible_parts(new)
    assert new.headers["Idempotent-Replayed"] == "true"


def test_a_bot_that_replays_the_capture_of_an_officer_does_not_get_the_reference(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]

    replay = edge.register(make_capture_payload(), caller="bot")

    assert replay.status_code == 202
    assert reference not in replay.body.decode()


def test_a_reused_capture_id_gets_the_same_refusal_for_known_and_new_workers(edge: Edge) -> None:
    edge.register(make_capture_payload(), caller="bot")

    known = edge.register(make_capture_payload(officer="ofc-13"), caller="bot")
    new = edge.register(make_capture_payload(worker={"nik": make_nik(7009)}), caller="bot")

    assert_problem(known, 409, "capture_reused")
    assert get_visible_parts(known) == get_visible_parts(new)


def test_an_invalid_nik_close_to_a_known_one_is_refused_by_its_rule(edge: Edge) -> None:
    edge.register(make_capture_payload())

    response = edge.register(
        make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik()[:-1]}), caller="bot"
    )

    problem = assert_problem(response, 422, "rules_broken")
    assert [error["code"] for error in problem["errors"]] == ["nik_length"]


@dataclass(frozen=True)
class Observation:
    """A bot's response, the requests to the tables in order, and the sizes of their bodies."""

    response: VisibleParts
    requests: list[tuple[str, list[tuple[str, bool]]]]
    sizes: list[int]

    def resembles(self, other: "Observation") -> bool:
        return (self.response, self.requests) == (other.response, other.requests)


@dataclass(frozen=True)
class RecordingEdge:
    """The deployed app, with the requests that its functions send to the tables."""

    edge: Edge
    request_bodies: list[tuple[str, bytes]]

    def observe(self, capture: dict[str, Any]) -> Observation:
        """Send a capture of a bot."""
        self.request_bodies.clear()
        response = get_visible_parts(self.edge.register(capture, caller="bot"))
        requests = [
            (operation, list_write_kinds(json.loads(body))) for operation, body in self.request_bodies
        ]
        return Observation(response, requests, [len(body) for _, body in self.request_bodies])


def list_write_kinds(request: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return the kind of each write of a transaction, and whether it has a condition."""
    writes = [write for each in request.get("TransactItems", ()) for write in each.items()]
    return [(kind, "ConditionExpression" in write) for kind, write in writes]


@pytest.fixture
def recorder(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingEdge]:
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        recorder = RecordingEdge(edge, proxy.request_bodies)
        # Keys, the campaign and the bot's count are read once in a container.
        recorder.observe(make_capture(90))
        recorder.observe(make_capture(91))
        yield recorder


def test_a_known_worker_takes_the_requests_of_a_new_one(recorder: RecordingEdge) -> None:
    recorder.edge.register(make_capture(10))

    new = recorder.observe(make_capture(11))
    known = recorder.observe({**make_capture(10), "capture_id": make_capture_id(12)})

    assert known.resembles(new)
    assert [operation for operation, _ in new.requests] == ["GetItem", "BatchGetItem", "TransactWriteItems"]
    put = ("Put", True)
    assert new.requests[-1][1] == [put, put, put, ("Update", True), put]

    # Of some 9,200 bytes to the table, which a bot does not see: the name of the outcome, and of the decoy.
    assert all(abs(one - other) <= 60 for one, other in zip(new.sizes, known.sizes, strict=True))


@pytest.mark.parametrize("quota", [None, 0, 1, 50])
def test_a_sponsored_worker_without_a_phone_takes_the_requests_of_a_new_one(
    recorder: RecordingEdge, quota: int | None
) -> None:
    sponsors = [{"sponsor_id": "yayasan-contoh", "name": "Yayasan Contoh", "quota": quota}]
    change = {"sponsors": sponsors}
    recorder.edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", change, caller="manager")
    sponsored = {
        number: make_capture(
            number,
            worker={"nik": make_nik(7000 + number), "phone": None},
            coverage={"payer": "sponsor", "sponsor_id": "yayasan-contoh"},
        )
        for number in (10, 11)
    }
    recorder.edge.register(sponsored[10])

    new = recorder.observe(sponsored[11])
    known = recorder.observe({**sponsored[10], "capture_id": make_capture_id(12)})

    assert known.resembles(new)
    assert [operation for operation, _ in new.requests] == ["GetItem", "BatchGetItem", "TransactWriteItems"]
    # Of some 9,200 bytes to the table, which a bot does not see: the name of the outcome, and of the decoy.
    assert all(abs(one - other) <= 60 for one, other in zip(new.sizes, known.sizes, strict=True))


@pytest.mark.parametrize(
    "changed",
    [{"name": "Kenanga Larasati"}, {"birth_date": "1985-04-13"}, {"phone": "0824-5551-1999"}],
    ids=["name", "birth date", "phone"],
)
def test_whatever_differs_from_the_recorded_worker_takes_the_same_requests_of_the_same_size(
    recorder: RecordingEdge, changed: dict[str, str]
) -> None:
    def change(number: int) -> dict[str, Any]:
        capture = make_capture(number)
        return {**capture, "worker": {**capture["worker"], **changed}}

    recorder.edge.register(change(10))
    recorder.edge.register(make_capture(11))

    new = recorder.observe(change(12))
    same = recorder.observe({**change(10), "capture_id": make_capture_id(20)})
    other = recorder.observe({**change(11), "capture_id": make_capture_id(21)})

    assert same.resembles(new)
    assert other.resembles(new)
    assert other.sizes == same.sizes


def test_a_worker_with_an_ended_registration_takes_the_requests_of_a_new_one(
    recorder: RecordingEdge,
) -> None:
    reference = recorder.edge.register(make_capture(10)).json_body["reference"]
    reason = {"reason": "worker_request"}
    recorder.edge.send("POST", f"/v1/registrations/{reference}/cancellation", reason)

    new = recorder.observe(make_capture(11))
    reactivated = recorder.observe({**make_capture(10), "capture_id": make_capture_id(12)})

    assert reactivated.resembles(new)


def test_a_replay_takes_the_same_requests_for_known_and_new_workers(recorder: RecordingEdge) -> None:
    recorder.edge.register(make_capture(10))
    new, known = make_capture(11), {**make_capture(10), "capture_id": make_capture_id(12)}
    for capture in (new, known):
        recorder.edge.register(capture, caller="bot")

    assert recorder.observe(new).resembles(recorder.observe(known))


def test_asking_for_a_capture_takes_the_same_requests_for_known_and_new_workers(
    recorder: RecordingEdge,
) -> None:
    recorder.edge.register(make_capture(10))
    for capture in (make_capture(11), {**make_capture(10), "capture_id": make_capture_id(12)}):
        recorder.edge.register(capture, caller="bot")

    operations = []
    for number in (11, 12):
        recorder.request_bodies.clear()
        recorder.edge.send("GET", f"/v1/captures/{make_capture_id(number)}", caller="bot")
        operations.append([operation for operation, _ in recorder.request_bodies])

    # The token, and the capture.
    assert operations == [["GetItem", "GetItem"]] * 2


def test_a_reused_capture_id_takes_the_same_requests_for_known_and_new_workers(
    recorder: RecordingEdge,
) -> None:
    recorder.edge.register(make_capture(10))
    known, new = ({**make_capture(each), "capture_id": make_capture_id(20 + each)} for each in (10, 11))
    for capture in (known, new):
        recorder.edge.register(capture, caller="bot")

    reused_known, reused_new = (recorder.observe({**each, "officer": "ofc-99"}) for each in (known, new))

    assert reused_known.resembles(reused_new)
    assert reused_new.response[0] == 409


@pytest.mark.parametrize("previous", [1, 3], ids=["flagged", "at its cap"])
def test_a_phone_number_takes_the_same_requests_whatever_its_count(
    low_phone_cap: None, recorder: RecordingEdge, previous: int
) -> None:
    for number in range(100, 100 + previous):
        recorder.edge.register(make_capture(number, worker={"nik": make_nik(7000 + number), **ONE_PHONE}))

    new = recorder.observe(make_capture(11))
    busy = recorder.observe(make_capture(12, worker={"nik": make_nik(7012), **ONE_PHONE}))
    busy_and_known = recorder.observe(make_capture(13, worker={"nik": make_nik(7011), **ONE_PHONE}))

    assert busy.resembles(new)
    assert busy_and_known.resembles(new)


def test_managers_see_the_flags_of_a_capture_from_a_bot(edge: Edge, low_phone_cap: None) -> None:
    for number in range(100, 103):
        edge.register(make_capture(number, worker={"nik": make_nik(7000 + number), **ONE_PHONE}))

    edge.register(make_capture(11, worker={"nik": make_nik(7011), **ONE_PHONE}), caller="bot")

    page = edge.send("GET", FIRST_DAY_LIST, caller="manager").json_body["registrations"]
    flags = [each.get("flags", []) for each in page if each["worker"]["phone"].endswith("7777")]
    assert sorted(map(tuple, flags)) == [(), ("phone_busy",), ("phone_busy",), ("phone_over_cap",)]
