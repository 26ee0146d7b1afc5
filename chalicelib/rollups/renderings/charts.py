"""Charts as inline SVG. Each stands beside a table with the same numbers: nobody has to read the picture."""

from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.markup import Inside, Markup, element
from chalicelib.rollups.renderings.report_data import Cell, Group, ReportData

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 70, 18, 28
_COLUMN_SHARE, _WIDEST_COLUMN, _LARGEST_TYPE = 0.72, 72, 24
# More would stand in one another's way.
_MOST_NAMED_DAYS = 8


def bar(part: float, *, kind: str = "bar") -> Markup:
    """A bar that is filled for this part of its width."""
    width = round(100 * min(max(part, 0.0), 1.0), 2)
    return element(
        "svg",
        element("rect", width=width, height=1),
        class_=kind,
        viewBox="0 0 100 1",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def curve(figures: ReportData, speech: Localizer) -> Markup | None:
    """What was created in all, day by day, against the target; None where there is no line to draw yet."""
    days = figures.curve
    if len(days) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    highest = max(figures.campaign.target, days[-1].cumulative, 1)
    step = (_WIDTH - _LEFT - _RIGHT) / (len(days) - 1)
    points = [(round(_LEFT + step * at, 1), _y(day.cumulative, highest)) for at, day in enumerate(days)]
    (first, _), (last, top) = points[0], points[-1]
    line = " ".join(f"{x},{y}" for x, y in points)
    ground = _y(0, highest)
    return element(
        "svg",
        element("polygon", points=f"{first},{ground} {line} {last},{ground}", class_="area"),
        element("polyline", points=line, class_="line"),
        element("circle", cx=last, cy=top, r=5),
        _text(last + 9, top + 5, speech.format_number(days[-1].cumulative)),
        _aim(figures, speech, highest) if figures.campaign.target else None,
        _names(figures, speech, points),
        class_="curve",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=speech.translate("chart_of_days"),
    )


def columns(group: Group, label: str) -> Markup:
    """A column for each cell, its number above and its key below it."""
    step = _WIDTH / len(group.cells)
    width = min(step * _COLUMN_SHARE, _WIDEST_COLUMN)
    size = round(min(step / 2, _LARGEST_TYPE))
    return element(
        "svg",
        [
            _column(cell, cell.count / max(group.max_count, 1), round(step * (at + 0.5), 1), round(width, 1))
            for at, cell in enumerate(group.cells)
        ],
        class_="hours",
        font_size=size,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=label,
    )


def _column(cell: Cell, part: float, middle: float, width: float) -> Inside:
    ground = _HEIGHT - _BOTTOM
    height = round((ground - _LARGEST_TYPE) * part, 1)
    return [
        element("rect", x=round(middle - width / 2, 1), y=ground - height, width=width, height=height),
        _text(middle, ground - height - 5, str(cell.count), anchor="middle"),
        element("text", cell.key, x=middle, y=_HEIGHT - 6, class_="hour"),
    ]


def _y(value: int, highest: int) -> float:
    return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / highest), 1)


def _aim(figures: ReportData, speech: Localizer, highest: int) -> Inside:
    y = _y(figures.campaign.target, highest)
    words = f"{speech.translate('target')} {speech.format_number(figures.campaign.target)}"
    return [
        element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="aim"),
        _text(_LEFT, y - 5, words),
    ]


def _names(figures: ReportData, speech: Localizer, points: list[tuple[float, float]]) -> Inside:
    every = -(-len(points) // _MOST_NAMED_DAYS)
    last = len(points) - 1
    return [
        _text(x, _HEIGHT - 8, speech.format_short_day(day.day), anchor=_anchor(at, last))
        for at, ((x, _), day) in enumerate(zip(points, figures.curve, strict=True))
        if at % every == 0
    ]


def _anchor(at: int, last: int) -> str:
    return {0: "start", last: "end"}.get(at, "middle")


def _text(x: float, y: float, words: str, *, anchor: str = "start") -> Markup:
    return element("text", words, x=x, y=y, text_anchor=anchor)
