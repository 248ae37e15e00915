"""Puts a simulated Discord on the wire: one port for the REST API and the gateway."""

from aiohttp import web

from bots.demo.discord.calling import Answer, Call, Deed
from bots.demo.discord.gateway import Gateway
from bots.demo.discord.rest import Rest
from bots.demo.discord.state import DiscordState
from bots.demo.discord.world import DiscordWorld

_REQUESTS_END_WITHIN = 0.05
"""Seconds that calls under way get when the server stops; held ones are cancelled then."""
_MOST_UPLOADED = 25 * 1024 * 1024


class DiscordServer:
    """Serves one world on the loopback interface."""

    def __init__(self, world: DiscordWorld, host: str = "127.0.0.1", port: int = 0) -> None:
        self.gateway = Gateway(world)
        self.shards = 1
        """Into how many shards the bot is told to deal its guilds."""
        self._world = world
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, and carry the world's events from now on."""
        application = web.Application(client_max_size=_MOST_UPLOADED)
        more: dict[str, Deed] = {"GET /gateway": self._where, "GET /gateway/bot": self._where_and_how_often}
        application.router.add_get("/gateway/", self.gateway.serve)
        Rest(self._world, more).add_to(application.router)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_REQUESTS_END_WITHIN)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        self._world.gateway = self.gateway

    async def stop(self) -> None:
        """Stop everything, whatever is under way."""
        self._world.gateway = None
        await self.gateway.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """Return the base URL of the REST API, without a closing slash."""
        return f"http://{self._host}:{self._port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """Return the URL of the gateway, with its closing slash."""
        return f"ws://{self._host}:{self._port}/gateway/"

    def _where(self, _state: DiscordState, _call: Call) -> Answer:
        return {"url": self.gateway_url}

    def _where_and_how_often(self, _state: DiscordState, _call: Call) -> Answer:
        limit = self.gateway.session_start_limit.as_json()
        return {"url": self.gateway_url, "shards": self.shards, "session_start_limit": limit}
