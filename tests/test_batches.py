"""Batches: one bad record never takes the good ones with it, and nothing of it is logged."""

from collections.abc import Sequence

import pytest

from chalicelib.aws import batches
from chalicelib.aws.batches import StreamRecord
from chalicelib.aws.items import to_item
from tests.support.aws_events import make_sqs_event, make_stream_event
from tests.support.builders import make_nik
from tests.support.logs import collect_logs

TEN = [f"body {number}" for number in range(10)]


class Handled:
    """Keeps what it was given; fails for some of it, with a NIK in the message."""

    def __init__(self, *, fails_for: Sequence[str] = ()) -> None:
        self.bodies: list[str] = []
        self._fails_for = fails_for

    def __call__(self, body: str) -> None:
        if body in self._fails_for:
            raise ValueError(f"cannot handle {make_nik()}")
        self.bodies.append(body)


def failed_items(answer: batches.PartialBatch) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_every_good_message_is_done_with() -> None:
    handled = Handled()
    assert batches.consume_queue(make_sqs_event(*TEN), handled) == {"batchItemFailures": []}
    assert handled.bodies == TEN


@pytest.mark.parametrize("bad", [0, 4, 9])
def test_one_bad_message_of_ten_goes_back_alone(bad: int) -> None:
    handled = Handled(fails_for=[TEN[bad]])
    answer = batches.consume_queue(make_sqs_event(*TEN), handled)
    assert failed_items(answer) == [f"m-{bad}"]
    assert handled.bodies == TEN[:bad] + TEN[bad + 1 :]


@pytest.mark.parametrize("size", [1, 10])
def test_a_batch_of_bad_messages_goes_back_message_by_message(size: int) -> None:
    answer = batches.consume_queue(make_sqs_event(*TEN[:size]), Handled(fails_for=TEN))
    assert failed_items(answer) == [f"m-{number}" for number in range(size)]


def test_a_bad_message_is_logged_by_its_id_and_kind_and_without_its_own_words() -> None:
    with collect_logs() as lines:
        batches.consume_queue(make_sqs_event(make_nik(), "good"), Handled(fails_for=[make_nik()]))
    (line,) = lines.with_message("message not handled")
    assert (line["message_id"], line["error"], line["level"]) == ("m-0", "ValueError", "ERROR")
    assert make_nik() not in str(lines)


class Announced:
    """Keeps the sequence numbers it announced; fails for some records."""

    def __init__(self, *, fails_for: Sequence[str] = (), whole_batches: bool = True) -> None:
        self.calls: list[list[str]] = []
        self._fails_for = fails_for
        self._whole_batches = whole_batches

    def __call__(self, records: Sequence[StreamRecord]) -> None:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        self.calls.append(numbers)
        if set(numbers) & set(self._fails_for) or (len(numbers) > 1 and not self._whole_batches):
            raise ValueError(f"cannot announce {make_nik()}")


def five_changes() -> dict[str, list[StreamRecord]]:
    return make_stream_event(*(to_item({"pk": f"CAPTURE#{number}", "sk": "CAPTURE"}) for number in range(5)))


def test_a_good_batch_of_the_stream_is_announced_at_once() -> None:
    announced = Announced()
    assert batches.consume_stream(five_changes(), announced) == {"batchItemFailures": []}
    assert announced.calls == [["1", "2", "3", "4", "5"]]


@pytest.mark.parametrize("bad", ["1", "3", "5"])
def test_the_stream_goes_on_from_the_first_record_that_fails(bad: str) -> None:
    announced = Announced(fails_for=[bad, "5"])
    assert failed_items(batches.consume_stream(five_changes(), announced)) == [bad]
    assert announced.calls[1:] == [[str(number)] for number in range(1, int(bad) + 1)]


def test_a_batch_that_fails_only_as_a_whole_is_announced_record_by_record() -> None:
    announced = Announced(whole_batches=False)
    assert batches.consume_stream(five_changes(), announced) == {"batchItemFailures": []}
    assert len(announced.calls) == 6


def test_a_record_that_fails_is_logged_by_its_number_and_without_the_errors_own_words() -> None:
    with collect_logs() as lines:
        batches.consume_stream(five_changes(), Announced(fails_for=["2"]))
    (line,) = lines.with_message("record not published")
    assert (line["sequence_number"], line["error"]) == ("2", "ValueError")
    assert make_nik() not in str(lines)
