"""Installing the app by OAuth: the page that asks, its two buttons, and the code for a token. No app's pages.

Fields: docs.slack.dev/authentication/installing-with-oauth and /reference/methods/oauth.v2.access.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.records import Json
from bots.demo.slack.workspace import SlackWorkspace

LASTS = 600.0
"""Seconds that a code is good for."""


@dataclass(frozen=True, slots=True)
class _Grant:
    """What somebody has agreed to: one workspace, or all of an organisation's."""

    workspaces: tuple[SlackWorkspace, ...]
    is_enterprise_install: bool
    scopes: str
    redirect_uri: str
    since: float


class OAuth:
    """One app, as these workspaces can install it: each, or an organisation for all of its own at once."""

    def __init__(self, workspaces: Sequence[SlackWorkspace]) -> None:
        self._workspaces = workspaces
        self._clock = workspaces[0].clock
        self._grants: dict[str, _Grant] = {}
        self.client_id = "2141029472.691202649728"
        self.client_secret = "demo-client-secret"  # noqa: S105 a made-up secret of a made-up app
        self.redirect_urls: set[str] = set()
        """What is entered at Slack: nobody is sent anywhere else."""

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Show what the app asks for, as `/oauth/v2/authorize` does."""
        query = request.query
        if query.get("client_id") != self.client_id:
            return web.Response(status=400, text="Invalid client_id parameter")
        if query.get("redirect_uri") not in self.redirect_urls:
            return web.Response(status=400, text="redirect_uri did not match any configured URIs")
        return web.Response(text=self._page(dict(query)), content_type="text/html")

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Send the browser back, with a code or with `access_denied`."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form["redirect_uri"] not in self.redirect_urls:
            return web.Response(status=400, text="redirect_uri did not match any configured URIs")
        if form["choice"] == "allow":
            back = {"code": self._granted(form), "state": form["state"]}
        else:
            back = {"error": "access_denied", "state": form["state"]}
        raise web.HTTPFound(f"{form['redirect_uri']}?{urlencode(back)}")

    def access(self, arguments: Arguments) -> Json:
        """Give a token for a code, once, and install the app by that."""
        known = (arguments.text("client_id"), arguments.text("client_secret"))
        if known[0] != self.client_id:
            raise Refused("invalid_client_id")
        if known[1] != self.client_secret:
            raise Refused("bad_client_secret")
        grant = self._grants.pop(arguments.text("code"), None)
        if grant is None or self._clock.monotonic() - grant.since > LASTS:
            raise Refused("invalid_code")
        if grant.redirect_uri != arguments.text("redirect_uri"):
            raise Refused("bad_redirect_uri")
        token = f"xoxb-{uuid.uuid4().hex}"
        for workspace in grant.workspaces:
            workspace.install(token, grant.scopes, is_enterprise_install=grant.is_enterprise_install)
        return self._installed(grant, token)

    def _granted(self, form: dict[str, str]) -> str:
        whole = form["team"].startswith("E")
        chosen = tuple(one for one in self._workspaces if form["team"] in {one.team, one.enterprise})
        code = f"{self.client_id}.{uuid.uuid4().hex}"
        now = self._clock.monotonic()
        self._grants[code] = _Grant(chosen, whole, form["scope"], form["redirect_uri"], now)
        return code

    def _installed(self, grant: _Grant, token: str) -> Json:
        first = grant.workspaces[0]
        enterprise = {"id": first.enterprise, "name": f"{first.name} Group"} if first.enterprise else None
        people = [user.id for user in first.users.values() if not user.bot_id]
        return {
            "ok": True,
            "app_id": first.app_id,
            "authed_user": {"id": people[0] if people else "U0NOBODY1"},
            "scope": grant.scopes,
            "token_type": "bot",
            "access_token": token,
            "bot_user_id": first.bot_user,
            "team": None if grant.is_enterprise_install else {"id": first.team, "name": first.name},
            "enterprise": enterprise,
            "is_enterprise_install": grant.is_enterprise_install,
        }

    def _page(self, query: dict[str, str]) -> str:
        named = {one.team: one.name for one in self._workspaces}
        named |= {one.enterprise: f"{one.name} Group" for one in self._workspaces if one.enterprise}
        options = "".join(f'<option value="{team}">{escape(name)}</option>' for team, name in named.items())
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">'
            for name in ("state", "scope", "redirect_uri")
        )
        asked = "".join(f"<li>{escape(scope)}</li>" for scope in query.get("scope", "").split(","))
        return (
            '<!doctype html><html lang="en"><link rel="icon" href="data:,">'
            "<title>Simulated Slack</title><h1>Threadline asks for access</h1>"
            f'<ul>{asked}</ul><form method="post">{kept}'
            f'<label>Workspace <select name="team">{options}</select></label> '
            '<button name="choice" value="allow">Allow</button> '
            '<button name="choice" value="deny">Deny</button></form></html>'
        )
