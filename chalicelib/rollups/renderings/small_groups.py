"""Figures that may leave by mail: nothing in them counts a handful of people.

A mail is forwarded, printed and kept where nobody sees who reads it, and "one tailor, a woman, at nine
o'clock" is somebody. A group of fewer than five is put together with others; never alone, or the day's total
would give it away, and never into a sum that is itself small. Where that leaves nothing to tell, the whole
breakdown is left out. The day's own total is told whatever it is: it is what the mail is about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.rollups.model import Anomaly, Note
from chalicelib.rollups.renderings.report_data import MERGED_KEY, Cell, Group, ReportData

MIN_GROUP_SIZE = 5


def is_small(count: int) -> bool:
    """Whether a count tells of so few that they could be known; none at all are nobody."""
    return 0 < abs(count) < MIN_GROUP_SIZE


def suppress_small_groups(figures: ReportData) -> ReportData:
    """The same figures, as they may be mailed."""
    groups = {group.name: group for group in figures.groups}
    told = {name: _told(group, figures) for name, group in groups.items()}
    if "by_client" in told and told["by_client"] != groups["by_client"]:
        # A channel is the sum of its devices: what is put together in one would follow from the other.
        told["by_client"] = _withheld(groups["by_client"])
    counts = _counts(figures.counts)
    if "refused" not in counts and "refused_by_reason" in told:
        told["refused_by_reason"] = _withheld(groups["refused_by_reason"])
    return replace(
        figures,
        counts=counts,
        groups=tuple(told.values()),
        money=_money(figures),
        sms=_texts(figures, told.get("texts")),
        changes=tuple(change for change in figures.changes if change.figure == "counts.created"),
        notes=_notes(figures.notes),
        anomalies=tuple(_oddity(each, told.get("by_client")) for each in figures.anomalies),
        revisions=tuple(replace(each, notes=_notes(each.notes)) for each in figures.revisions),
        has_small_groups_suppressed=True,
    )


def _told(group: Group, figures: ReportData) -> Group:
    match group.name:
        case "by_occupation" | "by_programme":
            return _each_beside_all(group, figures.created)
        case "refused_by_reason":
            return _each_beside_all(group, figures.counts["refused"])
        case "funnel" if is_small(figures.counts["reactivated"]):
            # It is of all who were registered: less the day's total, that is who came back.
            return _withheld(group)
    return _put_together(group)


def _put_together(group: Group) -> Group:
    """A breakdown whose cells come to a total that is known."""
    small = [cell for cell in group.cells if is_small(cell.count)]
    if not small:
        return group
    others = [cell for cell in group.cells if cell.count >= MIN_GROUP_SIZE]
    by_size = sorted(others, key=lambda cell: (cell.count, cell.key))
    merged = small
    while len(merged) == 1 or _total(merged) < MIN_GROUP_SIZE:
        if not by_size:
            return _withheld(group)
        merged = [*merged, by_size.pop(0)]
    if not by_size:
        return _withheld(group)
    # Kinds of which there are none go too: what is not named could then be any of them.
    shown = tuple(cell for cell in others if cell in by_size)
    return replace(group, cells=(*shown, Cell(MERGED_KEY, _total(merged))))


def _each_beside_all(group: Group, everybody: int) -> Group:
    """A breakdown in which one person may stand several times: each cell tells of those in it, and of the
    rest of all. Nothing is put together: with no total of the cells, none follows from the others.
    """
    shown = tuple(
        cell for cell in group.cells if not is_small(cell.count) and not is_small(everybody - cell.count)
    )
    return group if shown == group.cells else replace(group, cells=shown, is_withheld=not shown)


def _withheld(group: Group) -> Group:
    return replace(group, cells=(), is_withheld=True)


def _counts(counts: Mapping[str, int]) -> Mapping[str, int]:
    """`captures` is `created` and two more: where one of the two is left out, it would give that one away."""
    shown = {name: count for name, count in counts.items() if not is_small(count)}
    if not {"already_registered", "reactivated"} <= shown.keys():
        shown.pop("captures", None)
    return shown


def _money(figures: ReportData) -> Mapping[str, int]:
    """What a few people were quoted or paid says what they earn."""
    funnel = {cell.key: cell.count for cell in figures.group("funnel").cells}
    people = {"quoted": figures.created, "paid": funnel.get("active", 0) + funnel.get("lapsed", 0)}
    return {
        name: rupiah for name, rupiah in figures.money.items() if not rupiah or people[name] >= MIN_GROUP_SIZE
    }


def _texts(figures: ReportData, by_state: Group | None) -> Mapping[str, int | float]:
    if is_small(int(figures.sms.get("total", 0))):
        return {}
    unknown = next((cell.count for cell in figures.group("texts").cells if cell.key == "unknown"), 0)
    told_by_state = by_state is not None and any(cell.key == "unknown" for cell in by_state.cells)
    hidden = set() if told_by_state or not unknown else {"unknown_share"}
    return {name: value for name, value in figures.sms.items() if name not in hidden}


def _notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(note for note in notes if not is_small(note.difference))


def _oddity(oddity: Anomaly, by_client: Group | None) -> Anomaly:
    """The pattern and the device are told, to be looked at; numbers only where they tell of no handful."""
    devices_hidden = by_client is not None and by_client.is_withheld
    if devices_hidden or is_small(oddity.workers) or is_small(oddity.usual or 0):
        return oddity.model_copy(update={"workers": 0, "usual": None})
    return oddity


def _total(cells: Iterable[Cell]) -> int:
    return sum(cell.count for cell in cells)
