"""People on both platforms who ask one Threadline, and all that is said to them. It judges nothing."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from bots.demo.assistant import AssistantServer, ReceivedCall, demo_projects
from bots.demo.changes import Changes
from bots.demo.discord import DiscordServer
from bots.demo.slack import SlackServer
from bots.discord.sync import sync
from bots.discord.tree import payloads
from bots.settings import ChatSettings, DiscordSettings, HttpSettings, Settings, SlackSettings
from core.clock import Clock
from core.model import ProjectId
from tests.faults.load.people import Asked, Chat, HeardWorkspace, HeardWorld, Said, Thread, named

SETTLED = frozenset({"done", "kept", "buried", "ambiguous", "cancelled", "refused"})
"""As the table has them: not read from core, so that a look from outside stays one."""
CHANNELS = 5
"""On each platform."""
_KEY = "demo-key"
_PROJECT = "shop-demo-7f3k2"
_LOOK_AGAIN = 0.1  #: seconds between looks into the database, which nobody announces changes of


Known = Callable[["Crowd"], None]
"""Is told of a crowd as it comes to be."""


def let_be(_: "Crowd") -> None:
    """Do nothing about a crowd."""


class Crowd:
    """Everybody, with the servers of other people that they and one Threadline meet on."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.folder = folder
        self.workspace, self.world = HeardWorkspace(clock), HeardWorld(clock)
        self.workspace.hear = self.world.hear = self._hear
        self.slack, self.discord = SlackServer(self.workspace), DiscordServer(self.world)
        self.assistant = AssistantServer(clock=clock, projects=demo_projects(), api_keys={_KEY})
        self.guild = self.world.add_guild("acme")
        self.changes = Changes()
        """Happens with everything that is asked or said."""
        self.threads: list[Thread] = []
        self.questions: dict[str, Asked] = {}
        self.misplaced: list[Said] = []
        self.answered = 0
        """How many questions have an answer that can be seen."""
        self._strays = 0
        self._rooms = {
            Chat.SLACK: [self.workspace.add_channel(f"room{number}") for number in range(CHANNELS)],
            Chat.DISCORD: [self.world.add_channel(self.guild, f"hall{number}") for number in range(CHANNELS)],
        }

    # --- people --------------------------------------------------------------------------------

    def newcomer(self, chat: Chat) -> Thread:
        """Return the still empty thread of somebody new; the channels are filled by turns."""
        number = len(self.threads)
        if chat is Chat.SLACK:
            user = self.workspace.add_user(f"person{number}")
        else:
            user = self.world.add_user(f"person{number}")
            self.world.join(self.guild, user)
        rooms = self._rooms[chat]
        thread = Thread(chat, user, rooms[number % len(rooms)])
        self.threads.append(thread)
        return thread

    async def ask(self, thread: Thread) -> Asked:
        """Ask the next question in a thread, in Discord once Threadline has opened it."""
        marker = f"q{len(self.questions):05}z"
        asked = Asked(marker, thread, "", self.clock.now())
        self.questions[marker] = asked
        thread.questions.append(asked)
        words = f"who owns {marker}?"
        asked.message = await (self._say if thread.chat is Chat.SLACK else self._write)(thread, words)
        thread.root = thread.root or asked.message
        self.changes.happened()
        return asked

    async def answer(self, asked: Asked) -> None:
        """Wait until something is said that settles a question, an answer or a notice."""
        thread = asked.thread
        before = len(thread.strays)
        await self.changes.until(lambda: asked.shown or len(thread.strays) > before)

    async def _say(self, thread: Thread, words: str) -> str:
        text = f"<@{self.workspace.bot_user}> {words}"
        return await self.workspace.say(thread.user, thread.channel, text, thread=thread.root or None)

    async def _write(self, thread: Thread, words: str) -> str:
        if thread.root:
            await self.world.changes.until(lambda: thread.root in self.world.channels)
        text = f"<@{self.world.bot_user}> {words}"
        return await self.world.say(thread.user, thread.root or thread.channel, text)

    async def taken(self) -> None:
        """Wait until Threadline has acknowledged all that was said on Slack, or let it be said again."""
        await self.workspace.until(lambda: len(self.workspace.deliveries) >= len(self.workspace.events))

    # --- what is seen --------------------------------------------------------------------------

    def _hear(self, said: Said) -> None:
        """Note what was said with the question it answers, or with the thread it stands in."""
        asked = [self.questions[marker] for marker in named(said.text)]
        for one in asked:
            self.answered += not one.shown
            one.shown.append(said)
            if said.thread != one.thread.root:
                self.misplaced.append(said)
        if not asked:
            here = [one for one in self.threads if one.chat is said.chat and one.root == said.thread]
            for thread in here:
                thread.strays.append(said)
            self._strays += 1
            if not here:
                self.misplaced.append(said)
        self.changes.happened()

    def chats(self) -> list[ReceivedCall]:
        """Return the chat calls in the order of their arrival."""
        return [call for call in self.assistant.journal if call.method == "POST"]

    @property
    def database(self) -> Path:
        """Return the program's file."""
        return self.folder / "threadline.db"

    async def settled(self, patience: float) -> Sequence[str]:
        """Wait until nothing more is owed to anybody; tell what is, if it still is after so many seconds."""
        try:
            async with asyncio.timeout(patience):
                await self.changes.until(lambda: self.answered + self._strays >= len(self.questions))
                while self._owed():
                    await self.clock.sleep(_LOOK_AGAIN)
        except TimeoutError:
            return [f"lost: after {patience:g} s {self._owed()} questions are not settled"]
        return ()

    def states(self) -> Mapping[str, str]:
        """Return the state of every question on disk, by its message; none if there is no table yet."""
        return {row[0]: row[1] for row in self._read("SELECT message, state FROM deliveries")}

    def accepted(self, asked: Asked) -> datetime:
        """Return when a question came to be on disk."""
        ((text,),) = self._read("SELECT accepted_at FROM deliveries WHERE message = ?", asked.message)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    def _read(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement, values).fetchall()

    def _owed(self) -> int:
        return len(self.questions) - sum(state in SETTLED for state in self.states().values())

    # --- the program ---------------------------------------------------------------------------

    def settings(self) -> Settings:
        """Return an installation on both platforms, Slack over Socket Mode."""
        bot, app = SecretStr(self.workspace.bot_token), SecretStr(self.workspace.app_token)
        world, server = self.world, self.discord
        return Settings(
            chat=ChatSettings(self.assistant.url, SecretStr(_KEY)),
            slack=SlackSettings(bot, app, None, self.slack.api_url),
            discord=DiscordSettings(SecretStr(world.token), server.api_url, server.gateway_url, False),
            database_url=f"sqlite:///{self.database}",
            default_project=ProjectId(_PROJECT),
            http=HttpSettings("127.0.0.1", 0),
            history_characters=60_000,
            deadline=timedelta(minutes=30),
            concurrency=8,
            admins=frozenset(),
        )

    def environment(self) -> dict[str, str]:
        """Return the same for a process of its own."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {
            "PYTHONPATH": os.getcwd(),
            "MICROVISUALIZER_API_URL": self.assistant.url,
            "MICROVISUALIZER_API_KEY": _KEY,
            "THREADLINE_DATABASE_URL": f"sqlite:///{self.database}",
            "THREADLINE_HTTP_PORT": "0",
            "THREADLINE_DEFAULT_PROJECT": _PROJECT,
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_APP_TOKEN": self.workspace.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "DISCORD_TOKEN": self.world.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
        }

    async def connected(self) -> None:
        """Wait until Threadline listens on both platforms."""
        async with asyncio.timeout(30):
            await self.workspace.until(lambda: self.slack.socket_connections)
            await self.world.changes.until(lambda: self.discord.gateway.connections)


@asynccontextmanager
async def crowd(folder: Path, clock: Clock) -> AsyncIterator[Crowd]:
    """Start the servers of other people; nobody has asked yet, and no Threadline runs."""
    here = Crowd(clock, folder)
    async with AsyncExitStack() as stack:
        for server in (here.slack, here.discord, here.assistant):
            await server.start()
            stack.push_async_callback(server.stop)
        await sync(here.world.token, here.discord.api_url, payloads(), apply=True)
        yield here
