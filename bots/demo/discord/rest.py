"""Serves /api/v10: reads the call, checks the token, meets its fault, does, journals. No deeds here."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from bots.demo.discord import rest_channels, rest_commands, rest_guilds, rest_interactions, rest_messages
from bots.demo.discord.calling import Answer, Call, Deed
from bots.demo.discord.faults import Fault, HttpError, RateLimited
from bots.demo.discord.rates import Count
from bots.demo.discord.records import ApiCall, Json
from bots.demo.discord.refusals import Refused, invalid, not_found, unauthorized
from bots.demo.discord.state import DiscordState
from bots.demo.faults import Delay, Hold, Reset

ROUTES: dict[str, Deed] = {
    **rest_guilds.ROUTES,
    **rest_channels.ROUTES,
    **rest_messages.ROUTES,
    **rest_commands.ROUTES,
    **rest_interactions.ROUTES,
}
_SUBJECTS = ("channel", "guild", "application")
"""Whose buckets are counted apart."""
_WORDS = frozenset({"token", "emoji"})
"""Parts of a path that are no snowflakes."""
_NAMED = frozenset({"@me", "@original"})


class Rest:
    """The REST API of one world; `more` are the routes that ask the gateway."""

    def __init__(self, state: DiscordState, more: dict[str, Deed]) -> None:
        self._state = state
        self._deeds = more | ROUTES

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve every route under /api/v10, and refuse every other path there."""
        for route, deed in self._deeds.items():
            method, path = route.split(" ", 1)
            router.add_route(method, f"/api/v10{path}", self._answerer(route, deed))
        router.add_route("*", "/api/{path:.*}", self._answerer("", _unknown))

    def _answerer(self, route: str, deed: Deed) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, route or f"{request.method} ?", deed)

        return answer

    async def _answer(self, request: web.Request, route: str, deed: Deed) -> web.StreamResponse:
        at, call = self._state.clock.now(), await _read(request)
        count = self._state.rates.count(
            route, next((call.ids[one] for one in _SUBJECTS if one in call.ids), "")
        )
        fault = self._state.faults.next(route)
        if fault is None and count.is_over:
            fault = RateLimited(count.reset_after)
        self._state.changes.happened()
        status, body = await self._with_fault(request, call, route, deed, fault)
        self._journal(request, call, route, (status, body, at))
        if status == 0 and request.transport is not None:
            request.transport.abort()
        return _response(status, body, fault, count)

    async def _with_fault(
        self, request: web.Request, call: Call, route: str, deed: Deed, fault: Fault | None
    ) -> tuple[int, Any]:
        match fault:
            case Delay():
                await self._state.clock.sleep(fault.seconds)
            case Hold(after=False):
                await fault.wait()
            case Hold():
                done = self._do(request, call, route, deed)
                await fault.wait()
                return done
            case RateLimited():
                message = "You are being rate limited."
                return 429, {"message": message, "retry_after": fault.retry_after, "global": fault.is_global}
            case HttpError() | Reset():
                if fault.after:
                    self._do(request, call, route, deed)
                if isinstance(fault, Reset):
                    return 0, None
                return fault.status, {"message": fault.message, "code": fault.code}
        return self._do(request, call, route, deed)

    def _do(self, request: web.Request, call: Call, route: str, deed: Deed) -> tuple[int, Any]:
        try:
            if route not in rest_interactions.ROUTES:
                self._check_token(request)
            _check_ids(call)
            answer: Answer = deed(self._state, call)
        except Refused as refusal:
            return refusal.status, refusal.body()
        if answer is None:
            return 204, None
        return 201 if route in rest_channels.CREATING else 200, answer

    def _check_token(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bot {self._state.token}":
            raise unauthorized()

    def _journal(
        self, request: web.Request, call: Call, route: str, answered: tuple[int, Any, datetime]
    ) -> None:
        status, body, at = answered
        code = body.get("code", 0) if isinstance(body, dict) and status >= 400 else 0
        self._state.calls.append(
            ApiCall(request.method, route, call.ids, call.body, call.query, call.files, status, code, at)
        )
        self._state.changes.happened()


def _response(status: int, body: Any, fault: Fault | None, count: Count) -> web.Response:
    headers = count.headers()
    if isinstance(fault, RateLimited):
        headers |= {"Retry-After": f"{fault.retry_after:.3f}", "X-RateLimit-Scope": "user"}
        if fault.is_global:
            headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
    if not isinstance(fault, RateLimited) or fault.via:
        headers["Via"] = "1.1 google"
    if body is None:
        return web.Response(status=status or 204, headers=headers)
    # discord.py takes a body for JSON only if its type is spelled exactly so, without a charset
    headers["Content-Type"] = "application/json"
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)


def _check_ids(call: Call) -> None:
    for name, value in call.ids.items():
        if name not in _WORDS and value not in _NAMED and not (value.isascii() and value.isdigit()):
            message = f'Value "{value}" is not snowflake.'
            raise invalid(f"{name}_id", code="NUMBER_TYPE_COERCE", message=message)


async def _read(request: web.Request) -> Call:
    body: Any = {}
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        form = await request.post()
        body = json.loads(str(form.get("payload_json") or "{}"))
        for part in form.values():
            if isinstance(part, web.FileField):
                files[part.filename] = part.file.read()
    elif text := await request.text():
        try:
            body = json.loads(text)
        except ValueError:
            body = text
    ids = {name: value for name, value in request.match_info.items() if name != "path"}
    return Call(ids, body, dict(request.query), files)


def _unknown(_state: DiscordState, _call: Call) -> Json:
    raise not_found()
