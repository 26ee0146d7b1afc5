"""The postman: what each stream record says, and to whom it is passed on."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from chalicelib.aws.items import to_item
from chalicelib.campaigns.model import CampaignDay
from chalicelib.refusals import TryAgain
from chalicelib.registrations.messages import DomainEvent, KnownWorkerMet, RegistrationReceived
from chalicelib.registrations.stream import StreamPublisher
from tests.support.aws_events import encode_stream_image, make_remove_event, make_stream_event

FIRST_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))
RECEIVED = RegistrationReceived(reference="7K4-M2Q-X9P", correlation_id="c-1")


class Told:
    """Hears what the relay passes on; refuses to be sent anything if told so."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.marked: list[CampaignDay] = []
        self.sent: list[Any] = []
        self._refuses = refuses

    def mark_dirty(self, campaign_day: CampaignDay) -> None:
        self.marked.append(campaign_day)

    def send(self, domain_events: Sequence[DomainEvent]) -> None:
        if self._refuses:
            raise TryAgain("the queue refused 1")
        self.sent.extend(domain_events)


def a_record(
    new: dict[str, Any], *, event: str = "INSERT", before: dict[str, Any] | None = None
) -> dict[str, Any]:
    old = None if before is None else to_item(before)
    (record,) = make_stream_event(to_item(new), event_name=event, old_item=old)["Records"]
    return dict(record)


def a_relay(told: Told, *, tells_known_workers: bool = False) -> StreamPublisher:
    return StreamPublisher(
        notification_queue=told, dirty_days=told, may_notify_known_workers=tells_known_workers
    )


def announce(*records: dict[str, Any], tells_known_workers: bool = False) -> tuple[Told, int]:
    told = Told()
    return told, a_relay(told, tells_known_workers=tells_known_workers).publish(records)


def a_stored_capture(day: str = "2024-10-09", campaign_id: str = "tanah-abang-2024") -> dict[str, Any]:
    taken = {"campaign_id": campaign_id, "day": day}
    return {"pk": "CAPTURE#1", "sk": "CAPTURE", "day_shard": f"{campaign_id}#{day}#0", "taken": taken}


def a_stored_application() -> dict[str, Any]:
    return {
        "pk": "REGISTRATION#7K4-M2Q-X9P",
        "sk": "APPLICATION",
        "reference": "7K4-M2Q-X9P",
        "taken": {"campaign_id": "tanah-abang-2024", "day": "2024-10-09", "correlation_id": "c-1"},
        "history": [{"event_type": "registered", "status": "received"}],
        "facts": {"status": "received", "figures": b"\x01\x07sealed"},
        "sealed": {"nik": b"\x01\x07sealed"},
    }


def test_a_new_registration_is_news_for_its_worker() -> None:
    told, announced = announce(a_record(a_stored_application()))
    assert (told.sent, told.marked, announced) == ([RECEIVED], [FIRST_DAY], 2)


def test_nobody_is_flooded_on_a_phone_that_is_over_its_cap() -> None:
    told, passed_on = announce(a_record({**a_stored_application(), "flags": ["phone_over_cap"]}))
    assert (told.sent, passed_on) == ([], 1)

    told, _ = announce(a_record({**a_stored_application(), "flags": ["client_busy", "phone_busy"]}))
    assert told.sent == [RECEIVED]


def test_a_changed_registration_is_no_news() -> None:
    same = a_changed_application(CODE)
    assert announce(a_record(same, event="MODIFY", before=same))[0].sent == []
    assert announce(a_record(same, event="MODIFY"))[0].sent == []


@pytest.mark.parametrize("event", ["INSERT", "MODIFY"])
def test_a_stored_or_mended_capture_marks_its_day(event: str) -> None:
    told, _ = announce(a_record(a_stored_capture(), event=event))
    assert told.marked == [FIRST_DAY]


def a_change(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    record = a_record(after, event="MODIFY")
    return {**record, "dynamodb": {**record["dynamodb"], "OldImage": encode_stream_image(to_item(before))}}


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
        make_remove_event(to_item(a_stored_capture()))["Records"][0],
        a_record({"pk": "WORKER#hash", "sk": "OPEN", "reference": "7K4-M2Q-X9P"}),
    ],
    ids=["a capture removed", "a worker's open registration"],
)
def test_other_changes_say_nothing_to_anyone(record: dict[str, Any]) -> None:
    told, announced = announce(record)
    assert (told.sent, told.marked, announced) == ([], [], 0)


def test_a_registration_that_is_taken_away_marks_its_day() -> None:
    told, _ = announce(make_remove_event(to_item(a_stored_application()))["Records"][0])
    assert (told.sent, told.marked) == ([], [FIRST_DAY])


def test_whatever_happens_to_a_registration_marks_its_day() -> None:
    cancelled = a_changed_application(("cancelled", "cancelled"))
    told, _ = announce(a_change(a_stored_application(), cancelled))
    assert (told.sent, told.marked) == ([], [FIRST_DAY])

    told, _ = announce(a_change(cancelled, {**cancelled, "destroyed_at": "2025-01-09"}))
    assert (told.sent, told.marked) == ([], [FIRST_DAY])


def test_a_registration_sealed_anew_marks_no_day() -> None:
    anew = {**a_stored_application(), "facts": {"status": "received", "figures": b"\x01\x07anew"}}
    told, announced = announce(a_change(a_stored_application(), anew))
    assert (told.marked, announced) == ([], 0)


def test_days_are_marked_even_if_the_queue_refuses() -> None:
    told = Told(refuses=True)
    records = [a_record(a_stored_application()), a_record(a_stored_capture())]
    with pytest.raises(TryAgain):
        a_relay(told).publish(records)
    assert told.marked == [FIRST_DAY]


def a_changed_application(*happenings: tuple[str, str]) -> dict[str, Any]:
    history = [{"event_type": "registered", "status": "received"}]
    history += [{"event_type": happening, "status": status} for happening, status in happenings]
    return {**a_stored_application(), "history": history}


CODE, PAID = ("payment_code_issued", "awaiting_payment"), ("paid", "active")


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        ((), (CODE,), [("payment_code_issued", 2)]),
        ((CODE,), (CODE, CODE), [("payment_code_issued", 3)]),
        ((CODE,), (CODE, PAID), [("paid", 3)]),
        ((), (CODE, PAID), [("payment_code_issued", 2), ("paid", 3)]),
        ((), (("mismatched", "mismatch"),), [("mismatched", 2)]),
        ((PAID,), (PAID, ("mismatched", "active")), []),
        ((PAID,), (PAID, ("lapsing_soon", "active")), [("lapsing_soon", 3)]),
        ((PAID,), (PAID, ("lapsed", "lapsed")), []),
        ((), (("matched", "received"),), []),
        ((), (("cancelled", "cancelled"),), []),
        ((CODE,), (CODE,), []),
    ],
)
def test_what_happened_since_is_news_with_the_version_that_it_made(
    before: Any, after: Any, news: Any
) -> None:
    record = a_record(a_changed_application(*after), event="MODIFY", before=a_changed_application(*before))
    for _ in range(2):
        told, _ = announce(record)
        assert [(each.event_type, each.event_version) for each in told.sent] == news
        assert all((each.reference, each.correlation_id) == ("7K4-M2Q-X9P", "c-1") for each in told.sent)


def a_capture_of_a_known_worker(channel: str) -> dict[str, Any]:
    capture = a_stored_capture()
    return {
        **capture,
        "taken": {**capture["taken"], "correlation_id": "c-2"},
        "facts": {"outcome": "already_registered", "channel": channel},
        "reference": "7K4-M2Q-X9P",
    }


@pytest.mark.parametrize("channel", ["kiosk", "van", "agent", "office"])
def test_a_known_worker_met_by_an_officer_is_told_where_the_stage_says_so(channel: str) -> None:
    record = a_record(a_capture_of_a_known_worker(channel))
    assert announce(record)[0].sent == []
    told, _ = announce(record, tells_known_workers=True)
    assert told.sent == [KnownWorkerMet(reference="7K4-M2Q-X9P", correlation_id="c-2")]
    assert told.marked == [FIRST_DAY]


@pytest.mark.parametrize("channel", ["bot", "web"])
def test_no_bot_can_make_us_text_a_known_worker(channel: str) -> None:
    told, _ = announce(a_record(a_capture_of_a_known_worker(channel)), tells_known_workers=True)
    assert told.sent == []


def test_a_capture_mended_later_tells_a_known_worker_nothing_again() -> None:
    record = a_record(a_capture_of_a_known_worker("van"), event="MODIFY")
    assert announce(record, tells_known_workers=True)[0].sent == []
