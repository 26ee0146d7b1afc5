"""What the example's managers are mailed. Its days are long over, so the first they hear of them is final."""

import re
from collections import Counter

import pytest

from tests.e2e.stack_1.example.conftest import MarketDay
from tests.e2e.stack_2.test_report_delivery import list_mails_to, run_schedules
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

_NAMED = re.compile(r"tanah-abang-2024-(\d{4}-\d\d-\d\d)-v(\d+)\.xlsx")


def test_each_manager_gets_one_mail_per_day_with_the_numbers_of_a_version(
    stack: RunningStack, market_day: MarketDay
) -> None:
    for _ in range(2):
        run_schedules(stack)

    mail_counts: Counter[tuple[str, str]] = Counter()
    for mail in [each for domain in ("example.com", "example.org") for each in list_mails_to(stack, domain)]:
        _, attached = mail.iter_parts()
        named = _NAMED.fullmatch(attached.get_filename() or "")
        if named is None:
            continue
        day, version = named.groups()
        mail_counts[mail["To"].addresses[0].username, day] += 1
        path = f"/v1/campaigns/tanah-abang-2024/summaries/{day}?version={version}"
        created = stack.send("manager", "GET", path).json()["counts"]["created"]
        assert f"Final: {created} terdaftar" in mail["Subject"]
    managers = ("manajer.satu", "manajer.dua")
    assert mail_counts == {(name, day): 1 for name in managers for day in market_day.summaries}
