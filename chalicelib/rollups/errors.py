"""Refusals of the rollups package.

Refusal
├── SummaryUnknown          the day has not been summarised
├── DayNotInCampaign        the campaign has no such day
├── FormatUnavailable       no requested format is available
└── TryAgain
    └── CountUnfinished     the day was not counted within the time limit
"""

from chalicelib.refusals import Refusal, TryAgain


class SummaryUnknown(Refusal):
    """The day has not been summarised."""

    code = "summary_unknown"


class DayNotInCampaign(Refusal):
    """The campaign has no such day."""

    code = "day_not_in_campaign"


class FormatUnavailable(Refusal):
    """A summary is available in none of the requested formats."""

    code = "format_unavailable"


class CountUnfinished(TryAgain):
    """The day was not counted within the time limit. The next recount resumes; a live report starts anew."""
