"""The campaigns of a soak, each at its own market, as one load."""

import time
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from bench.load.books import Settlement, SmsFaults
from bench.load.campaign import LoadedCampaign, NotAtRest
from bench.soak.flatness import divide_by_size, find_oldest_age
from ops.api_client import ApiUnavailable
from tests.support.sms_ledger import count_unsettled

SETTLE_SECONDS = 1800


def plan_turns(registrations: Sequence[int], batch_size: int) -> Iterator[tuple[int, int]]:
    """Yield the turns of vans: the number of a campaign, and how many workers it registers then.

    `registrations` are what is left for each campaign. They take turns until nothing is left.
    """
    batches = [
        [min(batch_size, total - start) for start in range(0, total, batch_size)] for total in registrations
    ]
    for sizes in zip_longest(*batches, fillvalue=0):
        yield from ((number, size) for number, size in enumerate(sizes) if size)


class SoakedCampaigns:
    """Campaigns on one stack. All have begun."""

    def __init__(self, campaigns: Sequence[LoadedCampaign]) -> None:
        self._campaigns = campaigns
        self.port = campaigns[0].stack.port

    def count_accepted(self) -> int:
        """Return the number of registrations so far."""
        return sum(len(each.books.accepted) for each in self._campaigns)

    def plan_turns(self, registrations: int, batch_size: int) -> list[tuple[int, int]]:
        """Return the turns by which there are so many registrations, an equal number in each campaign."""
        share, rest = divmod(registrations, len(self._campaigns))
        wanted = (share + (number < rest) for number in range(len(self._campaigns)))
        left = [total - len(each.books.accepted) for total, each in zip(wanted, self._campaigns, strict=True)]
        return list(plan_turns(left, batch_size))

    def send_turn(self, campaign_number: int, size: int, turn: int) -> str | None:
        """Send one batch, and beside it a single capture, a question of a worker and a look of a manager.

        Return what is wrong with an answer, or None.
        """
        campaign = self._campaigns[campaign_number]
        error = campaign.register_batch(max(size - 1, 1))
        if size > 1:
            error = campaign.register() or error
        return campaign.ask_status(turn) or campaign.read_as_manager(turn) or error

    def find_sms_age(self) -> float:
        """Return how long the oldest registration has waited for its SMS."""
        return max(self._find_age(each, each.count_sms()) for each in self._campaigns)

    def count_days(self) -> float:
        """Run the hourly count, and return how long a registration that it left out has waited by then.

        A count reads every day that has changed as a whole: it takes twice as long for twice as many.
        """
        self._campaigns[0].run_count()
        counted = [each.read_summary()["counts"]["created"] for each in self._campaigns]
        ages = [self._find_age(each, done) for each, done in zip(self._campaigns, counted, strict=True)]
        return divide_by_size(max(ages), sum(counted))

    def settle(self) -> Settlement | None:
        """Return what is left of all campaigns once nothing moves. None if one of them never rests."""
        try:
            for each in self._campaigns:
                each.await_rest(timeout_seconds=SETTLE_SECONDS)
            unsettled = count_unsettled(self._campaigns[0].stack)
            return merge_settlements(
                [each.settle(unsettled, timeout_seconds=SETTLE_SECONDS) for each in self._campaigns]
            )
        except (NotAtRest, ApiUnavailable):
            return None

    @staticmethod
    def _find_age(campaign: LoadedCampaign, done: int) -> float:
        times = sorted(each.accepted_at for each in list(campaign.books.accepted.values()))
        return find_oldest_age(times, done, time.monotonic())


def merge_settlements(settlements: Sequence[Settlement]) -> Settlement:
    """Return the sum of what is left of each campaign."""
    return Settlement(
        sms=SmsFaults(
            without=sum(each.sms.without for each in settlements),
            repeated=sum(each.sms.repeated for each in settlements),
            unexpected=sum(each.sms.unexpected for each in settlements),
        ),
        unsettled_sms=sum(each.unsettled_sms for each in settlements),
        # Each has looked at the queues of the whole stack.
        dead_letters=max(each.dead_letters for each in settlements),
        summary_differences=[line for each in settlements for line in each.summary_differences],
        recount_differences=[line for each in settlements for line in each.recount_differences],
    )
