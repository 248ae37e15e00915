"""Serves /api/METHOD: reads the call, meets its fault, asks the method, journals. No methods here."""

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from bots.demo.faults import Delay, Hold, Reset
from bots.demo.slack import chat, reading, views
from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.faults import Fault, HttpError, RateLimited, Refuse
from bots.demo.slack.oauth import OAuth
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
_SECRETS = frozenset({"token", "client_secret"})


ACCESS = "oauth.v2.access"
REVOKE = "auth.revoke"


class WebApi:
    """The Web API of workspaces; `connect` returns a fresh Socket Mode URL."""

    def __init__(
        self, workspaces: Sequence[SlackWorkspace], oauth: OAuth, connect: Callable[[], str]
    ) -> None:
        """What nobody's token comes with is the first workspace's."""
        self._workspaces = workspaces
        self._oauth = oauth
        self._connect = connect
        self._posted: dict[tuple[str, str], float] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        method, at = request.match_info["method"], self._workspaces[0].clock.now()
        arguments, token = await _read(request)
        workspace = self._meant(token, arguments)
        call = _Call(method, arguments, token, workspace)
        fault = workspace.faults.next(method) or self._too_fast(call)
        workspace.changes.happened()
        response, outcome = await self._with_fault(call, fault)
        shown = {name: value for name, value in arguments.items() if name not in _SECRETS}
        workspace.calls.append(ApiCall(method, shown, at, outcome))
        workspace.changes.happened()
        if outcome == "reset" and request.transport is not None:
            request.transport.abort()
        return response

    def _meant(self, token: str, arguments: Arguments) -> SlackWorkspace:
        """Return whose the token is; of an organisation's the one that is named, or has what is named."""
        theirs = [one for one in self._workspaces if one.bot_token == token] or [self._workspaces[0]]
        told = {arguments.text(name) for name in ("team_id", "channel", "channel_id", "user")}
        named = (one for one in theirs if told & {one.team, *one.channels, *one.users})
        return next(named, theirs[0])

    async def _with_fault(self, call: "_Call", fault: Fault | None) -> tuple[web.Response, str]:
        match fault:
            case Delay():
                await call.workspace.clock.sleep(fault.seconds)
            case Hold(after=False):
                await fault.wait()
            case Hold():
                done = self._do(call)
                await fault.wait()
                return _respond(call.workspace, done)
            case RateLimited():
                return _rate_limited(fault.retry_after)
            case Refuse():
                return _respond(call.workspace, {"ok": False, "error": fault.error})
            case HttpError() | Reset():
                if fault.after:
                    self._do(call)
                return _broken(fault)
        return _respond(call.workspace, self._do(call))

    def _do(self, call: "_Call") -> Json:
        try:
            if call.method == ACCESS:
                return self._oauth.access(call.arguments)
            self._check_token(call)
            if call.method == CONNECT:
                return {"ok": True, "url": self._connect()}
            if call.method == REVOKE:
                return self._revoke(call)
            if call.method not in METHODS:
                raise Refused("unknown_method", req_method=call.method)  # noqa: TRY301 - one place draws refusals
            return METHODS[call.method](call.workspace, call.arguments)
        except Refused as refusal:
            return refusal.body()

    def _revoke(self, call: "_Call") -> Json:
        """Take a token back; it is the app's only one, so the app goes wherever that is used."""
        also = [one for one in self._workspaces if one.bot_token == call.token]
        call.workspace.remove_app()
        for one in also:
            one.installed = False
        return {"ok": True, "revoked": True}

    def _check_token(self, call: "_Call") -> None:
        app_token = self._workspaces[0].app_token
        if not call.token:
            raise Refused("not_authed")
        if call.token not in {call.workspace.bot_token, app_token}:
            raise Refused("invalid_auth")
        if not call.workspace.installed and call.token != app_token:
            raise Refused("account_inactive")
        wanted = app_token if call.method == CONNECT else call.workspace.bot_token
        if call.token != wanted and call.method != "auth.test":
            raise Refused("not_allowed_token_type")

    def _too_fast(self, call: "_Call") -> RateLimited | None:
        """Enforce one message per second and channel, which is what Slack promises at least."""
        if not call.workspace.enforce_rates or call.method != "chat.postMessage":
            return None
        now, channel = call.workspace.clock.monotonic(), (call.workspace.team, call.arguments.text("channel"))
        if now - self._posted.get(channel, float("-inf")) < 1:
            return RateLimited(1)
        self._posted[channel] = now
        return None


@dataclass(frozen=True, slots=True)
class _Call:
    """One call as it came, and the workspace it is about."""

    method: str
    arguments: Arguments
    token: str
    workspace: SlackWorkspace


def _respond(workspace: SlackWorkspace, body: Json) -> tuple[web.Response, str]:
    headers = {"X-OAuth-Scopes": ",".join(sorted(workspace.scopes))}
    return web.json_response(body, headers=headers), "ok" if body["ok"] else body["error"]


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
    if scheme == "Basic":
        given["client_id"], _, given["client_secret"] = b64decode(token).decode().partition(":")
    return Arguments(given), token if scheme == "Bearer" else str(given.get("token") or "")
