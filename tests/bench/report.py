"""Shows what was measured: tables in a terminal, the same as Markdown, and a plot. Measures nothing."""

import platform
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.plot import plot
from tests.bench.programs import Name
from tests.bench.rows import Results, Row, disturbed, faults_of, middle, rows
from tests.bench.scenarios import SCENARIOS

_README = Path(__file__).with_name("README.md")
_PLOT = Path(__file__).resolve().parents[2] / ".readme" / "bench.svg"
_BEGIN, _END = (
    "<!-- measured: written by `python -m tests.bench --write` -->",
    "<!-- end of what was measured -->",
)
_QUIET = 10.0  #: per cent of the program's core that others may have while figures mean something
_HEADS = ("", "floor", "plain Bolt", "Threadline", "goal", "is", "at least", "is")


def show(results: Results, console: Console) -> bool:
    """Print all; return whether Threadline kept its promises: whatever its speed, that decides."""
    for scenario in results:
        console.print(_details(results, scenario))
    table = Table(*_HEADS, title="Figures to reach: medians; ratios are medians over rounds")
    for row in rows(results):
        table.add_row(*_cells(row), style=None if row.goal.holds else "yellow" if row.least.holds else "red")
    console.print(table)
    console.print(_machine(results), style="yellow" if disturbed(results) > _QUIET else "")
    return not faults_of(results, Name.THREADLINE).breaches


def write(results: Results) -> None:
    """Put the tables into the README beside this, and the plot where the repository's README shows it."""
    before, _, rest = _README.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    lines = [_machine(results), "", *_markdown(_HEADS, [_cells(row) for row in rows(results)])]
    for scenario in results:
        names = list(results[scenario])
        cells = [(name, *figures) for name, figures in _figures(results, scenario)]
        lines += ["", f"**{scenario}**: {SCENARIOS[scenario].says}", ""]
        lines += _markdown(("", *(name.value for name in names)), cells)
    _README.write_text("\n".join([f"{before}{_BEGIN}", "", *lines, "", f"{_END}{after}"]))
    _PLOT.write_text(plot(results))


def _cells(row: Row) -> Sequence[str]:
    figures = [row.figures.get(name, "") for name in (Name.FLOOR, Name.PLAIN, Name.THREADLINE)]
    return [row.name, *figures, row.goal.says, _mark(row.goal.holds, row.goal.found), row.least.says,
            _mark(row.least.holds, row.least.found)]  # fmt: skip


def _mark(holds: bool, found: str) -> str:
    return f"{'✓' if holds else '✗'} {found}"


def _details(results: Results, scenario: str) -> Table:
    table = Table(
        "", *(name.value for name in results[scenario]), title=f"{scenario}: {SCENARIOS[scenario].says}"
    )
    for name, figures in _figures(results, scenario):
        table.add_row(name, *figures)
    return table


def _figures(results: Results, scenario: str) -> list[tuple[str, list[str]]]:
    runs = results[scenario]
    found = [
        (figure, [f"{middle(results, scenario, name, figure):,.2f}" for name in runs])
        for figure in next(iter(runs.values()))[0].figures
    ]
    wrong = {name: faults_of({scenario: runs}, name) for name in runs}
    for fault in ("lost", "doubled", "out_of_order", "early", "unacknowledged"):
        counts = [str(getattr(one, fault)) for one in wrong.values()]
        if any(count != "0" for count in counts):
            found.append((fault.replace("_", " "), counts))
    return found


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (heads, ["---"] * len(heads), *lines)]


def _machine(results: Results) -> str:
    where = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}"
    taken = disturbed(results)
    meant = "so times and answers a second mean little." if taken > _QUIET else "which is little."
    return f"{where}. Others had up to {taken:.0f} % of the program's core, {meant}"
