"""A small picture of the figures that matter most, readable on light and dark ground."""

from collections.abc import Iterator

from tests.bench.programs import Name
from tests.bench.rows import Results, middle

_PANELS = (
    ("answers a second, endpoint 0 ms", "saturation", "answers/s", "", 0, "more is better"),
    ("CPU seconds per 1,000 answers", "saturation", "CPU s/1,000", " s", 2, "less is better"),
    ("overhead at 20 questions/s, p99", "latency", "overhead p99, ms", " ms", 0, "less is better"),
    ("500 threads at once: overhead p99", "crowd", "overhead p99, ms", " ms", 0, "less is better"),
)
_BARS = (
    (Name.THREADLINE, "Threadline", "#3b82c4"),
    (Name.PLAIN, "plain Bolt, in memory", "#c2703d"),
    (Name.FLOOR, "bare relay with SQLite", "#8a8f98"),
)
_WIDTH, _HEIGHT, _PANEL, _BAR, _LEFT, _LONGEST = 760, 400, 92, 16, 190, 430


def plot(results: Results) -> str:
    """Return an SVG: a panel for each figure, a bar for each program, as long as its share of the largest."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        "<title>Threadline beside a bare relay and a plain Bolt app</title>",
        "<style>text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.n{fill:#57606a}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}}</style>",
    ]
    for number, (title, scenario, figure, unit, digits, sense) in enumerate(_PANELS):
        top = 20 + number * _PANEL
        lines.append(f'<text class="t" x="10" y="{top}">{title}</text>')
        lines.append(f'<text class="n" x="{_WIDTH - 10}" y="{top}" text-anchor="end">{sense}</text>')
        lines += _bars(results, scenario, figure, top, unit, digits)
    return "\n".join([*lines, "</svg>", ""])


def _bars(results: Results, scenario: str, figure: str, top: int, unit: str, digits: int) -> Iterator[str]:
    found = {name: middle(results, scenario, name, figure) or 0.0 for name, _, _ in _BARS}
    largest = max(found.values()) or 1.0
    for place, (name, said, colour) in enumerate(_BARS):
        y = top + 8 + place * (_BAR + 4)
        length = max(2, round(_LONGEST * found[name] / largest))
        yield f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{said}</text>'
        yield f'<rect x="{_LEFT}" y="{y}" width="{length}" height="{_BAR}" rx="3" fill="{colour}"/>'
        yield f'<text x="{_LEFT + length + 6}" y="{y + 13}">{found[name]:,.{digits}f}{unit}</text>'
