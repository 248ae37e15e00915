"""The table: what is to be reached, beside what was measured. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from tests.bench.counting import Faults, median
from tests.bench.measured import Measured
from tests.bench.programs import Name

#: By scenario and program, one for each round, in order.
Results = Mapping[str, Mapping[Name, Sequence[Measured]]]


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound in words, what is to be held against it, and whether it holds."""

    says: str
    found: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the three programs' figures, and Threadline's against two bounds."""

    name: str
    figures: Mapping[Name, str]
    goal: Bound
    least: Bound


@dataclass(frozen=True, slots=True)
class _Figure:
    """Where a row's figure is found, and how it is written."""

    scenario: str
    name: str
    unit: str = ""
    digits: int = 0


def rows(results: Results) -> list[Row]:
    """Return the lines for which there are figures."""
    return [*_relative(results), *_absolute(results), *_promises(results)]


def faults_of(results: Results, name: Name) -> Faults:
    """Return all that went wrong with one program."""
    runs = (run.faults for programs in results.values() for run in programs.get(name, ()))
    return reduce(add, runs, Faults())


def middle(results: Results, scenario: str, name: Name, figure: str) -> float | None:
    """Return the median of a figure; None if it was not measured."""
    runs = results.get(scenario, {}).get(name, ())
    return median([run.figures[figure] for run in runs]) if runs else None


def disturbed(results: Results) -> float:
    """Return how many per cent of the program's core others had, where that was most, in the middle run."""
    name = "its core in others' hands, %"
    runs = [ones for programs in results.values() for ones in programs.values()]
    shares = [[run.figures[name] for run in ones if name in run.figures] for ones in runs]
    return max((median(share) for share in shares if share), default=0.0)


def ratio(results: Results, scenario: str, other: Name, figure: str) -> float | None:
    """Return by how much Threadline's figure is another's, the median over rounds: noise meets both."""
    runs = results.get(scenario, {})
    pairs = list(zip(runs.get(Name.THREADLINE, ()), runs.get(other, ()), strict=False))
    if not pairs:
        return None
    return median([ours.figures[figure] / theirs.figures[figure] for ours, theirs in pairs])


def _relative(results: Results) -> Iterator[Row]:
    """Yield the lines whose goal is a share of the floor's figure, and whose least is one of plain Bolt's."""
    for name, figure, goal, least in (
        ("answers/s at saturation", _Figure("saturation", "answers/s"), 0.5, 2.5),
        ("CPU s per 1,000 answers", _Figure("saturation", "CPU s/1,000", digits=2), -2.5, -0.5),
        ("500 threads at once: overhead p99", _Figure("crowd", "overhead p99, ms", " ms"), -1.5, -0.5),
    ):
        of_floor = ratio(results, figure.scenario, Name.FLOOR, figure.name)
        of_plain = ratio(results, figure.scenario, Name.PLAIN, figure.name)
        if of_floor is not None and of_plain is not None:
            yield Row(
                name,
                _written(results, figure),
                _bound(of_floor, goal, " × floor", digits=2),
                _bound(of_plain, least, " × plain Bolt", digits=2),
            )


def _absolute(results: Results) -> Iterator[Row]:
    """Yield the lines whose bounds are numbers. One below zero is the most that may be."""
    for name, figure, goal, least in (
        ("overhead at 20/s, p50", _Figure("latency", "overhead p50, ms", " ms", 1), -8.0, -15.0),
        ("overhead at 20/s, p99", _Figure("latency", "overhead p99, ms", " ms", 1), -25.0, -45.0),
        ("rush of 2,000: within 3 s", _Figure("rush", "acknowledged within 3 s, %", " %"), 100.0, 100.0),
        ("claim: 10⁶ stored against 10³", _Figure("backlog", "claim, 10^6 : 10^3", " ×", 2), -1.5, -3.0),
        ("claim: 10⁴ lanes against 10", _Figure("backlog", "claim, 10^4 : 10 lanes", " ×", 2), -1.5, -3.0),
        (
            "resident, 10⁵ stored, 500 at once",
            _Figure("memory", "resident peak, MiB", " MiB"),
            -120.0,
            -200.0,
        ),
        (
            "two work processes against one, ≥ 4 cores",
            _Figure("workers", "two against one", " ×", 2),
            1.7,
            1.4,
        ),
        ("Slack calls per answer", _Figure("saturation", "platform calls/answer", digits=2), -2.0, -2.0),
        (
            "new connections per answer",
            _Figure("saturation", "new connections/answer", digits=3),
            -0.05,
            -0.05,
        ),
    ):
        runs = results.get(figure.scenario, {}).get(Name.THREADLINE, ())
        if runs and figure.name in runs[0].figures:
            ours = median([run.figures[figure.name] for run in runs])
            yield Row(
                name,
                _written(results, figure),
                _bound(ours, goal, figure.unit, figure.digits),
                _bound(ours, least, figure.unit, figure.digits),
            )


def _promises(results: Results) -> Iterator[Row]:
    """Yield the line of what must never happen, in all runs together."""
    if results:
        found = {name: faults_of(results, name) for name in Name}
        none = Bound("0", str(found[Name.THREADLINE].breaches), not found[Name.THREADLINE].breaches)
        said = {
            name: f"{one.lost}/{one.doubled}/{one.out_of_order}/{one.early}" for name, one in found.items()
        }
        yield Row("lost/doubled/out of order/early", said, none, none)


def _written(results: Results, figure: _Figure) -> Mapping[Name, str]:
    found = {name: middle(results, figure.scenario, name, figure.name) for name in Name}
    return {
        name: "" if one is None else f"{one:,.{figure.digits}f}{figure.unit}" for name, one in found.items()
    }


def _bound(value: float, bound: float, unit: str, digits: int) -> Bound:
    """Hold a value against the least that it must be; against the most that it may be for one below zero."""
    sign, limit = ("≤", -bound) if bound < 0 else ("≥", bound)
    seen = round(value, max(digits, 2))
    holds = seen <= limit if bound < 0 else seen >= limit
    return Bound(f"{sign} {limit:g}{unit}", f"{value:,.{digits}f}{unit}", holds)
