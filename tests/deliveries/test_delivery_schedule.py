"""The delivery function: a run has an end, and no campaign is always the last."""

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.deliveries import schedule
from tests.support.delivery_harness import DeliveryHarness
from tests.support.logs import collect_logs
from tests.support.registration_builders import FIRST_DAY, make_campaign
from tests.support.rollup_harness import FakeLambdaContext

MANAGERS = [
    {"name": f"Manajer {number}", "email": f"m{number}@example.com", "phone": None} for number in range(8)
]
IDS = [FIRST_DAY.campaign_id, *(f"market-{number}" for number in range(4))]


def run_function(harness: DeliveryHarness, *, seconds: int) -> dict[str, int]:
    context = FakeLambdaContext(harness.clock, timedelta(seconds=seconds))
    return schedule.deliver_reports(harness.delivery_service, harness.clock, context)


@pytest.fixture
def harness() -> DeliveryHarness:
    """The first day of five campaigns is counted, of eight managers each; a mail takes ten seconds."""
    harness = DeliveryHarness(campaign=make_campaign(managers=MANAGERS))
    for campaign_id in IDS[1:]:
        harness.campaigns.add(make_campaign(campaign_id=campaign_id, managers=MANAGERS))
    harness.run_rollup()
    harness.mail_channel.on_send = lambda: harness.clock.advance(timedelta(seconds=10))
    return harness


def test_a_run_ends_in_time_and_the_next_ones_send_each_report_once(harness: DeliveryHarness) -> None:
    sent: list[int] = []
    with collect_logs() as lines:
        while len(harness.mail_channel.sent) < len(IDS) * len(MANAGERS):
            begun_at, before = harness.clock(), len(harness.mail_channel.sent)
            run_function(harness, seconds=120)
            assert harness.clock() - begun_at <= timedelta(seconds=110)
            sent.append(len(harness.mail_channel.sent) - before)
            harness.clock.advance(timedelta(minutes=3))

    assert min(sent) > 0
    assert len(sent) > 3
    assert lines.with_message("time limit reached, remaining reports wait for the next run")
    assert run_function(harness, seconds=120) == {"settled": 0, "open": 0}
    per_delivery = Counter(each.delivery_id for each in harness.mail_channel.sent)
    assert set(per_delivery.values()) == {1}


def test_a_campaign_whose_reports_take_long_leaves_time_to_the_others(harness: DeliveryHarness) -> None:
    run_function(harness, seconds=120)

    campaigns = {each.report.campaign.campaign_id for each in harness.mail_channel.sent}
    assert len(campaigns) > 1


def test_every_campaign_is_the_first_of_some_run(harness: DeliveryHarness) -> None:
    firsts = set()
    for _ in range(60):
        harness.clock.advance(timedelta(minutes=5))
        firsts.add(next(harness.delivery_service.iter_entries_by_campaign())[0])

    assert firsts == set(IDS)
