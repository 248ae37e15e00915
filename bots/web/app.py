"""The web application: ready routes of the platforms, and probes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bots.web.metrics import CONTENT_TYPE


def build(
    routes: Sequence[Route],
    is_ready: Callable[[], Awaitable[bool]],
    metrics: Callable[[], Awaitable[bytes | None]],
    standing: Callable[[], Mapping[str, object]] = dict,
) -> ASGIApp:
    """Return the application.

    `/livez` says that the process runs; `/readyz` that it can accept questions, which needs the database
    and, where several processes share it, that our platforms know us; an assistant that is away is no
    reason to turn askers away, and shows in `/metrics`. `standing` is told with it: which process this is.
    """

    async def livez(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        return JSONResponse({"alive": True})

    async def readyz(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        ready = await is_ready()
        return JSONResponse({"ready": ready, **standing()}, 200 if ready else 503)

    async def measured(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        found = await metrics()
        return Response(found, 503 if found is None else 200, media_type=CONTENT_TYPE)

    probes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", measured)]
    return _Directly([*routes, *probes])


class _Directly:
    """Starlette, but what is posted is taken straight to its endpoint: its layers cost as much as Bolt's."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._starlette = Starlette(routes=routes)
        self._posted = {route.path: route.endpoint for route in routes if route.methods == {"POST"}}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_posted = scope["type"] == "http" and scope["method"] == "POST"
        endpoint = self._posted.get(scope["path"]) if is_posted else None
        if endpoint is None:
            await self._starlette(scope, receive, send)
            return
        response: Response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)
