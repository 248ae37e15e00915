"""The demo's surroundings: simulated Slack, Discord and assistant, and the real Threadline between them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from bots.cli.demo.discord_ways import DiscordWays
from bots.cli.demo.discord_window import DiscordWindow
from bots.cli.demo.seen import Chat, Side, Spot, Window
from bots.cli.demo.slack_ways import SlackWays
from bots.cli.demo.slack_window import SlackWindow
from bots.demo.assistant import AssistantServer, ReceivedCall, demo_projects
from bots.demo.discord import DiscordServer, DiscordWorld
from bots.demo.slack import SlackServer, SlackWorkspace
from bots.discord.keys import DIRECT
from bots.discord.sync import sync
from bots.discord.tree import payloads
from bots.settings import ChatSettings, DiscordSettings, HttpSettings, Settings, SlackSettings
from bots.slack.http import PATH
from bots.wiring import Threadline, running
from core.clock import Clock, SystemClock
from core.model import ProjectId

SHOP = ProjectId("shop-demo-7f3k2")
MEDIA = ProjectId("media-demo-4p9x1")
#: Who lives here, on both platforms. Ana is an admin of the workspace, and may manage the server.
ANA, BEN = "ana", "ben"

#: The API key of another organisation, for a workspace that wants one of its own; it sees both projects.
OWN_KEY = "another-demo-key-a1b2"
_KEY = "demo-key"


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that runs. No channel has a project yet."""

    clock: Clock
    workspace: SlackWorkspace
    world: DiscordWorld
    sides: Mapping[Chat, Side]
    assistant: AssistantServer
    threadline: Threadline
    by_socket: bool

    @property
    def channels(self) -> Mapping[str, Spot]:
        """Return the channels of both platforms, by names that no two of them have."""
        return {name: spot for side in self.sides.values() for name, spot in side.ways.channels.items()}

    @property
    def windows(self) -> Mapping[Chat, Window]:
        """Return what is seen of each platform."""
        return {chat: side.window for chat, side in self.sides.items()}

    def name(self, spot: Spot) -> str:
        """Return where a spot is, as in "Slack #shop"."""
        return f"{spot.chat} {self.sides[spot.chat].window.where(spot.channel)}"

    def chats(self) -> list[ReceivedCall]:
        """Return the questions that the assistant has received; it is also asked for its list of projects."""
        return [call for call in self.assistant.journal if call.method == "POST"]


@asynccontextmanager
async def town(folder: Path, *, by_socket: bool) -> AsyncIterator[Town]:
    """Run all of it on the loopback interface, on free ports, with the database in `folder`.

    `by_socket` is about Slack: Discord has its gateway. Raises what `bots.wiring.running` raises.
    """
    clock = SystemClock()
    workspace, world = _workspace(clock), _world(clock)
    slack, discord = SlackServer(workspace), DiscordServer(world)
    assistant = AssistantServer(clock=clock, projects=demo_projects(), api_keys={_KEY})
    assistant.add_key(OWN_KEY, demo_projects())
    async with AsyncExitStack() as stack:
        for server in (slack, discord, assistant):
            await server.start()
            stack.push_async_callback(server.stop)
        await sync(world.token, discord.api_url, payloads(), apply=True)
        settings = Settings(
            chat=ChatSettings(assistant.url, SecretStr(_KEY)),
            slack=_slack_settings(workspace, slack, by_socket=by_socket),
            discord=DiscordSettings(SecretStr(world.token), discord.api_url, discord.gateway_url, False),
            database_url=f"sqlite:///{folder / 'threadline.db'}",
            default_project=None,
            http=HttpSettings("127.0.0.1", 0),
            history_characters=60_000,
            deadline=timedelta(minutes=30),
            concurrency=8,
            admins=frozenset(),
            secret_keys=(SecretStr(Fernet.generate_key().decode()),),
            trusted=frozenset({*world.guilds, DIRECT}),
        )
        threadline = await stack.enter_async_context(running(settings, clock))
        # Threadline lets its calls finish before it stops: a slow assistant would have us wait.
        stack.push_async_callback(assistant.stop)
        if not by_socket:
            slack.send_events_to(threadline.url + PATH)
        sides = {
            Chat.SLACK: Side(SlackWindow(workspace), SlackWays(workspace)),
            Chat.DISCORD: Side(DiscordWindow(world), DiscordWays(world)),
        }
        yield Town(clock, workspace, world, sides, assistant, threadline, by_socket)


def _workspace(clock: Clock) -> SlackWorkspace:
    workspace = SlackWorkspace(clock)
    workspace.add_user(ANA, admin=True)
    workspace.add_user(BEN)
    for name in ("shop", "media", "lab"):
        workspace.add_channel(name)
    workspace.add_channel("partners", shared=True)
    return workspace


def _world(clock: Clock) -> DiscordWorld:
    world = DiscordWorld(clock)
    guild = world.add_guild("acme")
    world.join(guild, world.add_user(ANA), permissions=["manage_guild"])
    world.join(guild, world.add_user(BEN))
    for name in ("general", "video", "random"):  # none of them a name of a Slack channel
        world.add_channel(guild, name)
    return world


def _slack_settings(workspace: SlackWorkspace, slack: SlackServer, *, by_socket: bool) -> SlackSettings:
    return SlackSettings(
        bot_token=SecretStr(workspace.bot_token),
        app_token=SecretStr(workspace.app_token) if by_socket else None,
        signing_secret=None if by_socket else SecretStr(workspace.signing_secret),
        api_url=slack.api_url,
    )
