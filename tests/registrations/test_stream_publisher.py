"""The publication of the stream: what each record leads to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.aws.items import from_item, to_item
from chalicelib.callers import Caller, Channel, Role
from chalicelib.campaigns.model import CampaignDay
from chalicelib.refusals import RulesBroken, TryAgain
from chalicelib.registrations.captures import UnusualClient
from chalicelib.registrations.domain_events import (
    DomainEvent,
    KnownWorkerMet,
    RegistrationChanged,
    RegistrationReceived,
    SmsRequested,
)
from chalicelib.registrations.store_stream import COPIED_VERSION, parse_change
from chalicelib.registrations.stream import StreamPublisher
from tests.registrations.conftest import RegistrationHarness
from tests.support.aws_events import encode_stream_image, make_remove_event, make_stream_event
from tests.support.builders import make_caller

FIRST_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))
RECEIVED = RegistrationReceived(reference="7K4-M2Q-X9P", correlation_id="c-1")


class Recorder:
    """Satisfies `stream.NotificationQueue` and `stream.DirtyDays`; can refuse to be sent anything."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.dirty_days: list[CampaignDay] = []
        self.sent: list[DomainEvent] = []
        self._refuses = refuses

    def mark_dirty(self, campaign_day: CampaignDay) -> None:
        self.dirty_days.append(campaign_day)

    def send(self, domain_events: Sequence[DomainEvent]) -> None:
        if self._refuses:
            raise TryAgain("the queue refused 1")
        self.sent.extend(domain_events)


def make_record(
    new: dict[str, Any], *, event: str = "INSERT", before: dict[str, Any] | None = None
) -> dict[str, Any]:
    old = None if before is None else to_item(before)
    (record,) = make_stream_event(to_item(new), event_name=event, old_item=old)["Records"]
    return dict(record)


def make_modify_record(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    record = make_record(after, event="MODIFY")
    return {**record, "dynamodb": {**record["dynamodb"], "OldImage": encode_stream_image(to_item(before))}}


def make_publisher(recorder: Recorder, *, may_notify_known_workers: bool = False) -> StreamPublisher:
    return StreamPublisher(
        parse_change=parse_change,
        notification_queue=recorder,
        dirty_days=recorder,
        may_notify_known_workers=may_notify_known_workers,
    )


def publish(*records: dict[str, Any], may_notify_known_workers: bool = False) -> Recorder:
    recorder = Recorder()
    make_publisher(recorder, may_notify_known_workers=may_notify_known_workers).publish(records)
    return recorder


def make_stored_capture(day: str = "2024-10-09", campaign_id: str = "tanah-abang-2024") -> dict[str, Any]:
    taken = {"campaign_id": campaign_id, "day": day}
    return {"pk": "CAPTURE#1", "sk": "CAPTURE", "day_shard": f"{campaign_id}#{day}#0", "taken": taken}


def make_stored_registration(*events: tuple[str, str]) -> dict[str, Any]:
    return {
        "pk": "REGISTRATION#7K4-M2Q-X9P",
        "sk": "APPLICATION",
        "reference": "7K4-M2Q-X9P",
        "taken": {"campaign_id": "tanah-abang-2024", "day": "2024-10-09", "correlation_id": "c-1"},
        "history": [
            {"event_type": event_type, "status": status}
            for event_type, status in (("registered", "received"), *events)
        ],
        "facts": {"status": "received", "figures": b"\x01\x07sealed"},
        "sealed": {"nik": b"\x01\x07sealed"},
    }


CODE, PAID = ("payment_code_issued", "awaiting_payment"), ("paid", "active")
CANCELLED = ("cancelled", "cancelled")
MARK = {COPIED_VERSION: 2}


def test_a_new_registration_is_published_for_its_worker() -> None:
    published = publish(make_record(make_stored_registration()))
    assert (published.sent, published.dirty_days) == ([RECEIVED], [FIRST_DAY])


def test_of_a_registration_that_was_copied_only_what_happens_later_is_published() -> None:
    copy = {**make_stored_registration(CODE), **MARK}
    published = publish(make_record(copy))
    assert (published.sent, published.dirty_days) == ([], [FIRST_DAY])
    # A fill that is repeated puts back what it erased; a later writer may store the item without the mark.
    fewer = {**make_stored_registration(), **MARK}
    assert publish(make_record(copy, event="MODIFY", before=fewer)).sent == []
    for later in (make_stored_registration(CODE, PAID), {**make_stored_registration(CODE, PAID), **MARK}):
        (sent,) = publish(make_record(later, event="MODIFY", before=copy)).sent
        assert isinstance(sent, RegistrationChanged)
        assert (sent.event_type, sent.event_version) == ("paid", 3)


def test_a_phone_number_over_its_cap_gets_no_sms() -> None:
    published = publish(make_record({**make_stored_registration(), "flags": ["phone_over_cap"]}))
    assert (published.sent, published.dirty_days) == ([], [FIRST_DAY])

    published = publish(make_record({**make_stored_registration(), "flags": ["client_busy", "phone_busy"]}))
    assert published.sent == [RECEIVED]


def test_a_registration_without_new_events_publishes_none() -> None:
    same = make_stored_registration(CODE)
    assert publish(make_record(same, event="MODIFY", before=same)).sent == []
    assert publish(make_record(same, event="MODIFY")).sent == []


def test_an_unusual_client_marks_its_day_whenever_its_number_rises(harness: RegistrationHarness) -> None:
    unusual = UnusualClient("van-1", FIRST_DAY, received_on=FIRST_DAY.day, attempts=50)
    images = []
    for attempts in (50, 100):
        harness.stores.unusual_clients.record(replace(unusual, attempts=attempts))
        images += [from_item(item) for item in harness.scan_items()]

    published = [publish(make_record(images[0])), publish(make_modify_record(*images))]

    assert [(each.sent, each.dirty_days) for each in published] == [([], [FIRST_DAY])] * 2


def test_what_expires_marks_no_day(harness: RegistrationHarness) -> None:
    harness.stores.unusual_clients.record(
        UnusualClient("van-1", FIRST_DAY, received_on=FIRST_DAY.day, attempts=50)
    )
    with pytest.raises(RulesBroken):
        harness.submit(1, worker={"nik": "1"})

    for item in harness.scan_items():
        (record,) = make_remove_event(item)["Records"]
        assert (publish(record).sent, publish(record).dirty_days) == ([], [])


def test_a_requested_sms_is_published_with_its_purpose_and_marks_the_day() -> None:
    before = make_stored_registration(CODE)
    request = {
        "event_type": "sms_requested",
        "status": "awaiting_payment",
        "detail": {"purpose": "payment_code"},
    }
    after = {**before, "history": [*before["history"], request]}

    published = publish(make_modify_record(before, after))

    assert published.sent == [
        SmsRequested(reference="7K4-M2Q-X9P", correlation_id="c-1", purpose="payment_code", event_version=3)
    ]
    assert published.dirty_days == [FIRST_DAY]


@pytest.mark.parametrize("event", ["INSERT", "MODIFY"])
def test_a_stored_or_corrected_capture_marks_its_day(event: str) -> None:
    assert publish(make_record(make_stored_capture(), event=event)).dirty_days == [FIRST_DAY]


def test_a_capture_that_was_only_sealed_again_marks_no_day() -> None:
    before, after = (
        {**make_stored_capture(), "facts": {"outcome": "created"}, "answer": key} for key in b"12"
    )
    published = publish(make_modify_record(before, after))
    assert (published.dirty_days, published.sent) == ([], [])


@pytest.mark.parametrize("after", [{"facts": {"outcome": "created"}}, {"forgotten": True}])
def test_a_capture_that_was_corrected_or_erased_marks_its_day(after: dict[str, Any]) -> None:
    before = {**make_stored_capture(), "facts": {"outcome": "refused"}}
    assert publish(make_modify_record(before, {**before, **after})).dirty_days == [FIRST_DAY]


def test_a_capture_refused_for_its_day_marks_none() -> None:
    uncounted = {name: value for name, value in make_stored_capture().items() if name != "day_shard"}
    published = publish(make_record(uncounted))
    assert (published.dirty_days, published.sent) == ([], [])


def test_a_day_that_changed_many_times_is_marked_once() -> None:
    published = publish(
        *(make_record(make_stored_capture()) for _ in range(5)),
        make_record(make_stored_capture("2024-10-10")),
    )
    assert published.dirty_days == [FIRST_DAY, CampaignDay("tanah-abang-2024", date(2024, 10, 10))]


@pytest.mark.parametrize(
    "record",
    [
        make_remove_event(to_item(make_stored_capture()))["Records"][0],
        make_record({"pk": "WORKER#hash", "sk": "OPEN", "reference": "7K4-M2Q-X9P"}),
    ],
    ids=["a capture removed", "a worker's latest registration"],
)
def test_other_changes_publish_nothing(record: dict[str, Any]) -> None:
    published = publish(record)
    assert (published.sent, published.dirty_days) == ([], [])


def test_an_erased_registration_marks_its_day() -> None:
    published = publish(make_remove_event(to_item(make_stored_registration()))["Records"][0])
    assert (published.sent, published.dirty_days) == ([], [FIRST_DAY])


def test_each_change_of_a_registration_marks_its_day() -> None:
    cancelled = make_stored_registration(("cancelled", "cancelled"))
    published = publish(make_modify_record(make_stored_registration(), cancelled))
    assert published.dirty_days == [FIRST_DAY]

    published = publish(make_modify_record(cancelled, {**cancelled, "destroyed_at": "2025-01-09"}))
    assert (published.sent, published.dirty_days) == ([], [FIRST_DAY])


def test_a_registration_that_was_only_sealed_again_marks_no_day() -> None:
    sealed_again = {
        **make_stored_registration(),
        "facts": {"status": "received", "figures": b"\x01\x07again"},
    }
    published = publish(make_modify_record(make_stored_registration(), sealed_again))
    assert (published.dirty_days, published.sent) == ([], [])


def test_days_are_marked_even_if_the_queue_refuses() -> None:
    recorder = Recorder(refuses=True)
    records = [make_record(make_stored_registration()), make_record(make_stored_capture())]
    with pytest.raises(TryAgain):
        make_publisher(recorder).publish(records)
    assert recorder.dirty_days == [FIRST_DAY]


@pytest.mark.parametrize(
    ("before", "after", "published"),
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
        ((), (CANCELLED,), [("cancelled", 2)]),
        ((CODE,), (CODE, CANCELLED), [("cancelled", 3)]),
        ((CANCELLED,), (CANCELLED,), []),
        ((), (("expired", "expired"),), []),
        ((CODE,), (CODE,), []),
    ],
)
def test_new_events_are_published_with_the_version_that_they_made(
    before: tuple[tuple[str, str], ...],
    after: tuple[tuple[str, str], ...],
    published: list[tuple[str, int]],
) -> None:
    previous, current = make_stored_registration(*before), make_stored_registration(*after)
    record = make_record(current, event="MODIFY", before=previous)
    for _ in range(2):
        sent = publish(record).sent
        changes = [each for each in sent if isinstance(each, RegistrationChanged)]
        assert len(changes) == len(sent)
        assert [(each.event_type, each.event_version) for each in changes] == published
        assert all((each.reference, each.correlation_id) == ("7K4-M2Q-X9P", "c-1") for each in changes)


def make_repeat_capture(**circumstances: str) -> dict[str, Any]:
    capture = make_stored_capture()
    return {
        **capture,
        "taken": {**capture["taken"], "correlation_id": "c-2", **circumstances},
        "facts": {"outcome": "already_registered", "channel": circumstances.get("channel", "van")},
        "reference": "7K4-M2Q-X9P",
    }


KNOWN_WORKER_MET = KnownWorkerMet(reference="7K4-M2Q-X9P", correlation_id="c-2")


def test_a_known_worker_met_by_an_officer_gets_an_sms_only_if_the_stack_says_so() -> None:
    record = make_record(make_repeat_capture(disclosure="officer"))
    assert publish(record).sent == []
    published = publish(record, may_notify_known_workers=True)
    assert (published.sent, published.dirty_days) == ([KNOWN_WORKER_MET], [FIRST_DAY])
    copy = make_record({**make_repeat_capture(disclosure="officer"), COPIED_VERSION: 1})
    assert publish(copy, may_notify_known_workers=True).sent == [], "another stage met the worker"


@pytest.mark.parametrize("channel", ["bot", "web", "van"])
def test_the_public_cannot_make_us_send_a_known_worker_an_sms(channel: str) -> None:
    record = make_record(make_repeat_capture(disclosure="public", channel=channel))
    assert publish(record, may_notify_known_workers=True).sent == []


@pytest.mark.parametrize("channel", Channel)
def test_a_capture_of_an_earlier_release_is_judged_by_its_channel(channel: Channel) -> None:
    sent = publish(make_record(make_repeat_capture(channel=channel)), may_notify_known_workers=True).sent
    is_officer = channel in {Channel.KIOSK, Channel.VAN, Channel.AGENT, Channel.OFFICE}
    assert sent == ([KNOWN_WORKER_MET] if is_officer else [])


def test_a_capture_that_is_corrected_later_sends_a_known_worker_nothing() -> None:
    record = make_record(make_repeat_capture(disclosure="officer"), event="MODIFY")
    assert publish(record, may_notify_known_workers=True).sent == []


@pytest.mark.parametrize(
    ("caller", "event_types"),
    [
        (make_caller(Role.KIOSK, channel=Channel.VAN), ["KnownWorkerMet"]),
        (make_caller(Role.BOT, channel=Channel.VAN), []),
    ],
    ids=["officer's device", "bot with an officer's channel"],
)
def test_the_role_at_intake_decides_whether_a_known_worker_gets_an_sms(
    harness: RegistrationHarness, caller: Caller, event_types: list[str]
) -> None:
    harness.submit(1)
    stored = {item["pk"]["S"] for item in harness.scan_items()}

    harness.submit(2, nik_number=1, caller=caller)

    (capture,) = [
        item
        for item in harness.scan_items()
        if item["sk"]["S"] == "CAPTURE" and item["pk"]["S"] not in stored
    ]
    recorder = Recorder()
    publisher = make_publisher(recorder, may_notify_known_workers=True)
    publisher.publish(make_stream_event(capture)["Records"])
    assert [event.type for event in recorder.sent] == event_types
