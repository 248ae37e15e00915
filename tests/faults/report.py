"""What a long run has measured, and what it has found wrong: printed as a table, and an exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Report:
    """`figures`: what was measured, by name. `faults`: each loss, double or early call, in a sentence."""

    name: str
    figures: Mapping[str, str]
    faults: Sequence[str] = field(default=())


def show(reports: Sequence[Report], console: Console) -> bool:
    """Print all figures and faults; return whether there was no fault."""
    table = Table("run", "figure", "measured", title="Nothing lost, nothing twice, nothing early")
    for report in reports:
        for number, (name, measured) in enumerate(report.figures.items()):
            table.add_row(report.name if number == 0 else "", name, measured)
        table.add_section()
    console.print(table)
    faults = [f"{report.name}: {fault}" for report in reports for fault in report.faults]
    for fault in faults:
        console.print(fault, style="red", markup=False)
    console.print(f"{len(faults)} faults" if faults else "no fault")
    return not faults
