"""The gateway: connections break in every way Discord knows, and each question is answered once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bots.demo.assistant import faults
from bots.demo.discord import Hold
from bots.discord.client import ConnectionRefused, ThreadlineClient, log_in, pointed_at, stay_connected
from tests.fixtures.guild import POST, RESPOND, GuildWalk, guild_walk, in_time


@pytest.mark.parametrize("how", ["closed", "dropped", "told to reconnect"])
async def test_a_connection_that_ends_in_mid_question_is_resumed(tmp_path: Path, how: str) -> None:
    async with guild_walk(tmp_path) as town:
        held, gateway = faults.hold(), town.server.gateway
        town.assistant.faults.add(held)
        async with town.run():
            asked = await town.ask("who consumes order.created?")
            await town.assistant.wait_for_calls(1)
            if how == "closed":
                await gateway.close(4000)
            elif how == "dropped":
                await gateway.drop()
            else:
                await gateway.reconnect()
            missed = await town.mention("who owns billing?")
            held.release()
            await town.answers(await town.thread(missed))
            await town.answers(await town.thread_of(asked))
            assert (gateway.identifies, gateway.resumes) == (1, 1)
        assert len(town.assistant.journal) == 2
        assert town.states() == ["done", "done"]


async def test_an_event_that_comes_twice_is_one_question(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            asked = await town.ask("who owns billing?")
            await town.answers(await town.thread_of(asked))
            for seen in list(town.world.events):
                if seen.event in {"MESSAGE_CREATE", "INTERACTION_CREATE"}:
                    town.world.announce(seen.event, seen.data, seen.guild, seen.intent)
            await town.called(RESPOND, 400)  # it was acknowledged before
            await town.answers(await town.thread(await town.mention("and order.shipped?")))
        assert town.states() == ["done"] * 3
        assert len(town.assistant.journal) == 3


async def test_after_a_lost_session_what_was_missed_is_looked_for(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        gateway = town.server.gateway
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            await gateway.invalidate()
            await town.world.until(lambda: not gateway.sessions)
            missed = await town.mention("who owns billing?")
            more = await town.mention("and who publishes it?", channel=thread)
            await town.until_later(lambda: missed in town.world.channels and town.said(missed), 5.0)
            await town.answers(thread, 2)
            assert more not in town.world.channels
            assert gateway.identifies == 2
        assert town.states() == ["done"] * 3


async def test_a_zombie_is_noticed_and_its_session_taken_up_again(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.server.gateway.heartbeat_interval = 50
        heard = asyncio.Event()

        async def hear(_: discord.Message) -> None:
            heard.set()

        async with _connecting(town, heartbeat_timeout=0.2) as client:
            client.on_said = hear
            await in_time(town.server.gateway.connected())
            town.server.gateway.deaf = True
            await town.mention("is anybody there?")
            await town.world.until(lambda: town.server.gateway.resumes == 1)
            await in_time(heard.wait())
        assert town.server.gateway.identifies == 1


async def test_a_token_that_is_wrong_at_the_start_is_no_identify(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.token, kept = "another.token.altogether", town.world.token
        for _ in range(20):
            with pytest.raises(ConnectionRefused, match=r"DISCORD_TOKEN.*Reset Token"):
                async with town.run():
                    pass
        assert town.server.gateway.identifies == 0
        town.world.token = kept


async def test_a_token_that_is_reset_meanwhile_ends_it_with_an_instruction(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run() as threadline:
        await town.server.gateway.close(4004)
        with pytest.raises(ConnectionRefused, match="DISCORD_TOKEN"):
            await in_time(threadline.working[1])


async def test_an_intent_that_was_not_granted_ends_it_with_an_instruction(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.reads_everything()
        town.world.granted_intents.clear()
        with pytest.raises(ConnectionRefused, match=r"Message Content intent.*Developer Portal"):
            async with town.run():
                pass


async def test_with_no_gateway_at_all_it_can_be_ended(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        assert town.settings.discord is not None
        nowhere = replace(town.settings.discord, gateway_url="ws://127.0.0.1:9/")
        town.settings = replace(town.settings, discord=nowhere)
        running = asyncio.create_task(_runs(town))
        await in_time(town.clock.changes.until(town.clock.asleep))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert running.cancelled()


async def _runs(town: GuildWalk) -> None:
    async with town.run():
        pass


async def test_a_form_and_a_command_under_way_are_finished_before_the_end(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = Hold()
        town.world.faults.add("POST /channels/{channel}/messages/{message}/threads", held)
        async with town.run():
            message = await town.mention("who consumes order.created?")
            await in_time(held.held.wait())
            asyncio.get_running_loop().call_later(0.05, held.release)  # the end has begun by then
        assert message in town.world.channels
        async with town.run():
            await town.answers(message)
        assert town.states() == ["done"]


async def test_what_is_under_way_at_the_end_is_still_posted(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with asyncio.TaskGroup() as tasks, town.run() as threadline:
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.assistant.wait_for_calls(1)

            async def once_ended() -> None:
                await asyncio.wait([threadline.working[0]])
                held.release()

            tasks.create_task(once_ended())
        assert "billing" in town.said(thread)[0].content
        assert not town.world.typing(thread)
        assert town.states() == ["done"]


async def test_a_command_whose_question_is_being_stored_at_the_end_is_finished(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = Hold()
        town.world.faults.add(RESPOND, held)
        asking: asyncio.Task[object]
        async with town.run():
            asking = asyncio.create_task(town.ask("who consumes order.created?"))
            await in_time(held.held.wait())
            asyncio.get_running_loop().call_later(0.05, held.release)  # the end has begun by then
        await asking
        async with town.run():
            await town.world.until(lambda: town.world.calls_of(POST))
        assert town.states() == ["done"]
        assert len(town.assistant.journal) == 1


@asynccontextmanager
async def _connecting(town: GuildWalk, **more: Any) -> AsyncIterator[ThreadlineClient]:
    """A client of its own that tries to stay connected."""
    client = ThreadlineClient(town.clock, message_content=False, proxy=None, **more)
    with pointed_at(town.server.api_url, town.server.gateway_url):
        await log_in(client, town.world.token)
        staying = asyncio.create_task(stay_connected(client, town.clock))
        try:
            yield client
        finally:
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)
            await client.let_go()
            await client.close()


async def test_a_command_that_comes_again_after_a_restart_is_one_question(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            await town.answers(await town.thread_of(await town.ask("who consumes order.created?")))
        (seen,) = [one for one in town.world.events if one.event == "INTERACTION_CREATE"]
        async with town.run():
            town.world.announce(seen.event, seen.data, seen.guild, seen.intent)
            await town.called(RESPOND, 400)  # it was acknowledged before
            await town.answers(await town.thread(await town.mention("and order.shipped?")))
        assert len(town.assistant.journal) == 2
        assert town.states() == ["done", "done"]


async def test_a_dead_connection_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with asyncio.timeout(5):
            async with town.run():
                await town.server.gateway.connected()
                town.server.gateway.deaf = True


async def test_a_network_that_has_died_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, _Line.to(town.server.gateway_url) as line:
        assert town.settings.discord is not None
        by_line = replace(town.settings.discord, gateway_url=line.url)
        town.settings = replace(town.settings, discord=by_line)
        async with asyncio.timeout(10):
            async with town.run():
                await town.server.gateway.connected()
                line.is_dead.set()


class _Line:
    """A cable to the gateway, which can be cut without either end being told."""

    def __init__(self, to: str) -> None:
        self._host, self._port = to.removeprefix("ws://").split("/")[0].split(":")
        self._tasks: list[asyncio.Task[None]] = []
        self.is_dead = asyncio.Event()
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator["_Line"]:
        line = cls(url)
        server = await asyncio.start_server(line._connected, "127.0.0.1", 0)
        line.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/gateway/"
        try:
            yield line
        finally:
            server.close()
            for task in line._tasks:
                task.cancel()
            await asyncio.gather(*line._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        self._tasks += [
            asyncio.create_task(self._carry(reader, far_writer)),
            asyncio.create_task(self._carry(far_reader, writer)),
        ]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while carried := await reader.read(65536):
                if not self.is_dead.is_set():
                    writer.write(carried)
            if self.is_dead.is_set():
                await asyncio.Event().wait()
        finally:
            writer.close()
