"""What a manager reads of a day: its summary, beside the campaign's target and the days before it."""

from dataclasses import dataclass
from datetime import date

from chalicelib.campaigns.model import Campaign
from chalicelib.rollups.model import Summary, SummaryState


@dataclass(frozen=True)
class CurvePoint:
    """One day of the campaign as it is known now, and all that was created up to its end."""

    day: date
    created: int
    cumulative: int
    version: int
    state: SummaryState


@dataclass(frozen=True)
class Report:
    """All that any rendering shows of a campaign day.

    `curve` has the summarised days up to this one, in order. `revisions` are the newest versions of earlier
    days that were written after the report before this one was due, against those that stood then: what
    managers are told again. `is_first` says that who reads it was told nothing of the day before.
    """

    campaign: Campaign
    summary: Summary
    curve: tuple[CurvePoint, ...] = ()
    revisions: tuple[Summary, ...] = ()
    is_first: bool = False
