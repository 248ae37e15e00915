"""The web application: ready routes of the platforms, and probes."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route


def build(routes: Sequence[BaseRoute], is_ready: Callable[[], Awaitable[bool]]) -> Starlette:
    """Return the application.

    `/livez` says that the process runs; `/readyz` that it can accept questions, which needs the database
    and nothing else: an assistant that is away is no reason to turn askers away.
    """

    async def livez(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        return JSONResponse({"alive": True})

    async def readyz(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        ready = await is_ready()
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    return Starlette(routes=[*routes, Route("/livez", livez), Route("/readyz", readyz)])
