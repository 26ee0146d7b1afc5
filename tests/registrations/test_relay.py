"""The postman: what each stream record says, and to whom it is passed on."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.dynamodb import to_item
from chalicelib.refusals import TryAgain
from chalicelib.registrations.messages import RegistrationReceived
from chalicelib.registrations.relay import Relay
from tests.events import as_lambda_hands_over, removed, stream_event

FIRST_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))
RECEIVED = RegistrationReceived(reference="7K4-M2Q-X9P", correlation_id="c-1")


class Told:
    """Hears what the relay passes on; refuses to be sent anything if told so."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.marked: list[CampaignDay] = []
        self.sent: list[RegistrationReceived] = []
        self._refuses = refuses

    def mark(self, day: CampaignDay) -> None:
        self.marked.append(day)

    def send(self, messages: Sequence[RegistrationReceived]) -> None:
        if self._refuses:
            raise TryAgain("the queue refused 1")
        self.sent.extend(messages)


def a_record(new: dict[str, Any], *, event: str = "INSERT") -> dict[str, Any]:
    (record,) = stream_event(to_item(new), name=event)["Records"]
    return dict(record)


def announce(*records: dict[str, Any]) -> tuple[Told, int]:
    told = Told()
    return told, Relay(notifications=told, marks=told).announce(records)


def a_stored_capture(day: str = "2024-10-09", campaign_id: str = "tanah-abang-2024") -> dict[str, Any]:
    taken = {"campaign_id": campaign_id, "day": day}
    return {"pk": "CAPTURE#1", "sk": "CAPTURE", "day_shard": f"{campaign_id}#{day}#0", "taken": taken}


def a_stored_application() -> dict[str, Any]:
    return {
        "pk": "REGISTRATION#7K4-M2Q-X9P",
        "sk": "APPLICATION",
        "reference": "7K4-M2Q-X9P",
        "taken": {"correlation_id": "c-1"},
        "sealed": {"nik": b"\x01\x07sealed"},
    }


def test_a_new_registration_is_news_for_its_worker() -> None:
    told, announced = announce(a_record(a_stored_application()))
    assert (told.sent, told.marked, announced) == ([RECEIVED], [], 1)


def test_nobody_is_flooded_on_a_phone_that_is_over_its_cap() -> None:
    told, passed_on = announce(a_record({**a_stored_application(), "flags": ["phone_over_cap"]}))
    assert (told.sent, passed_on) == ([], 0)

    told, _ = announce(a_record({**a_stored_application(), "flags": ["client_busy", "phone_busy"]}))
    assert told.sent == [RECEIVED]


def test_a_changed_registration_is_no_news() -> None:
    told, _ = announce(a_record(a_stored_application(), event="MODIFY"))
    assert told.sent == []


@pytest.mark.parametrize("event", ["INSERT", "MODIFY"])
def test_a_stored_or_mended_capture_marks_its_day(event: str) -> None:
    told, _ = announce(a_record(a_stored_capture(), event=event))
    assert told.marked == [FIRST_DAY]


def a_change(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    record = a_record(after, event="MODIFY")
    return {**record, "dynamodb": {**record["dynamodb"], "OldImage": as_lambda_hands_over(to_item(before))}}


def test_a_capture_sealed_anew_is_counted_as_before() -> None:
    before, after = ({**a_stored_capture(), "facts": {"outcome": "created"}, "answer": key} for key in b"12")
    told, announced = announce(a_change(before, after))
    assert (told.marked, announced) == ([], 0)


@pytest.mark.parametrize("after", [{"facts": {"outcome": "created"}}, {"forgotten": True}])
def test_a_capture_that_was_mended_or_forgotten_marks_its_day(after: dict[str, Any]) -> None:
    before = {**a_stored_capture(), "facts": {"outcome": "refused"}}
    told, _ = announce(a_change(before, {**before, **after}))
    assert told.marked == [FIRST_DAY]


def test_a_capture_refused_for_its_day_marks_none() -> None:
    off_the_days = {name: value for name, value in a_stored_capture().items() if name != "day_shard"}
    told, announced = announce(a_record(off_the_days))
    assert (told.marked, announced) == ([], 0)


def test_a_day_touched_many_times_is_marked_once() -> None:
    told, _ = announce(
        *(a_record(a_stored_capture()) for _ in range(5)),
        a_record(a_stored_capture("2024-10-10")),
    )
    assert told.marked == [FIRST_DAY, CampaignDay("tanah-abang-2024", date(2024, 10, 10))]


@pytest.mark.parametrize(
    "record",
    [
        removed(to_item(a_stored_capture()))["Records"][0],
        removed(to_item(a_stored_application()))["Records"][0],
        a_record({"pk": "WORKER#hash", "sk": "OPEN", "reference": "7K4-M2Q-X9P"}),
    ],
    ids=["a capture removed", "a registration removed", "a worker's open registration"],
)
def test_other_changes_say_nothing_to_anyone(record: dict[str, Any]) -> None:
    told, announced = announce(record)
    assert (told.sent, told.marked, announced) == ([], [], 0)


def test_days_are_marked_even_if_the_queue_refuses() -> None:
    told = Told(refuses=True)
    records = [a_record(a_stored_application()), a_record(a_stored_capture())]
    with pytest.raises(TryAgain):
        Relay(notifications=told, marks=told).announce(records)
    assert told.marked == [FIRST_DAY]
