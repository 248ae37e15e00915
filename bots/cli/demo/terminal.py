"""The interactive demo: one writes, and sees what happens as it happens. Lines only: no full screen."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterable

from rich.console import Console, Group
from rich.control import Control
from rich.panel import Panel
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from bots.cli.demo.deeds import Deeds
from bots.cli.demo.lines import Lines
from bots.cli.demo.seen import Misunderstood, Said, Spot, Window
from bots.cli.demo.stage import told
from bots.cli.demo.town import ANA, MEDIA, OWN_KEY, SHOP, Town
from bots.cli.demo.view import View
from bots.cli.demo.watch import News, Watch
from core.model import SETTLED, State

_TRY = (
    ("@threadline who consumes order.created?", "ask on Slack; the answer comes in a thread"),
    (":thread 1", "go on in that thread without a mention: and who publishes it?"),
    (":channel general", "go to Discord, and there: /ask who owns billing?"),
    (":more what does it depend on?", "press the button under the answer, and ask on"),
    (":429 5", "have the assistant ask for a wait; then ask again, and look with :queue"),
)
_HELP = (
    ("words", "write them here; @threadline asks it something"),
    (":channel NAME", "Slack: shop, media, lab (not linked), partners (shared with another organisation)"),
    ("", "Discord: general, video, random (not linked)"),
    (":thread N", "go into a thread; on Slack one just asks there, on Discord mentions @threadline"),
    (":up", "go back to its channel"),
    (":dm", "write to Threadline directly, on the platform where you are"),
    ("/threadline …", "help, status, link PROJECT, unlink; on Discord a part of a project's name will do"),
    ("/ask WORDS", "Discord: ask; private:true for yourself alone, project:ID about another project"),
    (":more WORDS", "Discord: press the button under the newest answer here, and ask on"),
    (":edit WORDS", "edit your newest message here: what was not asked yet is asked as it is then"),
    (":stop", "press Stop, which stands where a question has to wait for long (:429 300)"),
    (":key KEY", f"/threadline account: give this workspace or server its own API key, say {OWN_KEY}"),
    ("", "then :429 pauses that key alone; /threadline account remove takes it away"),
    (":about N …", "“Ask about this message” on the message that began thread N, with a question or without"),
    (":as NAME", "be ana (an admin) or ben (a member)"),
    (":429 SECONDS", "the next call of the assistant is told to wait so long, and with it all under its key"),
    (":down N", "the next N calls fail with 503"),
    (":slow SECONDS", "the assistant takes its time; 0 ends it"),
    (":queue", "what waits, what is being asked, until when"),
    (":quit", "end; so do Ctrl-C and Ctrl-D. Ctrl-R shows again what you have typed so far"),
)
_LINKED = {"shop": SHOP, "media": MEDIA, "general": SHOP, "video": MEDIA}


async def terminal(town: Town, out: Console, descriptor: int | None = None) -> None:
    """Let somebody write from a file descriptor, standard input if None, until it ends, or they do."""
    loop = asyncio.get_running_loop()
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with Lines(sys.stdin.fileno() if descriptor is None else descriptor) as lines:
        for number in ending:
            loop.add_signal_handler(number, lines.end)
        try:
            await Terminal(town, out).run(lines)
        finally:
            for number in ending:
                loop.remove_signal_handler(number)


class Terminal:
    """A conversation between somebody at a console and a town."""

    def __init__(self, town: Town, out: Console) -> None:
        self._town = town
        self._out = out
        self._view = View(out)
        self._watch = Watch(town.windows)
        self._deeds = Deeds(town, self._watch)

    async def run(self, lines: AsyncIterable[str]) -> None:
        """Carry out lines until there are no more, or one says `:quit`."""
        await self._link()
        self._welcome()
        async with asyncio.TaskGroup() as tasks:
            showing = [tasks.create_task(self._show_news(window)) for window in self._town.windows.values()]
            self._prompt()
            async for line in lines:
                if line.strip() == ":quit":
                    break
                await self._carry_out(line)
                self._prompt()
            for task in showing:
                task.cancel()
        self._out.print()
        self._out.print(Text("Nothing of this demo remains. Goodbye.", "aside"))

    async def _link(self) -> None:
        """Link some channels, as their admin does, before anybody looks."""
        for channel, project in _LINKED.items():
            await told(self._town, ANA, self._town.channels[channel], f"/threadline link {project}")
        self._watch.news()

    async def _show_news(self, window: Window) -> None:
        """Show all that is new whenever something happens on one platform."""
        while True:
            for one in await window.until(self._watch.news):
                self._show(one)
            self._prompt()

    async def _carry_out(self, line: str) -> None:
        try:
            match line.strip():
                case ":queue":
                    self._tell(await self._queue())
                case ":help":
                    self._tell(_two_columns(_HELP))
                case _:
                    self._tell(await self._deeds.do(line))
        except Misunderstood as error:
            self._tell(str(error))

    def _tell(self, what: Table | str) -> None:
        self._clear_prompt()
        if isinstance(what, Table):
            self._out.print(what)
        elif what:
            self._view.aside(what)

    def _show(self, one: News) -> None:
        self._clear_prompt()
        if isinstance(one, Said):
            self._view.place(*self._named(one.conversation))
            self._view.said(one)
        else:
            self._view.place(*self._named(one.spot))
            self._view.status(one)

    def _named(self, conversation: Spot) -> tuple[str, str]:
        number = self._watch.number(conversation)
        return self._town.name(conversation), f"  [{number}]" if number else ""

    def _prompt(self) -> None:
        self._clear_prompt()
        seat = self._deeds.seat
        where, number = self._named(seat.spot)
        inside = number[1:] if seat.spot.thread else ""
        words = Text.assemble((f"{where}{inside} ", "place"), f"{seat.who}> ")
        self._out.print(words, end="", soft_wrap=True)

    def _clear_prompt(self) -> None:
        """Take the prompt away: whatever comes next is not part of what is being typed."""
        if self._out.is_terminal:
            self._out.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))

    def _welcome(self) -> None:
        way = "Socket Mode" if self._town.by_socket else "signed HTTP"
        about = (
            "You write in a simulated Slack workspace and a simulated Discord server; one real Threadline "
        )
        wires = (
            f"It is connected to Slack over {way}, to Discord by its gateway. Nothing leaves this machine.\n"
        )
        self._out.print(
            Panel(
                Group(
                    Text(f"{about}answers in both."),
                    Text(wires, "aside"),
                    Text("Things to try:"),
                    _two_columns(_TRY),
                    Text("\nYou are ana, an admin. :help tells the rest, :quit ends.", "aside"),
                ),
                title=Text("Threadline", "bot"),
                title_align="left",
                border_style="bright_black",
                padding=(1, 2),
            )
        )

    async def _queue(self) -> Table:
        """Draw what is under way: by state, by thread, and what the assistant has asked for."""
        tally = await self._town.threadline.tally()
        now = self._town.clock.now()
        rows = [
            (state.value, f"{tally.by_state[state]}")
            for state in State
            if state in tally.by_state and state not in SETTLED
        ]
        rows += [
            (f"paused until {until:%H:%M:%S} UTC", f"{(until - now).total_seconds():.1f} s more, {lane}")
            for lane, until in tally.paused.items()
        ]
        rows += [(f"thread {number}", f"Threadline {words}") for number, words in self._watch.waiting()]
        settled = sum(tally.by_state.get(state, 0) for state in SETTLED)
        return _two_columns([*rows, ("settled", f"{settled}")])


def _two_columns(rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="code", no_wrap=True)
    table.add_column(style="aside")
    for first, second in rows:
        table.add_row(Text(f"  {first}"), Text(second))
    return table
