"""What the rollups package refuses.

Refusal
├── SummaryUnknown          the day has not been summarised
├── DayNotInCampaign        the campaign has no such day
├── FormatUnavailable       a summary comes in none of the forms that are asked for
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


class FormatUnavailable(Refusal):
    """A summary comes in none of the forms that are asked for."""

    code = "format_unavailable"


class CountUnfinished(TryAgain):
    """The day takes longer to count than there was time.

    What a recount has counted is kept, and the next one goes on; a look at a running day keeps nothing.
    """
