"""Geometry of the charts that `templates/charts.html.j2` draws as SVG.

Each chart has a table of the same numbers beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import Group, ReportData

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 70, 18, 28
_COLUMN_SHARE, _MAX_COLUMN_WIDTH, _MAX_FONT_SIZE = 0.72, 72, 24
# Fewer days are bars, one each, in their table.
_MIN_CURVE_DAYS = 5
# More day labels would overlap.
_MAX_DAY_LABELS = 8


@dataclass(frozen=True)
class Label:
    """Text at a point of a chart."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class TargetLine:
    """The horizontal line of the campaign's target."""

    x1: int
    x2: int
    y: float
    label: Label


@dataclass(frozen=True)
class Curve:
    """A line chart of the registrations in all, day by day. `line` and `area` are lists of points in SVG."""

    line: str
    area: str
    end: tuple[float, float]
    end_label: Label
    target: TargetLine | None
    days: tuple[Label, ...]
    view_box: str = f"0 0 {_WIDTH} {_HEIGHT}"


@dataclass(frozen=True)
class Column:
    """One column of a chart, with its count above it and its key below it."""

    x: float
    y: float
    width: float
    height: float
    count: Label
    key: Label


@dataclass(frozen=True)
class Columns:
    """A column chart."""

    columns: tuple[Column, ...]
    font_size: int
    view_box: str = f"0 0 {_WIDTH} {_HEIGHT}"


def to_percent(fraction: float, digits: int | None = 2) -> float:
    """Return a fraction in per cent, cut to 0..100 and rounded to `digits`."""
    return round(100 * min(max(fraction, 0.0), 1.0), digits)


def build_curve(data: ReportData, localizer: Localizer) -> Curve | None:
    """Return the chart of a campaign's days against its target; None while a bar for each says more."""
    days = data.curve
    if len(days) < _MIN_CURVE_DAYS:
        return None
    highest = max(data.campaign.target, days[-1].cumulative, 1)
    step = (_WIDTH - _LEFT - _RIGHT) / (len(days) - 1)
    points = [
        (round(_LEFT + step * index, 1), _scale_y(day.cumulative, highest)) for index, day in enumerate(days)
    ]
    (first, _), (last, top) = points[0], points[-1]
    line = " ".join(f"{x},{y}" for x, y in points)
    ground = _scale_y(0, highest)
    return Curve(
        line=line,
        area=f"{first},{ground} {line} {last},{ground}",
        end=(last, top),
        end_label=Label(last + 9, top + 5, localizer.format_number(days[-1].cumulative)),
        target=_build_target_line(data, localizer, highest) if data.campaign.target else None,
        days=tuple(_iter_day_labels(data, localizer, [x for x, _ in points])),
    )


def build_columns(group: Group) -> Columns:
    step = _WIDTH / len(group.cells)
    width = round(min(step * _COLUMN_SHARE, _MAX_COLUMN_WIDTH), 1)
    ground = _HEIGHT - _BOTTOM
    columns = []
    for index, cell in enumerate(group.cells):
        middle = round(step * (index + 0.5), 1)
        height = round((ground - _MAX_FONT_SIZE) * (cell.count / max(group.max_count, 1)), 1)
        columns.append(
            Column(
                x=round(middle - width / 2, 1),
                y=ground - height,
                width=width,
                height=height,
                count=Label(middle, ground - height - 5, str(cell.count), "middle"),
                key=Label(middle, _HEIGHT - 6, cell.key),
            )
        )
    return Columns(tuple(columns), font_size=round(min(step / 2, _MAX_FONT_SIZE)))


def _scale_y(value: int, highest: int) -> float:
    return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / highest), 1)


def _build_target_line(data: ReportData, localizer: Localizer, highest: int) -> TargetLine:
    y = _scale_y(data.campaign.target, highest)
    text = f"{localizer.translate('target')} {localizer.format_number(data.campaign.target)}"
    return TargetLine(_LEFT, _WIDTH - _RIGHT, y, Label(_LEFT, y - 5, text))


def _iter_day_labels(data: ReportData, localizer: Localizer, positions: list[float]) -> Iterator[Label]:
    interval = -(-len(positions) // _MAX_DAY_LABELS)
    anchors = {0: "start", len(positions) - 1: "end"}
    for index in range(0, len(positions), interval):
        text = localizer.format_short_day(data.curve[index].day)
        yield Label(positions[index], _HEIGHT - 8, text, anchors.get(index, "middle"))
