"""The figures of a report in the order in which they are read: what every rendering but JSON is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.campaigns.model import Campaign
from chalicelib.rollups.model import Anomaly, Change, Note, Summary, SummaryState
from chalicelib.rollups.report import CurvePoint, Report

# The order in which breakdowns are read, and what each of them divides.
_OF_CREATED = ("by_occupation", "by_sex", "by_age", "by_programme")
_OF_WHO_TOOK_THEM = ("by_channel", "by_client", "by_officer", "by_hour", "by_received_day")

# The key of a cell that several small ones were put together in.
MERGED_KEY = ""


@dataclass(frozen=True)
class Cell:
    """How many of one kind."""

    key: str
    count: int


@dataclass(frozen=True)
class Group:
    """One breakdown. `is_withheld`: there are figures, but they must not be told here."""

    name: str
    cells: tuple[Cell, ...]
    is_withheld: bool = False

    @property
    def max_count(self) -> int:
        """The largest of its counts, which a full bar stands for."""
        return max((cell.count for cell in self.cells), default=0)


@dataclass(frozen=True)
class Revision:
    """An earlier day that was counted anew, and why it differs."""

    day: date
    version: int
    state: SummaryState
    was: int
    now: int
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ReportData:
    """All that is told of a campaign day. A figure that is not there is not told."""

    campaign: Campaign
    day: date
    version: int
    revision: int
    state: SummaryState
    counted_at: datetime
    content_hash: str
    created: int
    counts: Mapping[str, int]
    groups: tuple[Group, ...]
    money: Mapping[str, int]
    sms: Mapping[str, int | float]
    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    anomalies: tuple[Anomaly, ...]
    curve: tuple[CurvePoint, ...]
    revisions: tuple[Revision, ...]
    is_first: bool = False
    has_small_groups_suppressed: bool = False

    @property
    def cumulative(self) -> int:
        """All that was created up to the end of the day."""
        return self.curve[-1].cumulative if self.curve else self.created

    @property
    def share_of_target(self) -> float | None:
        """How much of the target that is; None where there is no target."""
        return self.cumulative / self.campaign.target if self.campaign.target else None

    @property
    def active(self) -> int | None:
        """How many of the day's registrations are protected now, where that is told."""
        return next((cell.count for cell in self.group("funnel").cells if cell.key == "active"), None)

    def group(self, name: str) -> Group:
        """A breakdown by its name; an empty one where nothing was counted."""
        return next((group for group in self.groups if group.name == name), Group(name, ()))


def build_report_data(report: Report) -> ReportData:
    """What a report tells."""
    summary = report.summary
    counts = summary.counts.model_dump()
    return ReportData(
        campaign=report.campaign,
        day=summary.day,
        version=summary.version,
        revision=summary.revision,
        state=summary.state,
        counted_at=datetime.fromisoformat(summary.counted_at),
        content_hash=summary.content_hash,
        created=counts.pop("created"),
        counts=counts,
        groups=tuple(group for group in _groups(summary) if group.cells),
        money=summary.money.model_dump(),
        sms={} if summary.texts is None else summary.texts.model_dump(exclude={"by_state"}),
        changes=tuple(sorted(summary.changes, key=lambda change: change.figure != "counts.created")),
        notes=tuple(summary.notes),
        anomalies=tuple(summary.oddities),
        curve=report.curve,
        revisions=tuple(_revision(each) for each in report.revisions),
        is_first=report.is_first,
    )


def _groups(summary: Summary) -> tuple[Group, ...]:
    funnel = summary.funnel.model_dump()
    divided = [(name, getattr(summary, name)) for name in (*_OF_CREATED, *_OF_WHO_TOOK_THEM)]
    return (
        Group("funnel", _in_order(funnel) if any(funnel.values()) else ()),
        *(Group(name, _ranked(name, counts)) for name, counts in divided),
        Group("refused_by_reason", _ranked("refused_by_reason", summary.refused_by_reason)),
        Group("texts", _in_order({} if summary.texts is None else summary.texts.by_state)),
    )


def _in_order(counts: Mapping[str, int]) -> tuple[Cell, ...]:
    return tuple(Cell(key, count) for key, count in counts.items())


def _ranked(name: str, counts: Mapping[str, int]) -> tuple[Cell, ...]:
    """Hours, days and ages follow one another; anything else goes by size."""
    if name in {"by_hour", "by_received_day", "by_age"}:
        return _in_order(dict(sorted(counts.items())))
    return _in_order(dict(sorted(counts.items(), key=lambda cell: (-cell[1], cell[0]))))


def _revision(summary: Summary) -> Revision:
    now = summary.counts.created
    was = next((change.was for change in summary.changes if change.figure == "counts.created"), now)
    return Revision(summary.day, summary.version, summary.state, was, now, tuple(summary.notes))
