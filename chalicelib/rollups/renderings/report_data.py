"""The figures of a report in reading order: the one source of every rendering but JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.campaigns.model import Campaign
from chalicelib.rollups.model import Anomaly, Change, Note, Summary, SummaryState, Tally
from chalicelib.rollups.report import CurvePoint, Report

# The breakdowns of registrations in reading order: by the worker, by the capture, then any others.
_FIRST_BREAKDOWNS = (
    *("by_occupation", "by_sex", "by_age", "by_programme", "by_sponsor"),
    *("by_channel", "by_client", "by_officer", "by_hour", "by_received_day"),
)
_BREAKDOWNS = tuple(
    dict.fromkeys((*_FIRST_BREAKDOWNS, *(name for name in Tally.model_fields if name.startswith("by_"))))
)
# Their cells are sorted by key, those of all others by size.
_SORTED_BY_KEY = {"by_hour", "by_received_day", "by_age"}

# The figure that leads every rendering.
HEADLINE_FIGURE = "counts.registered"

# The number of corrections of what was recorded.
CORRECTIONS_FIGURE = "corrections.total"

# The key of the cell that several small ones were merged into.
MERGED_KEY = ""


@dataclass(frozen=True)
class Cell:
    """The count of one key of a breakdown."""

    key: str
    count: int
    label: str | None = None
    """Its name, where the campaign knows it; the others have theirs in `i18n.json`."""


@dataclass(frozen=True)
class Group:
    """One breakdown. `is_withheld`: it has figures, but they must not be shown here."""

    name: str
    cells: tuple[Cell, ...]
    is_withheld: bool = False

    @property
    def max_count(self) -> int:
        """Return its largest count, which is drawn as a full bar."""
        return max((cell.count for cell in self.cells), default=0)

    def get_share_of_max(self, cell: Cell) -> float:
        return cell.count / self.max_count if self.max_count else 0.0


@dataclass(frozen=True)
class Revision:
    """A newer version of an earlier day, and why it differs."""

    day: date
    version: int
    state: SummaryState
    was: int
    now: int
    notes: tuple[Note, ...]
    corrections: int | None = 0
    """The corrections that are new in it; None if they are some and their number must not be shown."""


@dataclass(frozen=True)
class ReportData:
    """All figures of a campaign day that a rendering may show. Figures that are missing must not be shown."""

    campaign: Campaign
    day: date
    version: int
    revision: int
    state: SummaryState
    counted_at: datetime
    content_hash: str
    registered: int
    counts: Mapping[str, int]
    groups: tuple[Group, ...]
    money: Mapping[str, int]
    sms: Mapping[str, int | float]
    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    anomalies: tuple[Anomaly, ...]
    curve: tuple[CurvePoint, ...]
    revisions: tuple[Revision, ...]
    corrections: int = 0
    new_corrections: int | None = 0
    """The corrections since the version before; None if they are some and their number must not be shown."""
    is_first: bool = False
    has_small_groups_suppressed: bool = False

    @property
    def cumulative(self) -> int:
        """Return how many were registered up to the end of the day."""
        return self.curve[-1].cumulative if self.curve else self.registered

    @property
    def share_of_target(self) -> float | None:
        """Return `cumulative` as a fraction of the target; None without a target."""
        return self.cumulative / self.campaign.target if self.campaign.target else None

    @property
    def active(self) -> int | None:
        """Return how many of the day's registrations are protected now; None where that is not shown."""
        return next((cell.count for cell in self.get_group("funnel").cells if cell.key == "active"), None)

    def get_group(self, name: str) -> Group:
        """Return a breakdown by its name; an empty one where nothing was counted."""
        return next((group for group in self.groups if group.name == name), Group(name, ()))


def build_report_data(report: Report) -> ReportData:
    summary = report.summary
    counts = summary.counts.model_dump()
    registered = counts.pop("registered")
    return ReportData(
        campaign=report.campaign,
        day=summary.day,
        version=summary.version,
        revision=summary.revision,
        state=summary.state,
        counted_at=datetime.fromisoformat(summary.counted_at),
        content_hash=summary.content_hash,
        registered=registered,
        counts={"created": counts.pop("created"), **counts},
        groups=tuple(
            _name_sponsors(group, report.campaign) for group in _build_groups(summary) if group.cells
        ),
        money=summary.money.model_dump(),
        sms={} if summary.texts is None else summary.texts.model_dump(exclude={"by_state"}),
        changes=tuple(sorted(summary.changes, key=lambda change: change.figure != HEADLINE_FIGURE)),
        notes=tuple(summary.notes),
        anomalies=tuple(summary.oddities),
        curve=report.curve,
        revisions=tuple(_build_revision(each) for each in report.revisions),
        corrections=summary.corrections.total,
        new_corrections=_count_new_corrections(summary),
        is_first=report.is_first,
    )


def _build_groups(summary: Summary) -> tuple[Group, ...]:
    funnel = summary.funnel.model_dump()
    return (
        Group("funnel", _build_cells(funnel) if any(funnel.values()) else ()),
        *(_build_sorted_group(name, getattr(summary, name)) for name in _BREAKDOWNS),
        _build_sorted_group("refused_by_reason", summary.refused_by_reason),
        Group("texts", _build_cells({} if summary.texts is None else summary.texts.by_state)),
    )


def _name_sponsors(group: Group, campaign: Campaign) -> Group:
    if group.name != "by_sponsor":
        return group
    names = {sponsor.sponsor_id: sponsor.name for sponsor in campaign.sponsors}
    return replace(group, cells=tuple(replace(cell, label=names.get(cell.key)) for cell in group.cells))


def _build_cells(counts: Mapping[str, int]) -> tuple[Cell, ...]:
    return tuple(Cell(key, count) for key, count in counts.items())


def _build_sorted_group(name: str, counts: Mapping[str, int]) -> Group:
    if name in _SORTED_BY_KEY:
        return Group(name, _build_cells(dict(sorted(counts.items()))))
    return Group(name, _build_cells(dict(sorted(counts.items(), key=lambda cell: (-cell[1], cell[0])))))


def _build_revision(summary: Summary) -> Revision:
    now = summary.counts.registered
    was = next((change.was for change in summary.changes if change.figure == HEADLINE_FIGURE), now)
    notes, corrections = tuple(summary.notes), _count_new_corrections(summary)
    return Revision(summary.day, summary.version, summary.state, was, now, notes, corrections)


def _count_new_corrections(summary: Summary) -> int:
    return sum(each.now - each.was for each in summary.changes if each.figure == CORRECTIONS_FIGURE)
