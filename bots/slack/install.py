"""Installing the app by OAuth: Bolt's own flow, over what we keep of installations. It draws no pages."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bots.slack import pages
from bots.slack.calls import translated
from bots.slack.inbound import SLACK
from bots.slack.workspaces import Workspaces
from core.errors import Permanent, PostRefused, ThreadlineError
from core.model import AuthorId, Installation, WorkspaceId
from core.services.installing import STATE_HOLDS, Installing

log = structlog.get_logger(__name__)

INSTALL = "/slack/install"
#: Where Slack sends the browser back to; it is in the manifest, with our address before it.
REDIRECT = "/slack/oauth_redirect"
#: What the app asks for: the bot's scopes of the manifests.
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:history",
    "mpim:read",
    "users:read",
)
# The prefix has browsers take it from this very host, and over https (RFC 6265bis, 4.1.3.2).
_COOKIE = "__Host-threadline-install"
_LONG_AGO = datetime.fromtimestamp(0, UTC)  # `Installing` says when it was


@dataclass(frozen=True, slots=True)
class OAuth:
    """What Slack knows an app by that anybody may install; `public_url` is where browsers reach us."""

    client_id: str
    client_secret: str = field(repr=False)
    public_url: str


def flow(
    client: AsyncWebClient, oauth: OAuth, installing: Installing, workspaces: Workspaces
) -> AsyncOAuthFlow:
    """Return Bolt's flow over what we keep, with our pages. Slack's address is the client's."""
    settings = AsyncOAuthSettings(
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        scopes=SCOPES,
        user_scopes=[],
        redirect_uri=oauth.public_url.rstrip("/") + REDIRECT,
        install_path=INSTALL,
        redirect_uri_path=REDIRECT,
        authorization_url=client.base_url.removesuffix("api/") + "oauth/v2/authorize",
        installation_store=_InstallationStore(installing, workspaces),
        state_store=_StateStore(installing),
        state_cookie_name=_COOKIE,
        state_expiration_seconds=int(STATE_HOLDS.total_seconds()),
        callback_options=AsyncCallbackOptions(_succeeded, _failed),
    )
    translating = _Translating(base_url=client.base_url, session=client.session, retry_handlers=[])
    translating.proxy = client.proxy
    return _Flow(client=translating, settings=settings)


def routes(flow: AsyncOAuthFlow) -> list[Route]:
    """Return the two routes that a browser calls."""

    def through(step: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                done = await step(to_async_bolt_request(request, b""))
            except ThreadlineError as error:
                log.warning("not installed", error=type(error).__name__, said=str(error))
                done = _refused(error, flow.settings)
            return to_starlette_response(done)

        return endpoint

    return [
        Route(flow.install_path, through(flow.handle_installation), methods=["GET"]),
        Route(flow.redirect_uri_path, through(flow.handle_callback), methods=["GET"]),
    ]


class _Flow(AsyncOAuthFlow):
    """Bolt's, with our page, and an address for Slack that holds nothing of who calls ours."""

    async def build_authorize_url(self, state: str, request: AsyncBoltRequest) -> str:  # noqa: ARG002 Bolt's
        return self.settings.authorize_url_generator.generate(state)

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:  # noqa: ARG002 Bolt's
        return pages.install_page(url)

    async def append_set_cookie_headers(
        self,
        headers: dict[str, Any],  # noqa: ARG002 Bolt's; ours say more
        set_cookie_value: str | None,
    ) -> dict[str, Any]:
        return {**pages.HEADERS, "Set-Cookie": [set_cookie_value]}


class _Translating(AsyncWebClient):
    """slack_sdk's, with errors of core.errors: Bolt would log a refused code, and know no other trouble."""

    async def api_call(
        self, api_method: str, *, auth: Mapping[str, str] | None = None, **more: Any
    ) -> AsyncSlackResponse:
        """Make a call. Raises errors of core.errors."""
        if auth is not None:  # slack_sdk would say it in a way that aiohttp gives up
            known = aiohttp.encode_basic_auth(auth["client_id"], auth["client_secret"])
            more["headers"] = {"Authorization": known}
        with translated():
            return await super().api_call(api_method, **more)


class _InstallationStore(AsyncInstallationStore):
    """Keeps what the flow brings. Who looks for an installation asks `Workspaces`."""

    def __init__(self, installing: Installing, workspaces: Workspaces) -> None:
        self._installing = installing
        self._workspaces = workspaces

    async def async_save(self, installation: SlackInstallation) -> None:
        """Keep an installation, an organisation's under its own id. Raises StoreUnavailable, PostRefused."""
        whole = installation.is_enterprise_install
        account = installation.enterprise_id if whole else installation.team_id
        name = installation.enterprise_name if whole else installation.team_name
        token, bot_id, bot_user = installation.bot_token, installation.bot_id, installation.bot_user_id
        if not (account and token and bot_id and bot_user):
            raise PostRefused("Slack gave no bot token")
        workspace = WorkspaceId(account)
        kept = Installation(
            platform=SLACK,
            workspace=workspace,
            name=name or account,
            bot_id=bot_id,
            bot_user=bot_user,
            by=AuthorId(installation.user_id),
            since=_LONG_AGO,
            organisation=installation.enterprise_id or "",
        )
        await self._installing.install(kept, token)
        self._workspaces.forget(workspace)
        log.info("installed", workspace=workspace, by=kept.by, whole_organisation=whole)


class _StateStore(AsyncOAuthStateStore):
    """States that count once; Bolt binds each to the browser by a cookie."""

    def __init__(self, installing: Installing) -> None:
        self._installing = installing

    async def async_issue(self, *_: Any, **__: Any) -> str:
        """Return a new state."""
        return self._installing.issue_state()

    async def async_consume(self, state: str) -> bool:
        """Tell whether a state still counts, and use it up. Raises StoreUnavailable."""
        return await self._installing.use_state(state)


async def _succeeded(args: AsyncSuccessArgs) -> BoltResponse:
    installed = args.installation
    name = installed.enterprise_name if installed.is_enterprise_install else installed.team_name
    team = installed.team_id or installed.enterprise_id
    page = pages.success_page(
        name or "your workspace", f"https://slack.com/app_redirect?app={installed.app_id}&team={team}"
    )
    return _page(200, page, args.settings)


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    code = pages.code_of(args.reason)
    log.info("not installed", reason=code)
    return _page(args.suggested_status_code, pages.failure_page(pages.trouble(code), INSTALL), args.settings)


def _refused(error: ThreadlineError, settings: AsyncOAuthSettings) -> BoltResponse:
    """Return what is shown for trouble that Bolt's flow knows nothing of."""
    if isinstance(error, Permanent):
        return _page(502, pages.failure_page(pages.Trouble("Not installed", f"{error}."), INSTALL), settings)
    return _page(503, pages.failure_page(pages.trouble("away"), INSTALL), settings)


def _page(status: int, page: str, settings: AsyncOAuthSettings) -> BoltResponse:
    """Return a page, and take the cookie away: what began with it is over."""
    gone = settings.state_utils.build_set_cookie_for_deletion()
    return BoltResponse(status=status, body=page, headers={**pages.HEADERS, "Set-Cookie": [gone]})
