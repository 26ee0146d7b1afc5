"""Report of a campaign day: its summary, its campaign and the days before it."""

from dataclasses import dataclass
from datetime import date

from chalicelib.campaigns.model import Campaign
from chalicelib.rollups.model import Summary, SummaryState


@dataclass(frozen=True)
class CurvePoint:
    """One day of a campaign by its newest summary. `cumulative` are those registered up to its end."""

    day: date
    created: int
    registered: int
    cumulative: int
    version: int
    state: SummaryState


@dataclass(frozen=True)
class Report:
    """Everything that renderings show of a campaign day.

    `curve` has the summarised days up to this one, in order. `revisions` are the newest versions of earlier
    days that were written after the previous report was due; their changes are since that time. `is_first` is
    true if the reader got no earlier report of the day.
    """

    campaign: Campaign
    summary: Summary
    curve: tuple[CurvePoint, ...] = ()
    revisions: tuple[Summary, ...] = ()
    is_first: bool = False
