"""The figures of a report as its JSON rendering has them: tables are compared with these."""

from chalicelib.rollups.report import Report
from chalicelib.rollups.schemas import SummaryView

Figures = dict[tuple[str, str], float]

# The English labels of the workbook's totals, by the figure that JSON and CSV name.
TOTAL_LABELS = {
    "registered": "Registered",
    "created": "New registrations",
    "captures": "Captures",
    "already_registered": "Already registered",
    "reactivated": "Registered again",
    "refused": "Refused",
    "cumulative": "Total since the campaign began",
    "target": "Target",
    "quoted": "Contributions quoted",
    "paid": "Contributions paid",
    "texts_total": "SMS",
    "texts_parts": "SMS segments charged",
    "texts_rupiah": "Cost of SMS",
    "texts_without_phone": "Workers without a phone",
    "texts_not_told": "Confirmation not sent yet",
    "texts_not_told_waiting": "Confirmation waits",
    "texts_not_told_held": "Confirmation held",
    "texts_not_told_expired": "Confirmation expired",
    "texts_unknown_share": "SMS to workers: No report yet",
}


def list_json_figures(report: Report) -> Figures:
    """Return every figure of the JSON rendering that the tables have, by figure and key."""
    document = SummaryView.from_report(report).model_dump(mode="json")
    counts = {(name, ""): value for name, value in document["counts"].items()}
    groups = {
        (name, key): value
        for name, cells in {**document, "texts": document["texts"]["by_state"]}.items()
        if name.startswith("by_") or name in {"refused_by_reason", "funnel", "texts"}
        for key, value in cells.items()
    }
    sms = {(f"texts_{name}", ""): value for name, value in document["texts"].items() if name != "by_state"}
    money = {(name, ""): value for name, value in document["money"].items()}
    progress = {
        ("target", ""): document["progress"]["target"],
        ("cumulative", ""): document["progress"]["registered"],
    }
    curve = {
        (f"{name}_on", day["day"]): day[name]
        for day in document["progress"]["curve"]
        for name in ("registered", "created", "cumulative")
    }
    return {**counts, **groups, **sms, **money, **progress, **curve}


def list_breakdown_cells(report: Report) -> set[tuple[str, float]]:
    """Return the key and the value of every cell of the breakdowns."""
    return {
        (key, value)
        for (figure, key), value in list_json_figures(report).items()
        if key and not figure.endswith("_on")
    }
