"""`python -m bench.cost`: print what registrations cost on AWS, by the item of the bill, and the verdict."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bench.cost.bill import Prices, count_campaign_day, count_items, count_recount, sum_dollars, to_dollars
from bench.cost.judgement import judge_costs
from bench.gates import print_report

_REGISTRATIONS = 10_000
_OPERATIONS = {
    "A registration by an officer": "register_by_an_officer",
    "The same by a bot": "register_by_a_bot",
    "A capture that is sent again": "send_a_capture_again",
    "A confirmation": "send_a_confirmation",
    "A reminder": "send_a_reminder",
    "A payment code, whose SMS costs as much as a confirmation": "issue_a_payment_code",
    "A payment that is reported": "report_a_payment",
    "An export of 20 registrations": "export_20_registrations",
}


def main() -> None:
    """Print the bill of 10,000 registrations and of single operations, and exit with 1 if a gate fails."""
    prices = Prices.load()
    console = Console(width=110)
    console.print(f"Prices of {prices.checked}, {prices.rupiah_a_dollar:,.0f} rupiah a dollar.")
    items = count_campaign_day(_REGISTRATIONS, prices)
    console.print(_make_bill(f"{_REGISTRATIONS:,} registrations of one day, one SMS each", items, prices))

    table = Table("One operation", "dollars", "rupiah", title="What one costs", title_justify="left")
    recounts = {f"A count of a day of {size:,}": count_recount(size, prices) for size in (1_000, 10_000)}
    counted = {text: count_items(name, prices) for text, name in _OPERATIONS.items()}
    for text, each in {**counted, **recounts}.items():
        dollars = sum_dollars(each, prices)
        table.add_row(text, f"{dollars:.7f}", f"{dollars * prices.rupiah_a_dollar:,.2f}")
    console.print(table)
    fixed = ", ".join(f"{name} {dollars:.2f}" for name, dollars in prices.fixed_dollars_a_month.items())
    console.print(f"Beside that, dollars a month whether or not anybody registers: {fixed}.")
    gates = judge_costs(items, prices, today=datetime.now(UTC).date())
    sys.exit(print_report("What may grow no further", {}, gates, console=console))


def _make_bill(title: str, items: Mapping[str, float], prices: Prices) -> Table:
    table = Table("Item", "number", "dollars", "rupiah", title=title, title_justify="left")
    dollars = to_dollars(items, prices)
    for name in sorted(dollars, key=lambda each: -dollars[each]):
        table.add_row(name, f"{items[name]:,.2f}", *_format_money(dollars[name], prices))
    total = sum(dollars.values())
    table.add_section()
    table.add_row("all", "", *_format_money(total, prices))
    without = total - dollars["sms.parts"]
    table.add_row("all but SMS", "", *_format_money(without, prices))
    return table


def _format_money(dollars: float, prices: Prices) -> tuple[str, str]:
    return f"{dollars:,.4f}", f"{dollars * prices.rupiah_a_dollar:,.0f}"


if __name__ == "__main__":
    main()
