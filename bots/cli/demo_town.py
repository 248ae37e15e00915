"""The demo's surroundings: a simulated workspace and assistant, and the real Threadline pointed at them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from bots.demo.assistant import AssistantServer, demo_projects
from bots.demo.slack import SlackServer, SlackWorkspace
from bots.settings import ChatSettings, HttpSettings, Settings, SlackSettings
from bots.slack.http import PATH
from bots.wiring import Threadline, running
from core.clock import SystemClock
from core.model import ProjectId

SHOP = ProjectId("shop-demo-7f3k2")
MEDIA = ProjectId("media-demo-4p9x1")
COMMAND = "/threadline"

_KEY = "demo-key"


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that runs. Channels and people are Slack's ids; no channel has a project yet."""

    workspace: SlackWorkspace
    assistant: AssistantServer
    threadline: Threadline
    ana: str  #: a workspace admin
    ben: str  #: a member
    shop: str
    media: str
    lab: str
    partners: str  #: shared with another organisation
    by_socket: bool


@asynccontextmanager
async def town(folder: Path, *, by_socket: bool) -> AsyncIterator[Town]:
    """Run all of it on the loopback interface, on free ports, with the database in `folder`.

    Raises what `bots.wiring.running` raises.
    """
    clock = SystemClock()
    workspace = SlackWorkspace(clock)
    ana, ben = workspace.add_user("ana", admin=True), workspace.add_user("ben")
    shop, media, lab = (workspace.add_channel(name) for name in ("shop", "media", "lab"))
    partners = workspace.add_channel("partners", shared=True)
    slack = SlackServer(workspace)
    assistant = AssistantServer(clock=clock, projects=demo_projects(), api_keys={_KEY})
    async with AsyncExitStack() as stack:
        for server in (slack, assistant):
            await server.start()
            stack.push_async_callback(server.stop)
        settings = _settings(folder, workspace, slack, assistant, by_socket=by_socket)
        threadline = await stack.enter_async_context(running(settings, clock))
        # Threadline lets its calls finish before it stops: a slow assistant would have us wait.
        stack.push_async_callback(assistant.stop)
        if not by_socket:
            slack.send_events_to(threadline.url + PATH)
        yield Town(workspace, assistant, threadline, ana, ben, shop, media, lab, partners, by_socket)


def _settings(
    folder: Path,
    workspace: SlackWorkspace,
    slack: SlackServer,
    assistant: AssistantServer,
    *,
    by_socket: bool,
) -> Settings:
    return Settings(
        chat=ChatSettings(assistant.url, SecretStr(_KEY)),
        slack=SlackSettings(
            bot_token=SecretStr(workspace.bot_token),
            app_token=SecretStr(workspace.app_token) if by_socket else None,
            signing_secret=None if by_socket else SecretStr(workspace.signing_secret),
            api_url=slack.api_url,
        ),
        database_url=f"sqlite:///{folder / 'threadline.db'}",
        default_project=None,
        http=HttpSettings("127.0.0.1", 0),
        history_characters=60_000,
        deadline=timedelta(minutes=30),
        concurrency=8,
        admins=frozenset(),
    )
