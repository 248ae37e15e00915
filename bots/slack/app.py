"""The listeners, registered. Events are only committed; commands and clicks are acknowledged first."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bots import texts
from bots.slack.accounts import ACCOUNT, AccountForm
from bots.slack.commands import Commands
from bots.slack.inbound import inner, organisation_of, text_of, workspace_of
from bots.slack.leaving import Leaving
from bots.slack.listening import Listening
from bots.slack.shortcut import ASK_ABOUT, AskAbout
from bots.slack.stop_button import STOP, StopButton
from bots.slack.workspaces import Workspace, Workspaces
from core.errors import StoreUnavailable

log = structlog.get_logger(__name__)

# What Slack asks of an address, and tells of a workspace after it has taken our token away.
_OF_NOBODY = frozenset({"url_verification", "ssl_check"})
_AFTERWARDS = frozenset({"app_uninstalled", "tokens_revoked", "team_access_revoked"})


def build(
    client: AsyncWebClient,
    workspaces: Workspaces,
    *,
    flow: AsyncOAuthFlow | None,
    listening: Listening,
    leaving: Leaving,
    commands: Commands,
    accounts: AccountForm,
    ask_about: AskAbout,
    stop_button: StopButton,
    missed: Callable[[], None],
) -> AsyncApp:
    """Return the Bolt app, the same for Socket Mode and signed HTTP, for one workspace and for many.

    Slack is told "received" only after a listener has returned (`process_before_response`), so after the
    commit; where that fails Slack gets no acknowledgement, and sends the event again. `client` has no token:
    each request gets the one of its workspace.
    """
    app = AsyncApp(
        name="threadline",  # else Bolt reads the source of everything on the stack, to guess one
        client=client,
        before_authorize=Admission(workspaces, missed),
        authorize=_Here(),
        oauth_flow=flow,
        request_verification_enabled=False,  # `http` has verified what comes by HTTP before Bolt reads it
        process_before_response=True,
        # No listener takes what these would prepare, for each event.
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    app.event("app_mention")(listening.on_message)
    app.event("message")(listening.on_message)
    app.event("app_uninstalled")(leaving.on_uninstalled)
    app.event("tokens_revoked")(leaving.on_uninstalled)
    app.event("team_access_revoked")(leaving.on_shut_out)
    app.event(re.compile(".*"))(listening.on_other_event)
    app.command("/threadline")(commands.on_command)
    app.shortcut(ASK_ABOUT)(ask_about.on_shortcut)
    app.view(ASK_ABOUT)(ask_about.on_submit)
    app.view(ACCOUNT)(accounts.on_submit)
    app.action(STOP)(stop_button.on_press)
    return app


class Admission(AsyncMiddleware):
    """Finds the workspace of a request, for listeners to take as `here`; where none has us, it ends there."""

    def __init__(self, workspaces: Workspaces, missed: Callable[[], None]) -> None:
        """`missed` is called where the database is away: Slack sends an event again for some minutes only."""
        self._workspaces = workspaces
        self._missed = missed

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 Bolt's signature
        next: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse:
        """Go on with what comes from a workspace that has us, and with what needs none."""
        event = text_of(inner(req.body, "event"), "type")
        if text_of(req.body, "type") in _OF_NOBODY or event in _AFTERWARDS:
            return await next()
        workspace = workspace_of(req.body)
        try:
            here = await self._workspaces.find(workspace, organisation_of(req.body))
        except StoreUnavailable:
            self._missed()
            raise
        if here is None:
            log.warning("not installed there: ignored", workspace=workspace, kind=event)
            said = texts.NOT_INSTALLED if text_of(req.body, "command") else ""
            return BoltResponse(status=200, body=said)
        req.context["here"] = here
        return await next()


class _Here(AsyncAuthorize):
    """Gives Bolt the token of the workspace that was admitted: it asks `auth.test` of nobody."""

    def __init__(self) -> None:
        """Need nothing more."""

    async def __call__(self, *, context: AsyncBoltContext, **_: Any) -> AuthorizeResult:
        here: Workspace = context["here"]
        return here.identity.authorization(here.client.token or "")
