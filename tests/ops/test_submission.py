"""Sending files of captures: order, retries and counts of outcomes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from ops.api_client import ApiClient, ApiUnavailable
from ops.commands.tables import make_outcomes_table
from ops.submission import CaptureLine, DeviceBatch, SubmissionOutcomes, submit_batches

Answers = Iterator[httpx.Response | httpx.TransportError]


class Server:
    """An API with scripted answers; it records the bodies and the caller's pauses."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self._answers = iter(answers)
        self.bodies: list[bytes] = []
        self.pauses: list[float] = []

    def api(self, device: str = "van-1") -> ApiClient:
        return ApiClient(
            "http://daftar", device, sleep=self.pauses.append, transport=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        answer = next(self._answers)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


def make_created(**headers: str) -> httpx.Response:
    return httpx.Response(201, json={"outcome": "created"}, headers=headers)


def make_problem(status: int, code: str, *fields: str) -> httpx.Response:
    errors = [{"field": "worker.nik", "code": field, "message": ""} for field in fields]
    return httpx.Response(status, json={"code": code, "title": f"It is {code}.", "errors": errors})


def make_lines(*bodies: bytes) -> tuple[CaptureLine, ...]:
    return tuple(CaptureLine(body, "van-1.jsonl", number) for number, body in enumerate(bodies, 1))


def submit_lines(*lines: bytes, server: Server) -> SubmissionOutcomes:
    return submit_batches(
        [DeviceBatch("van-1", make_lines(*lines))], make_api=server.api, on_answer=lambda device: None
    )


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (make_created(), "created"),
        (make_created(**{"Idempotent-Replayed": "true"}), "replayed"),
        (httpx.Response(200, json={"outcome": "already_registered"}), "already_registered"),
        (httpx.Response(202, json={"outcome": "accepted"}), "accepted"),
        (make_problem(409, "capture_reused"), "capture_reused"),
        (make_problem(422, "rules_broken", "nik_length"), "nik_length"),
        (make_problem(422, "rules_broken", "phone_foreign", "nik_length"), "nik_length + phone_foreign"),
        (httpx.Response(403, text="<html>"), "status 403"),
    ],
)
def test_an_answer_is_counted_by_its_outcome_or_codes(answer: httpx.Response, outcome: str) -> None:
    assert dict(submit_lines(b"{}", server=Server(answer)).total) == {outcome: 1}


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={})])
def test_a_success_that_is_no_answer_of_ours_is_no_answer(answer: httpx.Response) -> None:
    assert dict(submit_lines(b"{}", server=Server(answer)).total) == {"unanswered": 1}


def test_each_line_that_is_refused_is_named_with_its_fields_and_without_its_values() -> None:
    server = Server(
        make_created(),
        make_problem(422, "rules_broken", "nik_length"),
        make_problem(409, "capture_reused"),
        httpx.Response(403, text="<html>"),
        *[httpx.ConnectError("away")] * 8,
    )

    outcomes = submit_lines(b"1", b"2", b"3", b"4", b"5", server=server)

    assert [str(each) for each in outcomes.failed_lines] == [
        "van-1.jsonl:2: It is rules_broken. (rules_broken); worker.nik:  (nik_length)",
        "van-1.jsonl:3: It is capture_reused. (capture_reused)",
        "van-1.jsonl:4: The API answered with no problem document. (status 403)",
        "van-1.jsonl:5: no answer",
    ]
    assert outcomes.failed_lines[0].to_json() == {
        "file": "van-1.jsonl",
        "line": 2,
        "code": "rules_broken",
        "message": "It is rules_broken.",
        "fields": [{"field": "worker.nik", "code": "nik_length", "message": ""}],
    }


def test_an_interruption_ends_the_attempts_that_are_under_way() -> None:
    api = Server(*[httpx.ConnectError("away")] * 8).api()
    api.interrupt()

    with pytest.raises(ApiUnavailable, match="interrupted"):
        api.send("GET", "/v1/campaigns")


def test_a_line_is_retried_until_there_is_a_definite_answer() -> None:
    server = Server(
        httpx.Response(503, headers={"Retry-After": "2"}),
        httpx.ConnectError("away"),
        make_problem(429, "slow"),
        make_created(),
    )
    outcomes = submit_lines(b'{"capture_id": "1"}', server=server)
    assert dict(outcomes.total) == {"created": 1}
    assert server.bodies == [b'{"capture_id": "1"}'] * 4
    assert server.pauses[0] == 2
    assert server.pauses[1] < server.pauses[2]


def test_a_line_without_an_answer_is_counted_and_the_next_one_is_sent() -> None:
    outcomes = submit_lines(b"1", b"2", server=Server(*[httpx.ConnectError("away")] * 8, make_created()))
    assert dict(outcomes.total) == {"unanswered": 1, "created": 1}
    assert not outcomes.is_complete


def test_refusals_are_definite_answers() -> None:
    assert submit_lines(b"{}", server=Server(make_problem(422, "rules_broken"))).is_complete


def test_the_error_of_an_unanswered_request_names_the_cause() -> None:
    with pytest.raises(ApiUnavailable, match="GET /v1/campaigns: status 503"):
        Server(*[httpx.Response(503)] * 8).api().send("GET", "/v1/campaigns")


def test_each_device_sends_its_own_lines_in_order(tmp_path: Path) -> None:
    servers = {device: Server(*[make_created() for _ in range(50)]) for device in ("van-1", "van-2")}
    lines = [json.dumps({"capture_id": number}).encode() for number in range(50)]
    answered_devices: list[str] = []
    outcomes = submit_batches(
        [DeviceBatch(device, make_lines(*lines)) for device in servers],
        make_api=lambda device: servers[device].api(),
        on_answer=answered_devices.append,
    )
    assert all(server.bodies == lines for server in servers.values())
    assert sorted(answered_devices) == ["van-1"] * 50 + ["van-2"] * 50
    assert {device: dict(counted) for device, counted in outcomes.by_device.items()} == {
        "van-1": {"created": 50},
        "van-2": {"created": 50},
    }


def test_no_line_is_sent_after_an_interruption() -> None:
    server = Server(*[make_created() for _ in range(100)])

    def stop_at_once(device: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        submit_batches(
            [DeviceBatch("van-1", make_lines(*[b"{}"] * 100))], make_api=server.api, on_answer=stop_at_once
        )
    assert len(server.bodies) == 1


def test_files_of_one_device_are_read_in_order_without_blank_lines(tmp_path: Path) -> None:
    first, second = tmp_path / "van-1.jsonl", tmp_path / "later.jsonl"
    first.write_bytes(b"1\n\n2\n")
    second.write_bytes(b"3")
    lines = DeviceBatch.from_files("van-1", [first, second]).lines
    assert [(line.body, Path(line.file), line.number) for line in lines] == [
        (b"1", first, 1),
        (b"2", first, 3),
        (b"3", second, 1),
    ]


def test_byte_order_marks_of_joined_files_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "van-1.jsonl"
    file.write_bytes(b"\xef\xbb\xbf1\r\n\xef\xbb\xbf2\n\xef\xbb\xbf\n")
    assert [line.body for line in DeviceBatch.from_files("van-1", [file]).lines] == [b"1", b"2"]


def test_the_table_shows_every_outcome_by_device_and_in_all(
    rendered_output: Callable[[object], str],
) -> None:
    server = Server(
        make_created(), make_problem(422, "rules_broken", "nik_length"), make_problem(409, "capture_reused")
    )
    table = rendered_output(make_outcomes_table(submit_lines(b"1", b"2", b"3", server=server)))
    rows = [line.split() for line in table.splitlines()]
    assert [row for row in rows if len(row) == 3] == [
        ["created", "1", "1"],
        ["capture_reused", "1", "1"],
        ["nik_length", "1", "1"],
    ]
    assert ["lines", "sent", "3", "3"] in rows


@pytest.fixture
def rendered_output() -> Callable[[object], str]:
    def render(table: object) -> str:
        console = Console(width=100, no_color=True)
        with console.capture() as captured:
            console.print(table)
        return captured.get().translate(dict.fromkeys(map(ord, "│┃"), " "))

    return render


def test_a_daily_cap_is_a_definite_answer() -> None:
    capped = httpx.Response(429, json={"code": "client_cap_reached"}, headers={"Retry-After": "40000"})
    server = Server(capped)

    outcomes = submit_lines(b"{}", server=server)

    assert (outcomes.total, server.pauses) == ({"client_cap_reached": 1}, [])
