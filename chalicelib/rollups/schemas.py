"""Summaries as managers read them in JSON."""

from datetime import date

from pydantic import BaseModel, Field

from chalicelib.rollups.model import Anomaly, Change, Headline, Note, Summary, SummaryState
from chalicelib.rollups.report import Report


class CurvePointView(BaseModel):
    """One day of the campaign, and all that were registered up to its end."""

    day: date
    created: int
    registered: int
    cumulative: int
    version: int
    state: SummaryState


class ProgressView(BaseModel):
    """The progress of the campaign at the end of the day: `registered` against its target."""

    target: int
    created: int
    registered: int
    curve: list[CurvePointView]


class RevisionView(BaseModel):
    """A change of an earlier day since the previous report was due."""

    day: date
    version: int
    counted_at: str
    changes: list[Change]
    notes: list[Note]


class SummaryView(Summary):
    """A summary, with what stands beside it in a manager's report."""

    # Not a field of `Summary`: that one is stored, and its content is hashed.
    anomalies: list[Anomaly] = Field(description="The same as `oddities`.")
    progress: ProgressView
    revisions: list[RevisionView]

    @classmethod
    def from_report(cls, report: Report) -> "SummaryView":
        """Return the view of a report: the same report gives the same bytes."""
        curve = [CurvePointView(**vars(each)) for each in report.curve]
        return cls(
            **dict(report.summary),
            anomalies=report.summary.oddities,
            progress=ProgressView(
                target=report.campaign.target,
                created=sum(each.created for each in curve),
                registered=sum(each.registered for each in curve),
                curve=curve,
            ),
            revisions=[
                RevisionView(**{name: getattr(each, name) for name in RevisionView.model_fields})
                for each in report.revisions
            ],
        )


class SummariesView(BaseModel):
    """The days of a campaign that were summarised, by day, each with its newest version."""

    campaign_id: str
    days: list[Headline]
