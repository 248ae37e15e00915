"""A uvicorn server inside our own event loop, which leaves signals to whoever runs the loop."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from core.errors import Permanent

#: Seconds that a connection without a request stays open. Proxies keep theirs for less (nginx: 60) and send a
#: request on one they take to be open; where we close it in that moment, Slack is told 502.
_KEEP_ALIVE = 75


class AddressUnusable(Permanent):
    """The configured address cannot be listened on."""


class _Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class WebServer:
    """Serves one application on one address."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, patience: int = 10) -> None:
        """`patience`: seconds that requests under way get at the end, before they are cut off."""
        self._host = host
        self._port = port
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=patience,
        )
        self._server = _Quiet(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Bind and serve; return the URL. Raises AddressUnusable if the address cannot be had."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            listening = socket.create_server((self._host, self._port), family=family, backlog=2048)
        except OSError as error:
            raise AddressUnusable(
                f"{self._host}:{self._port} cannot be listened on ({error.strerror or error}): set "
                "THREADLINE_HTTP_HOST and THREADLINE_HTTP_PORT to a free address of this machine."
            ) from error
        port = listening.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    async def aclose(self) -> None:
        """Take no more requests, and finish those under way."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
