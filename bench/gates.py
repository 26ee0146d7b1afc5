"""The verdict of a measurement: gates, each with what was measured and what is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

# A line of the table stays whole in a file, too.
_WIDTH = 170


@dataclass(frozen=True)
class Gate:
    """A figure that may be `limit` at most."""

    name: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def has_passed(self) -> bool:
        """Return True if the figure is within its limit. A figure that is no number is not."""
        return self.measured <= self.limit


def print_report(
    title: str, facts: Mapping[str, str], gates: Sequence[Gate], *, console: Console | None = None
) -> int:
    """Print the facts, the gates and the verdict. Return the exit status: 0 if every gate has passed."""
    console = console or Console(width=_WIDTH)
    table = Table("figure", "measured", "allowed", "", title=title, title_justify="left")
    for column in table.columns[1:3]:
        column.justify = "right"
    for name, value in facts.items():
        table.add_row(name, value, "", "")
    table.add_section()
    for gate in gates:
        allowed, verdict = f"<= {_format(gate.limit, gate.unit)}", "good" if gate.has_passed else "OVER"
        table.add_row(gate.name, _format(gate.measured, gate.unit), allowed, verdict)
    console.print(table)
    failed = [gate.name for gate in gates if not gate.has_passed]
    # A run that has judged nothing has shown nothing.
    has_passed = bool(gates) and not failed
    console.print("Verdict: good" if has_passed else f"Verdict: BAD ({', '.join(failed) or 'no gate'})")
    return 0 if has_passed else 1


def _format(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{number} {unit}".rstrip()
