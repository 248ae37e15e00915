"""What a huge or packed answer costs: the greatest memory of a process of its own that makes one call."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.faults import toxics
from tests.faults.proxy import FaultProxy
from tests.fixtures.guild import guild_walk
from tests.fixtures.walk import KEY, walk

MOST = 64 * 1024  #: KiB that a call may have the process grow by
ROOT = Path(__file__).parents[2]

GREAT = {
    "10 MiB": toxics.Huge(),
    "100 MiB": toxics.Huge(100 * toxics.MIB),
    "1 GiB as gzip": toxics.Bomb("gzip"),
    "1 GiB as deflate": toxics.Bomb("deflate"),
}
REPLIES = GREAT


@pytest.mark.parametrize("toxic", GREAT.values(), ids=GREAT.keys())
async def test_a_great_answer_of_the_assistant_costs_little_memory(
    toxic: toxics.Toxic, tmp_path: Path
) -> None:
    async with walk(tmp_path) as town, FaultProxy(town.assistant.url) as proxy:
        proxy.add(toxic)
        error, grown = await _called("chat", proxy.url, KEY)
    assert error == "BrokenAnswer"
    assert grown < MOST


@pytest.mark.parametrize("toxic", REPLIES.values(), ids=REPLIES.keys())
async def test_a_great_reply_of_slack_costs_little_memory(toxic: toxics.Toxic, tmp_path: Path) -> None:
    async with walk(tmp_path) as town, FaultProxy(town.slack.api_url) as proxy:
        ts = await town.workspace.say(town.ana, town.general, "who owns billing?")
        proxy.add(toxic)
        came, grown = await _called("slack", proxy.url, town.workspace.bot_token, town.general, ts)
        assert proxy.requests == 1
        assert len(town.posted(ts)) == 1
    assert came in {"done", "OutcomeUnknown"}
    assert grown < MOST


@pytest.mark.parametrize("toxic", REPLIES.values(), ids=REPLIES.keys())
async def test_a_great_reply_of_discord_costs_little_memory(toxic: toxics.Toxic, tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, FaultProxy(town.server.api_url) as proxy:
        proxy.add(toxic, method="POST")
        came, grown = await _called("discord", proxy.url, town.world.token, town.general)
        assert proxy.heard_of("/api") == 1
    assert came in {"done", "OutcomeUnknown"}
    assert grown < MOST


async def _called(*told: str) -> tuple[str, int]:
    """Make a call in a process of its own; return the error, and by how many KiB it has grown."""
    command = (sys.executable, "-m", "tests.faults.peak", *told)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    try:
        async with asyncio.timeout(60):
            printed, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    error, grown = printed.decode().split()
    return error, int(grown)
