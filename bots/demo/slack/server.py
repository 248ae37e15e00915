"""Puts simulated workspaces on the wire: one port for Web API, response_urls, Socket Mode and OAuth."""

import asyncio
import uuid
from weakref import WeakSet

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bots.demo.slack.carrying import NOBODY, Deliveries, Parcel, Receipt
from bots.demo.slack.courier import Interaction
from bots.demo.slack.oauth import OAuth
from bots.demo.slack.records import EventDelivery, Json
from bots.demo.slack.response_urls import ResponseUrls
from bots.demo.slack.signed_http import SignedHttp
from bots.demo.slack.sockets import Sockets
from bots.demo.slack.web_api import WebApi
from bots.demo.slack.workspace import SlackWorkspace
from bots.demo.tasks import Tasks

_REQUESTS_END_WITHIN = 0.05
"""Seconds that calls under way get when the server stops; held ones are cancelled then."""


class SlackServer:
    """Serves workspaces that know one app on the loopback interface, and carries their events to it.

    The first one's app token and signing secret are the app's. Once an app has connected a socket, sockets
    win over the events URL. Without either, events go nowhere.
    """

    def __init__(
        self, workspace: SlackWorkspace, *others: SlackWorkspace, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._workspace = workspace
        self._workspaces = {one.team: one for one in (workspace, *others)}
        self.oauth = OAuth((workspace, *others))
        self._host, self._port = host, port
        self._tasks = Tasks()
        self._sockets = Sockets(workspace, self._tasks)
        self._response_urls = ResponseUrls(self._workspaces)
        self._deliveries = {team: Deliveries(one, self._carry) for team, one in self._workspaces.items()}
        self._events_url = ""
        self._session: aiohttp.ClientSession | None = None
        self._http: SignedHttp | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, and become the workspace's courier."""
        application = web.Application(middlewares=[_counter(self._workspace)], client_max_size=4 * 1024**2)
        api = WebApi(tuple(self._workspaces.values()), self.oauth, self._socket_url)
        application.router.add_route("*", "/api/{method}", api.answer)
        application.router.add_post("/response/{key}", self._response_urls.answer)
        application.router.add_get("/link", self._sockets.serve)
        application.router.add_get("/oauth/v2/authorize", self.oauth.ask)
        application.router.add_post("/oauth/v2/authorize", self.oauth.decide)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_REQUESTS_END_WITHIN)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        self._http = SignedHttp(self._session, self._workspace.clock, self._workspace.signing_secret)
        self._http.url = self._events_url
        for workspace in self._workspaces.values():
            workspace.courier = self

    async def stop(self) -> None:
        """Stop everything, whatever is under way; raises if something beside the calls had failed."""
        for workspace in self._workspaces.values():
            workspace.courier = None
        try:
            await self._tasks.stop()
        finally:
            await self._sockets.cut()
            if self._runner is not None:
                await self._runner.cleanup()
            if self._session is not None:
                await self._session.close()

    @property
    def api_url(self) -> str:
        """Return the base URL for a Web API client, with its closing slash."""
        return f"http://{self._host}:{self._port}/api/"

    @property
    def socket_connections(self) -> int:
        """Return how many Socket Mode connections are open."""
        return len(self._sockets.links)

    @property
    def unwarned_connections(self) -> int:
        """Return how many Socket Mode connections have not been told to go."""
        return sum(not link.is_leaving for link in self._sockets.links)

    def send_events_to(self, url: str) -> None:
        """Deliver events, commands and interactivity to this URL, signed."""
        self._events_url = url
        if self._http is not None:
            self._http.url = url

    async def verify_url(self) -> bool:
        """Send `url_verification`, as Slack does when a Request URL is saved."""
        return self._http is not None and await self._http.verify(uuid.uuid4().hex)

    async def cut_sockets(self) -> None:
        """Close every Socket Mode connection without a warning."""
        await self._sockets.cut()

    def send(self, envelope: Json) -> None:
        """Start delivering an event, with retries."""
        if self._sockets.used or self._events_url:
            self._tasks.start(self._deliveries[envelope["team_id"]].deliver(envelope))

    async def repeat(self, envelope: Json, times: int) -> tuple[EventDelivery, ...]:
        """Deliver an event that many times at once, as retries of itself."""
        deliveries = self._deliveries[envelope["team_id"]]
        attempts = (deliveries.attempt(envelope, 1, "http_timeout") for _ in range(times))
        return tuple(delivery for _, delivery in await asyncio.gather(*attempts))

    async def ask(self, kind: str, body: Json) -> tuple[int | None, Json]:
        """Deliver an interaction; return the acknowledgement's status and JSON."""
        receipt = await self._carry(Parcel(kind, body))
        return receipt.status, receipt.answer

    def response_url(self, interaction: Interaction) -> str:
        """Return a URL through which the app may answer the interaction."""
        return f"http://{self._host}:{self._port}/response/{self._response_urls.issue(interaction)}"

    async def disconnect(self, reason: str) -> None:
        """Ask every socket to go away."""
        await self._sockets.disconnect(reason)

    async def _carry(self, parcel: Parcel) -> Receipt:
        if self._sockets.links:
            return await self._sockets.carry(parcel)
        if self._http is not None and self._http.url:
            return await self._http.carry(parcel)
        return NOBODY

    def _socket_url(self) -> str:
        return f"ws://{self._host}:{self._port}/link?ticket={self._sockets.new_ticket()}"


def _counter(workspace: SlackWorkspace) -> Middleware:
    seen: WeakSet[asyncio.BaseTransport] = WeakSet()

    @web.middleware
    async def count_connections(request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        if transport is not None and transport not in seen:
            seen.add(transport)
            workspace.connections += 1
        return await handler(request)

    return count_connections
