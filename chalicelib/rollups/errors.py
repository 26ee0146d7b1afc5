"""What the rollups package refuses.

Refusal
├── SummaryUnknown      the day has not been summarised
└── DayNotInCampaign    the campaign has no such day
"""

from chalicelib.refusals import Refusal


class SummaryUnknown(Refusal):
    """The day has not been summarised."""

    code = "summary_unknown"


class DayNotInCampaign(Refusal):
    """The campaign has no such day."""

    code = "day_not_in_campaign"
