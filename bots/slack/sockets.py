"""Socket Mode: the same listeners over a WebSocket that we open, watched for looking alive when it is not."""

import asyncio
from collections.abc import Callable

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bots.errands import outlived
from bots.slack.calls import TokenRefused, translated
from core.clock import Clock
from core.errors import AccountRefused, ThreadlineError

log = structlog.get_logger(__name__)

_LOOK_EVERY = 15.0  #: seconds


class Sockets:
    """One Socket Mode connection, kept alive until closed."""

    def __init__(
        self,
        app: AsyncApp,
        client: AsyncWebClient,
        app_token: str,
        clock: Clock,
        *,
        back: Callable[[], None],
        ours: Callable[[], bool],
    ) -> None:
        """`back` is called once it is there again after it was found lost.

        While it is not `ours` nothing is taken in: Slack sends it again, to another.
        """
        self._back = back
        self._ours = ours
        self._bolt = AsyncSocketModeHandler(app, app_token, web_client=client)
        self._bolt.client.proxy = client.proxy
        self._bolt.client.socket_mode_request_listeners[:] = [self._take_in]
        self._clock = clock
        self._watching: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Open the connection; raises errors of core.errors if Slack refuses."""
        client = self._bolt.client
        try:
            with translated():
                # `connect` alone would keep a refusal to itself, and try for ever.
                client.wss_uri = await client.issue_new_wss_url()
        except AccountRefused as error:
            raise TokenRefused(f"{error}: copy SLACK_APP_TOKEN again, from Basic Information.") from error
        await client.connect()
        self._watching = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """Close the connection: Slack keeps what it has not delivered, and sends it to the next one."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._bolt.client.close()

    async def _take_in(self, _: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if self._ours():
            await self._bolt.handle(self._bolt.client, request)

    async def _watch(self) -> None:
        """Reconnect where the SDK's own reconnecting has given up."""
        lost = False
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            if await self._bolt.client.is_connected():
                if lost:
                    self._back()
                lost = False
                continue
            lost = True
            log.warning("socket lost, reconnecting")
            # The SDK may be trying an address for ever that has expired: without one it asks for a new one.
            self._bolt.client.wss_uri = None
            await outlived(self._reconnect(), None, "socket not reconnected")

    async def _reconnect(self) -> None:
        try:
            with translated():
                await self._bolt.client.connect_to_new_endpoint()
        except ThreadlineError as error:
            log.warning("socket not reconnected", error=type(error).__name__, said=str(error))
