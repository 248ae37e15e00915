"""The other people's servers, a database and a crew that is told of them: a fleet, before anybody asks."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet

from tests.faults.fleet.assistant import Assistant
from tests.faults.fleet.courier import Courier
from tests.faults.fleet.crew import Crew, crew, inherited
from tests.faults.fleet.moving_in import move_in
from tests.faults.fleet.records import Asked, Life, Seen, Thread, Workspace
from tests.faults.fleet.slack import Slack
from tests.faults.fleet.watching import watch
from tests.fixtures.signed import SECRET


@dataclass(frozen=True, slots=True)
class Layout:
    """So many workspaces with so many channels each, and a process for each slot.

    Each workspace has installed the app, so it has a token of its own, and set its API key: one of `keys`.
    """

    workspaces: int = 50
    keys: int = 50
    channels: int = 2
    slots: Sequence[str] = ("web-1", "web-2", "work-1", "work-2")
    concurrency: int = 8
    refuses_every: int = 25
    waits: Sequence[float] = (0.0, 3.0, 15.0)
    """Seconds before Slack sends an event again: shorter than its own."""

    def settled(self) -> Sequence[Workspace]:
        """Return the workspaces."""
        return [
            Workspace(
                f"T{number:03}",
                f"B{number:03}",
                f"U{number:03}BOT",
                f"xoxb-fleet-{number:03}",
                f"fleet-key-{number % self.keys:03}",
                [f"C{number:03}{channel:03}" for channel in range(self.channels)],
            )
            for number in range(self.workspaces)
        ]


@dataclass(eq=False)
class Town:
    """Everybody."""

    seen: Seen
    workspaces: Sequence[Workspace]
    slack: Slack
    assistant: Assistant
    courier: Courier
    crew: Crew

    def newcomer(self, workspace: Workspace, channel: str) -> Thread:
        """Return the still empty thread of somebody new."""
        thread = Thread(workspace, channel, f"U{len(self.seen.threads):05}")
        self.seen.threads.append(thread)
        return thread

    @property
    def next_marker(self) -> str:
        """Return the word by which the next question will be known."""
        return f"q{len(self.seen.asked):05}z"

    async def ask(self, thread: Thread, *, user: str = "") -> Asked:
        """Have a question asked; return once a process has it, or Slack has given it up."""
        asked = self.slack.write(thread, self.next_marker, user=user)
        await self.courier.bring(asked, self.slack.event(asked))
        return asked


@asynccontextmanager
async def town(layout: Layout, database: str, folder: Path, rng: random.Random) -> AsyncIterator[Town]:
    """Start the servers; no process of the crew has begun."""
    seen, workspaces = Seen(), layout.settled()
    keys = {one.key for one in workspaces}
    secret_key = Fernet.generate_key().decode()
    await move_in(database, secret_key, workspaces)
    await asyncio.to_thread(watch, database)
    assistant = Assistant(seen, rng, refuses_every=layout.refuses_every, keys=keys)
    slack = Slack(seen, rng, workspaces)
    async with AsyncExitStack() as stack:
        url = await _served(stack, [*slack.routes(), *assistant.routes()])

        def environment(life: Life) -> dict[str, str]:
            return inherited() | {
                "MICROVISUALIZER_API_URL": f"{url}/{life}",
                "SLACK_API_URL": f"{url}/{life}/api/",
                "SLACK_CLIENT_ID": "1.2",
                "SLACK_CLIENT_SECRET": "secret",
                "SLACK_SIGNING_SECRET": SECRET,
                "THREADLINE_CONCURRENCY": str(layout.concurrency),
                "THREADLINE_DATABASE_URL": database,
                "THREADLINE_HTTP_PORT": "0",
                "THREADLINE_PUBLIC_URL": url,
                "THREADLINE_QUESTIONS_PER_CHANNEL": "off",
                "THREADLINE_QUESTIONS_PER_PERSON": "off",
                "THREADLINE_SECRET_KEY": secret_key,
            }

        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        here = await stack.enter_async_context(crew(seen, folder, layout.slots, environment))

        def webs() -> list[tuple[Life, str]]:
            return [(slot.life, slot.url) for slot in here.living("web")]

        courier = Courier(session, webs, layout.waits)
        yield Town(seen, workspaces, slack, assistant, courier, here)


async def _served(stack: AsyncExitStack, routes: Sequence[web.RouteDef]) -> str:
    """Serve on a free port of the loopback interface; what has come is done, even if its sender dies."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"
