"""What the rollups package refuses.

Refusal
├── SummaryUnknown          the day has not been summarised
├── DayNotInCampaign        the campaign has no such day
└── TryAgain
    └── CountUnfinished     the day takes longer to count than there was time
"""

from chalicelib.refusals import Refusal, TryAgain


class SummaryUnknown(Refusal):
    """The day has not been summarised."""

    code = "summary_unknown"


class DayNotInCampaign(Refusal):
    """The campaign has no such day."""

    code = "day_not_in_campaign"


class CountUnfinished(TryAgain):
    """The day takes longer to count than there was time. What was counted is kept: the next count goes on."""
