"""Draws what people in a simulated workspace see: messages, threads, statuses, notes. It only draws."""

import re
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

from bots.demo.slack import Message, SlackWorkspace

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
        "rule.line": "bright_black",
    }
)
_PEOPLE = ("bold green", "bold blue", "bold cyan")
_THREAD = "  ┃ "
_PRIVATE = "  ┊ "
# What Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text) marks; no nesting is needed here.
_MARKED = re.compile(
    r"<(?P<token>[@#!]?[^<>]+)>|`(?P<code>[^`\n]+)`|\*(?P<bold>[^*\s][^*\n]*)(?<!\s)\*|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
)


def console(stream: TextIO | None = None) -> Console:
    """Return the demo's console on `stream`, standard output if None: no wider than can be read."""
    found = Console(file=stream, theme=_THEME, highlight=False, emoji=False)
    found.width = min(found.width, WIDEST)
    return found


class View:
    """Shows a workspace on a console."""

    def __init__(self, workspace: SlackWorkspace, out: Console) -> None:
        self._workspace = workspace
        self.out = out
        self._apart = False  # whether what comes next stands apart already

    def scene(self, title: str, about: str) -> None:
        """Begin a chapter."""
        self.out.print()
        self.out.print(Rule(Text(title, "bold"), align="left"))
        self.aside(about)

    def place(self, channel: str, more: str = "") -> None:
        """Tell in which channel the following is."""
        self.out.print()
        self.out.print(Text.assemble((self.channel(channel), "place"), (more, "aside")))
        self._apart = True

    def message(self, message: Message) -> None:
        """Show a message: at the margin, or indented where it is in a thread."""
        if not message.thread_ts:
            self._stand_apart()
        drawn = self._spoken(message.user, self._body(message))
        self.out.print(_Behind(_THREAD, drawn) if message.thread_ts else _Behind("  ", drawn))

    def status(self, words: str) -> None:
        """Show what stands under a thread while the app works."""
        self.out.print(_Behind(_THREAD, Text(f"Threadline {words}", "state")))

    def command(self, user: str, words: str) -> None:
        """Show a slash command as it was typed."""
        self._stand_apart()
        self.out.print(Text.assemble("  ", self._name(user), "  ", (words, "code")))

    def private(self, user: str, words: str) -> None:
        """Show what the app told one person only."""
        only = Text(f"only {self.name(user)} sees this", "aside")
        head = Text.assemble(("Threadline", "bot"), "  ", only)
        self.out.print(_Behind(_PRIVATE, Group(head, self.mrkdwn(words))))

    def fact(self, words: str) -> None:
        """State something that was found to be true."""
        self.out.print(_Behind("  ", Text.assemble(("✓ ", "true"), words)))

    def aside(self, words: str) -> None:
        """Tell what happens behind the scenes."""
        self.out.print(_Behind("  ", Text(words, "aside")))

    def panel(self, title: str, body: RenderableType) -> None:
        """Show something in a frame."""
        framed = Panel(body, title=Text(title, "aside"), title_align="left", border_style="bright_black")
        self.out.print(Padding(framed, (0, 0, 0, 2)))

    def mrkdwn(self, text: str) -> Text:
        """Return Slack's own markup, as commands and notices use it, drawn."""
        drawn = Text()
        at = 0
        for found in _MARKED.finditer(text):
            drawn.append(_unescaped(text[at : found.start()]))
            drawn.append_text(self._marked(found))
            at = found.end()
        return drawn.append(_unescaped(text[at:]))

    def channel(self, channel: str) -> str:
        """Return a channel's name as people write it; a direct conversation is named after the app."""
        where = self._workspace.channels[channel]
        return f"#{where.name}" if where.kind != "im" else "@Threadline"

    def name(self, user: str) -> str:
        """Return a person's name."""
        person = self._workspace.users.get(user)
        return user if person is None else person.display_name

    def _stand_apart(self) -> None:
        if not self._apart:
            self.out.print()
        self._apart = False

    def _body(self, message: Message) -> RenderableType:
        markdown = [block["text"] for block in message.blocks if block.get("type") == "markdown"]
        if markdown:
            return Markdown("\n\n".join(markdown), code_theme="ansi_dark", hyperlinks=False)
        return self.mrkdwn(message.text)

    def _spoken(self, user: str, body: RenderableType) -> RenderableType:
        if user == self._workspace.bot_user or not isinstance(body, Text):
            return Group(self._name(user), body)
        return Text.assemble(self._name(user), "  ", body)

    def _name(self, user: str) -> Text:
        if user == self._workspace.bot_user:
            return Text("Threadline", "bot")
        number = [person for person in self._workspace.users if person != self._workspace.bot_user].index(
            user
        )
        return Text(self.name(user), _PEOPLE[number % len(_PEOPLE)])

    def _marked(self, found: re.Match[str]) -> Text:
        match found.lastgroup:
            case "token":
                return self._token(found["token"])
            case "code":
                return Text(_unescaped(found["code"]), "code")
            case style:
                return Text(_unescaped(found[style or 0]), style or "")

    def _token(self, token: str) -> Text:
        target, _, label = token.partition("|")
        if target.startswith("@"):
            return Text(f"@{self.name(target[1:])}", "mention")
        return Text(_unescaped(label or target))


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


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
