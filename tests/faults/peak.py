"""A process that makes one call through a proxy and prints the error it met and by how much it grew, in KiB.

`python -m tests.faults.peak chat|slack|discord URL TOKEN [CHANNEL [THREAD]]`
"""

import asyncio
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from bots.discord.calls import calling
from bots.discord.client import ThreadlineClient, log_in, pointed_at
from bots.discord.messages import Said
from bots.slack.access import web_client
from bots.slack.outbound import SlackPoster
from core.clock import SystemClock
from core.errors import ThreadlineError
from core.model import (
    NO_RECEIPT,
    Address,
    AnswerPart,
    AuthorId,
    DeliveryId,
    Platform,
    ProjectId,
    Role,
    ThreadKey,
    Turn,
    WorkspaceId,
)
from core.project_api import HttpChatApi
from tests.fixtures.alone import Alone


async def chat(url: str, token: str) -> None:
    """Ask a question."""
    async with HttpChatApi(base_url=url, api_key=token, concurrency=1, clock=SystemClock()) as api:
        await api.ask(ProjectId("shop-demo-7f3k2"), [Turn(Role.USER, AuthorId("U1"), "who owns billing?")])


async def slack(url: str, token: str, channel: str, ts: str) -> None:
    """Post a part of an answer."""
    async with web_client(token, url) as client:
        clock = SystemClock()
        thread = ThreadKey(Platform("slack"), WorkspaceId("T1"), channel, ts)
        to = Address(thread, DeliveryId("d1"), AuthorId("U1"), datetime.now(UTC), NO_RECEIPT)
        await SlackPoster(Alone(client, clock), clock).post(to, AnswerPart(1, "hello"))


async def discord(url: str, token: str, channel: str) -> None:
    """Send a message, from a client that has logged in before."""
    client = ThreadlineClient(SystemClock(), message_content=False, proxy=None)
    with pointed_at(url, None):
        try:
            await log_in(client, token)
            with Said("hello").parameters(nonce="d1-0") as params:
                async with calling():
                    await client.http.send_message(int(channel), params=params)
        finally:
            await client.close()


async def main(which: str, *told: str) -> str:
    """Make the call; return what came of it."""
    try:
        match which:
            case "chat":
                await chat(*told)
            case "slack":
                await slack(*told)
            case _:
                await discord(*told)
    except ThreadlineError as error:
        return type(error).__name__
    return "done"


def peak() -> int:
    """Return the most memory this process has had, in KiB.

    On Linux `ru_maxrss` begins with the peak of the process that started us (execve(2), getrusage(2)).
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # macOS counts bytes


if __name__ == "__main__":
    before = peak()
    came_of_it = asyncio.run(main(*sys.argv[1:]))
    print(came_of_it, peak() - before)  # noqa: T201 it is asked
