"""Suppresses small groups in what is mailed, so that no count is of fewer than five people.

A mail may be forwarded, printed and read by anybody, and "one tailor, a woman, at nine o'clock" identifies a
person. A group of fewer than five is merged with others: at least two groups, because a single one follows
from the day's total, and until their sum is not small either. Where nothing else would be left, the whole
breakdown is withheld. The day's own total is always shown: the mail is about it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.rollups.model import Anomaly, Note
from chalicelib.rollups.renderings.report_data import HEADLINE_FIGURE, MERGED_KEY, Cell, Group, ReportData

MIN_GROUP_SIZE = 5


def is_small(count: int) -> bool:
    """Return True if a count is of so few people that they could be identified; 0 is not."""
    return 0 < abs(count) < MIN_GROUP_SIZE


def suppress_small_groups(data: ReportData) -> ReportData:
    """Return the figures that may be mailed."""
    groups = {group.name: group for group in data.groups}
    shown = {name: _suppress_group(group, data) for name, group in groups.items()}
    if "by_client" in shown and shown["by_client"] != groups["by_client"]:
        # A channel is the sum of its devices: what is merged in one would follow from the other.
        shown["by_client"] = _withhold(groups["by_client"])
    counts = _suppress_counts(data)
    if "refused" not in counts and "refused_by_reason" in shown:
        shown["refused_by_reason"] = _withhold(groups["refused_by_reason"])
    return replace(
        data,
        counts=counts,
        groups=tuple(shown.values()),
        money=_suppress_money(data),
        sms=_suppress_sms(data, shown.get("texts")),
        changes=tuple(change for change in data.changes if change.figure == HEADLINE_FIGURE),
        notes=_suppress_notes(data.notes),
        anomalies=tuple(_suppress_anomaly(each, shown.get("by_client")) for each in data.anomalies),
        revisions=tuple(
            replace(
                each,
                notes=_suppress_notes(each.notes),
                corrections=_suppress_number(each.corrections),
            )
            for each in data.revisions
        ),
        corrections=_suppress_number(data.corrections) or 0,
        new_corrections=_suppress_number(data.new_corrections),
        has_small_groups_suppressed=True,
    )


def _suppress_group(group: Group, data: ReportData) -> Group:
    match group.name:
        case "by_occupation" | "by_programme":
            return _drop_revealing_cells(group, data.registered)
        case "by_sponsor":
            return _drop_small_cells(group, data.registered)
        case "refused_by_reason":
            return _drop_revealing_cells(group, data.counts["refused"])
        case "funnel" if is_small(_count_cancelled(data)):
            # The funnel is of the cancelled ones too: less the day's total, those are left.
            return _withhold(group)
    return _merge_small_cells(group)


def _merge_small_cells(group: Group) -> Group:
    """Return a breakdown, whose total is known, with its small cells merged, or withheld."""
    small = [cell for cell in group.cells if is_small(cell.count)]
    if not small:
        return group
    others = [cell for cell in group.cells if cell.count >= MIN_GROUP_SIZE]
    by_size = sorted(others, key=lambda cell: (cell.count, cell.key))
    merged = small
    while len(merged) == 1 or _sum_counts(merged) < MIN_GROUP_SIZE:
        if not by_size:
            return _withhold(group)
        merged = [*merged, by_size.pop(0)]
    if not by_size:
        return _withhold(group)
    # Cells of 0 are merged too: the merged ones could then be any of those not named.
    shown = tuple(cell for cell in others if cell in by_size)
    return replace(group, cells=(*shown, Cell(MERGED_KEY, _sum_counts(merged))))


def _drop_revealing_cells(group: Group, total: int) -> Group:
    """Return a breakdown in which a person may be in several cells, without the cells that are small or whose
    complement in `total` is. Nothing is merged: the cells have no known sum that one could follow from.
    """
    shown = tuple(
        cell for cell in group.cells if not is_small(cell.count) and not is_small(total - cell.count)
    )
    return group if shown == group.cells else replace(group, cells=shown, is_withheld=not shown)


def _drop_small_cells(group: Group, total: int) -> Group:
    """Return a breakdown of a part of `total` without its small cells, or withheld if few people are left.

    Who is in none of the cells that are shown, sponsored or not, follows from the total.
    """
    shown = tuple(cell for cell in group.cells if not is_small(cell.count))
    if is_small(total - _sum_counts(shown)):
        return _withhold(group)
    return group if shown == group.cells else replace(group, cells=shown, is_withheld=not shown)


def _withhold(group: Group) -> Group:
    return replace(group, cells=(), is_withheld=True)


def _suppress_counts(data: ReportData) -> Mapping[str, int]:
    """Return the counts that are not small, without those that would reveal another."""
    shown = {name: count for name, count in data.counts.items() if not is_small(count)}
    # The total is of the created and the reactivated ones, less the cancelled ones; the funnel is of all.
    if not {"created", "reactivated"} <= shown.keys():
        shown = {name: count for name, count in shown.items() if name not in {"created", "reactivated"}}
    if is_small(_count_cancelled(data)):
        shown.pop("created", None)
    if not {"created", "already_registered", "reactivated"} <= shown.keys():
        shown.pop("captures", None)
    return shown


def _count_cancelled(data: ReportData) -> int:
    return data.counts["created"] + data.counts["reactivated"] - data.registered


def _suppress_money(data: ReportData) -> Mapping[str, int]:
    """Return the sums of at least five people: what a few were quoted or paid reveals what they earn."""
    funnel = {cell.key: cell.count for cell in data.get_group("funnel").cells}
    people = {"quoted": data.registered, "paid": funnel.get("active", 0) + funnel.get("lapsed", 0)}
    return {
        name: rupiah for name, rupiah in data.money.items() if not rupiah or people[name] >= MIN_GROUP_SIZE
    }


def _suppress_sms(data: ReportData, by_state: Group | None) -> Mapping[str, int | float]:
    if is_small(int(data.sms.get("total", 0))):
        return {}
    unknown = next((cell.count for cell in data.get_group("texts").cells if cell.key == "unknown"), 0)
    is_shown_by_state = by_state is not None and any(cell.key == "unknown" for cell in by_state.cells)
    hidden = set() if is_shown_by_state or not unknown else {"unknown_share"}
    without_phone = int(data.sms.get("without_phone", 0))
    if is_small(without_phone) or is_small(data.registered - without_phone):
        hidden.add("without_phone")
    not_told = {name for name in data.sms if name.startswith("not_told")}
    if any(is_small(int(data.sms[name])) for name in not_told):
        hidden |= not_told
    return {name: value for name, value in data.sms.items() if name not in hidden}


def _suppress_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(note for note in notes if not is_small(note.difference))


def _suppress_number(count: int | None) -> int | None:
    return None if is_small(count or 0) else count


def _suppress_anomaly(anomaly: Anomaly, by_client: Group | None) -> Anomaly:
    """Return an anomaly with its pattern and device, its numbers only where they are not small."""
    are_devices_hidden = by_client is not None and by_client.is_withheld
    if are_devices_hidden or is_small(anomaly.workers) or is_small(anomaly.usual or 0):
        return anomaly.model_copy(update={"workers": 0, "usual": None})
    return anomaly


def _sum_counts(cells: Iterable[Cell]) -> int:
    return sum(cell.count for cell in cells)
