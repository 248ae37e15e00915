"""The web application: ready routes of the platforms, and probes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bots.web.metrics import CONTENT_TYPE


def build(
    routes: Sequence[BaseRoute],
    is_ready: Callable[[], Awaitable[bool]],
    metrics: Callable[[], Awaitable[bytes | None]],
    standing: Callable[[], Mapping[str, object]] = dict,
) -> Starlette:
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
    return Starlette(routes=[*routes, *probes])
