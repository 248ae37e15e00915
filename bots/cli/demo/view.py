"""Draws what people of any platform see: messages, threads, statuses, notes. It only draws."""

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

from bots.cli.demo.seen import Said, Status

WIDEST = 96  #: columns; longer lines are hard to read

_THEME = Theme(
    {
        "markdown.code": "cyan",
        "markdown.table.border": "bright_black",
        "markdown.table.header": "bold",
        "markdown.item.bullet": "bright_black",
        "code": "cyan",
        "mention": "bold blue",
        "place": "bold",
        "aside": "bright_black",
        "state": "italic yellow",
        "true": "green",
        "bot": "bold magenta",
        "button": "bold",
        "rule.line": "bright_black",
    }
)
_PEOPLE = ("bold green", "bold blue", "bold cyan")
_THREAD = "  ┃ "
_PRIVATE = "  ┊ "
_PLAIN = "  "


def console(stream: TextIO | None = None) -> Console:
    """Return the demo's console on `stream`, standard output if None: no wider than can be read."""
    found = Console(file=stream, theme=_THEME, highlight=False, emoji=False)
    found.width = min(found.width, WIDEST)
    return found


class View:
    """Shows things on a console."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._apart = False  # whether what comes next stands apart already
        self._styles: dict[str, str] = {}

    def part(self, title: str) -> None:
        """Begin several chapters that belong together."""
        self.out.print()
        self.out.print(Rule(Text(title, "bot"), characters="═"))

    def scene(self, title: str, about: str) -> None:
        """Begin a chapter."""
        self.out.print()
        self.out.print(Rule(Text(title, "bold"), align="left"))
        self.aside(about)

    def place(self, name: str, more: str = "") -> None:
        """Tell where the following is."""
        self.out.print()
        self.out.print(Text.assemble((name, "place"), (more, "aside")))
        self._apart = True

    def said(self, said: Said) -> None:
        """Show a message: at the margin, indented in a thread, or marked as seen by one person alone."""
        mark = _PRIVATE if said.only else _THREAD if said.spot.thread else _PLAIN
        if mark == _PLAIN:
            self._stand_apart()
        self._apart = False
        self.out.print(_Behind(mark, self._spoken(said)))

    def status(self, status: Status) -> None:
        """Show what stands in a conversation while the app works."""
        mark = _THREAD if status.spot.thread else _PLAIN
        self._apart = False
        self.out.print(_Behind(mark, Text(f"Threadline {status.words}", "state")))

    def command(self, who: str, line: str, *, in_thread: bool = False) -> None:
        """Show what somebody does, a slash command above all, as it was typed."""
        if not in_thread:
            self._stand_apart()
        drawn = Text.assemble(self._name(who), "  ", (line, "code"))
        self.out.print(_Behind(_THREAD if in_thread else _PLAIN, drawn))
        self._apart = True

    def fact(self, words: str) -> None:
        """State something that was found to be true."""
        self._apart = False
        self.out.print(_Behind(_PLAIN, Text.assemble(("✓ ", "true"), words)))

    def aside(self, words: str) -> None:
        """Tell what happens behind the scenes."""
        self.out.print(_Behind(_PLAIN, Text(words, "aside")))

    def panel(self, title: str, body: RenderableType) -> None:
        """Show something in a frame."""
        framed = Panel(body, title=Text(title, "aside"), title_align="left", border_style="bright_black")
        self.out.print(Padding(framed, (0, 0, 0, 2)))

    def _stand_apart(self) -> None:
        if not self._apart:
            self.out.print()

    def _spoken(self, said: Said) -> RenderableType:
        body, name = said.draw(), self._name(said.who, is_app=said.is_app)
        buttons = [Text(f"[ {label} ]", "button") for label in said.buttons]
        if said.only:
            name = Text.assemble(name, "  ", (f"only {said.only} sees this", "aside"))
        if said.is_app or not isinstance(body, Text):
            return Group(name, body, *buttons)
        return Text.assemble(name, "  ", body)

    def _name(self, who: str, *, is_app: bool = False) -> Text:
        if is_app:
            return Text(who, "bot")
        return Text(who, self._styles.setdefault(who, _PEOPLE[len(self._styles) % len(_PEOPLE)]))


class _Behind:
    """Draws something with a mark before each of its lines."""

    def __init__(self, mark: str, inner: RenderableType) -> None:
        self._mark = mark
        self._inner = inner

    def __rich_console__(self, out: Console, options: ConsoleOptions) -> RenderResult:
        mark = Segment(self._mark, out.get_style("aside"))
        narrower = options.update_width(options.max_width - len(self._mark))
        lines = out.render_lines(self._inner, narrower, pad=False)
        for line in _tight(lines):
            yield mark
            yield from line
            yield Segment.line()


def _tight(lines: list[list[Segment]]) -> Iterator[list[Segment]]:
    """Yield the lines without Markdown's blanks: around it, at lines' ends, and all but one in a row."""
    begun = blank = False
    for line in lines:
        while line and not line[-1].text.strip():
            line.pop()
        if not line:
            blank = begun
            continue
        if blank:
            yield []
        yield [*line[:-1], Segment(line[-1].text.rstrip(), line[-1].style)]
        begun, blank = True, False
