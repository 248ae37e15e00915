"""Serves /api/METHOD: reads the call, meets its fault, asks the method, journals. No methods here."""

import json
from collections.abc import Callable

from aiohttp import web

from bots.demo.faults import Delay, Hold, Reset
from bots.demo.slack import chat, reading, views
from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.faults import Fault, HttpError, RateLimited, Refuse
from bots.demo.slack.records import ApiCall, Json
from bots.demo.slack.workspace import SlackWorkspace

Method = Callable[[SlackWorkspace, Arguments], Json]

METHODS: dict[str, Method] = {
    "assistant.threads.setStatus": chat.set_status,
    "auth.test": reading.auth_test,
    "chat.delete": chat.delete,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": reading.history,
    "conversations.info": reading.info,
    "conversations.open": reading.open_direct,
    "conversations.replies": reading.replies,
    "reactions.add": chat.add_reaction,
    "reactions.remove": chat.remove_reaction,
    "users.conversations": reading.user_conversations,
    "users.info": reading.user_info,
    "views.open": views.open_view,
    "views.publish": views.publish_view,
    "views.update": views.update_view,
}
CONNECT = "apps.connections.open"


class WebApi:
    """The Web API of one workspace; `connect` returns a fresh Socket Mode URL."""

    def __init__(self, workspace: SlackWorkspace, connect: Callable[[], str]) -> None:
        self._workspace = workspace
        self._connect = connect
        self._posted: dict[str, float] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        method, at = request.match_info["method"], self._workspace.clock.now()
        arguments, token = await _read(request)
        fault = self._workspace.faults.next(method) or self._too_fast(method, arguments)
        self._workspace.changes.happened()
        response, outcome = await self._with_fault(method, arguments, token, fault)
        shown = {name: value for name, value in arguments.items() if name != "token"}
        self._workspace.calls.append(ApiCall(method, shown, at, outcome))
        self._workspace.changes.happened()
        if outcome == "reset" and request.transport is not None:
            request.transport.abort()
        return response

    async def _with_fault(
        self, method: str, arguments: Arguments, token: str, fault: Fault | None
    ) -> tuple[web.Response, str]:
        match fault:
            case Delay():
                await self._workspace.clock.sleep(fault.seconds)
            case Hold(after=False):
                await fault.wait()
            case Hold():
                done = self._do(method, arguments, token)
                await fault.wait()
                return self._respond(done)
            case RateLimited():
                return _rate_limited(fault.retry_after)
            case Refuse():
                return self._respond({"ok": False, "error": fault.error})
            case HttpError() | Reset():
                if fault.after:
                    self._do(method, arguments, token)
                return _broken(fault)
        return self._respond(self._do(method, arguments, token))

    def _do(self, method: str, arguments: Arguments, token: str) -> Json:
        try:
            self._check_token(method, token)
            if method == CONNECT:
                return {"ok": True, "url": self._connect()}
            if method not in METHODS:
                raise Refused("unknown_method", req_method=method)  # noqa: TRY301 - one place draws refusals
            return METHODS[method](self._workspace, arguments)
        except Refused as refusal:
            return refusal.body()

    def _check_token(self, method: str, token: str) -> None:
        if not token:
            raise Refused("not_authed")
        if token not in {self._workspace.bot_token, self._workspace.app_token}:
            raise Refused("invalid_auth")
        if not self._workspace.installed:
            raise Refused("account_inactive")
        wanted = self._workspace.app_token if method == CONNECT else self._workspace.bot_token
        if token != wanted and method != "auth.test":
            raise Refused("not_allowed_token_type")

    def _respond(self, body: Json) -> tuple[web.Response, str]:
        headers = {"X-OAuth-Scopes": ",".join(sorted(self._workspace.scopes))}
        return web.json_response(body, headers=headers), "ok" if body["ok"] else body["error"]

    def _too_fast(self, method: str, arguments: Arguments) -> RateLimited | None:
        """Enforce one message per second and channel, which is what Slack promises at least."""
        if not self._workspace.enforce_rates or method != "chat.postMessage":
            return None
        now, channel = self._workspace.clock.monotonic(), arguments.text("channel")
        if now - self._posted.get(channel, float("-inf")) < 1:
            return RateLimited(1)
        self._posted[channel] = now
        return None


def _broken(fault: HttpError | Reset) -> tuple[web.Response, str]:
    if isinstance(fault, Reset):
        return web.Response(), "reset"
    return web.Response(status=fault.status, text="something went wrong"), f"http {fault.status}"


def _rate_limited(seconds: int) -> tuple[web.Response, str]:
    response = web.json_response({"ok": False, "error": "ratelimited"}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response, "http 429"


async def _read(request: web.Request) -> tuple[Arguments, str]:
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        given |= json.loads(await request.text() or "{}")
    elif request.method == "POST":
        given |= dict(await request.post())
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return Arguments(given), token if scheme == "Bearer" else str(given.get("token") or "")
