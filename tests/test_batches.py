"""Batches: a record that fails does not fail the others, and its content is not logged."""

from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib import batches
from chalicelib.aws.items import to_item
from chalicelib.batches import StreamRecord
from chalicelib.refusals import TryAgain
from tests.support.aws_events import make_sqs_event, make_stream_event
from tests.support.logs import collect_logs
from tests.support.payloads import make_nik

TEN = [f"body {number}" for number in range(10)]


class BodyRecorder:
    """Keeps the bodies it was given; fails for some of them, with a NIK in the message."""

    def __init__(self, *, fails_for: Sequence[str] = ()) -> None:
        self.bodies: list[str] = []
        self._fails_for = fails_for

    def __call__(self, body: str) -> None:
        if body in self._fails_for:
            raise ValueError(f"cannot handle {make_nik()}")
        self.bodies.append(body)


def list_failed_items(response: batches.PartialBatch) -> list[str]:
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_every_message_is_handled() -> None:
    recorder = BodyRecorder()
    assert batches.consume_queue(make_sqs_event(*TEN), recorder) == {"batchItemFailures": []}
    assert recorder.bodies == TEN


@pytest.mark.parametrize("bad", [0, 4, 9])
def test_only_the_failed_message_of_ten_is_returned(bad: int) -> None:
    recorder = BodyRecorder(fails_for=[TEN[bad]])
    response = batches.consume_queue(make_sqs_event(*TEN), recorder)
    assert list_failed_items(response) == [f"m-{bad}"]
    assert recorder.bodies == TEN[:bad] + TEN[bad + 1 :]


@pytest.mark.parametrize("size", [1, 10])
def test_every_message_of_a_failed_batch_is_returned(size: int) -> None:
    response = batches.consume_queue(make_sqs_event(*TEN[:size]), BodyRecorder(fails_for=TEN))
    assert list_failed_items(response) == [f"m-{number}" for number in range(size)]


def test_a_failed_message_is_logged_by_id_and_error_type_without_its_content() -> None:
    with collect_logs() as lines:
        batches.consume_queue(make_sqs_event(make_nik(), "good"), BodyRecorder(fails_for=[make_nik()]))
    (line,) = lines.with_message("message not handled")
    assert (line["message_id"], line["error"], line["level"]) == ("m-0", "ValueError", "ERROR")
    assert make_nik() not in str(lines)


class RecordPublisher:
    """Keeps the sequence numbers it published; fails for some records."""

    def __init__(self, *, fails_for: Sequence[str] = (), whole_batches: bool = True) -> None:
        self.calls: list[list[str]] = []
        self._fails_for = fails_for
        self._whole_batches = whole_batches

    def __call__(self, records: Sequence[StreamRecord]) -> None:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        self.calls.append(numbers)
        if set(numbers) & set(self._fails_for) or (len(numbers) > 1 and not self._whole_batches):
            raise ValueError(f"cannot publish {make_nik()}")


def make_five_changes() -> dict[str, list[StreamRecord]]:
    return make_stream_event(*(to_item({"pk": f"CAPTURE#{number}", "sk": "CAPTURE"}) for number in range(5)))


def test_a_batch_of_the_stream_is_published_at_once() -> None:
    publisher = RecordPublisher()
    assert batches.consume_stream(make_five_changes(), publisher) == {"batchItemFailures": []}
    assert publisher.calls == [["1", "2", "3", "4", "5"]]


@pytest.mark.parametrize("bad", ["1", "3", "5"])
def test_the_stream_resumes_at_the_first_record_that_fails(bad: str) -> None:
    publisher = RecordPublisher(fails_for=[bad, "5"])
    assert list_failed_items(batches.consume_stream(make_five_changes(), publisher)) == [bad]
    assert publisher.calls[1:] == [[str(number)] for number in range(1, int(bad) + 1)]


def test_a_batch_that_fails_as_a_whole_is_published_record_by_record() -> None:
    publisher = RecordPublisher(whole_batches=False)
    assert batches.consume_stream(make_five_changes(), publisher) == {"batchItemFailures": []}
    assert len(publisher.calls) == 6


def test_a_failed_record_is_logged_by_sequence_number_without_the_errors_message() -> None:
    with collect_logs() as lines:
        batches.consume_stream(make_five_changes(), RecordPublisher(fails_for=["2"]))
    (line,) = lines.with_message("record not published")
    assert (line["sequence_number"], line["error"]) == ("2", "ValueError")
    assert make_nik() not in str(lines)


class DelayRecorder:
    """Keeps the delays that were asked for, by receipt handle."""

    def __init__(self) -> None:
        self.delays: dict[str, int] = {}

    def __call__(self, receipt_handle: str, seconds: int) -> None:
        self.delays[receipt_handle] = seconds


def make_fifo_event(*groups: str, attempts: int = 1) -> dict[str, Any]:
    """Return a batch with a message `body N` in each of the groups."""
    event = make_sqs_event(*(f"body {number}" for number in range(len(groups))))
    for record, group in zip(event["Records"], groups, strict=True):
        record["attributes"] |= {"MessageGroupId": group, "ApproximateReceiveCount": str(attempts)}
    return event


def test_after_a_failure_the_later_messages_of_its_group_wait() -> None:
    recorder, delays = BodyRecorder(fails_for=["body 1"]), DelayRecorder()
    response = batches.consume_fifo_queue(make_fifo_event("a", "b", "a", "b", "b"), recorder, delays)
    assert recorder.bodies == ["body 0", "body 2"]
    assert list_failed_items(response) == ["m-1", "m-3", "m-4"]
    assert list(delays.delays) == ["receipt-1"]


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (3, 4), (9, 256), (10, 300)])
def test_a_message_that_fails_again_waits_longer(attempts: int, seconds: int) -> None:
    delays = DelayRecorder()
    recorder = BodyRecorder(fails_for=["body 0"])
    batches.consume_fifo_queue(make_fifo_event("a", attempts=attempts), recorder, delays)
    assert delays.delays == {"receipt-0": seconds}


def test_a_refusal_says_when_its_message_may_come_again() -> None:
    def refuse(_: str) -> None:
        raise TryAgain("throttled", retry_after_seconds=17)

    delays = DelayRecorder()
    batches.consume_fifo_queue(make_fifo_event("a"), refuse, delays)
    assert delays.delays == {"receipt-0": 17}


def test_the_content_of_a_fifo_message_that_fails_is_not_logged() -> None:
    recorder = BodyRecorder(fails_for=["body 0"])
    with collect_logs() as lines:
        batches.consume_fifo_queue(make_fifo_event("a"), recorder, DelayRecorder())
    (line,) = lines.with_message("message not handled")
    assert (line["message_id"], line["error"]) == ("m-0", "ValueError")
    assert make_nik() not in str(lines)
