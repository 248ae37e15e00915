"""Who we are in the workspace: asked once at start, so that no event has to wait for it."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.calls import TokenRefused, translated
from core.errors import AccountRefused, Permanent, Unreachable
from core.model import WorkspaceId


@dataclass(frozen=True, slots=True)
class Identity:
    """Our names in one workspace."""

    workspace: WorkspaceId
    name: str
    bot_id: str
    bot_user: str

    def authorization(self, bot_token: str) -> AuthorizeResult:
        """Return what Bolt's `authorize` gives. With a plain token Bolt would ask `auth.test` itself at the
        first events, and drop them where that fails."""
        return AuthorizeResult(
            enterprise_id=None,
            team_id=self.workspace,
            bot_id=self.bot_id,
            bot_user_id=self.bot_user,
            bot_token=bot_token,
        )


class GatedClient(AsyncWebClient):
    """slack_sdk's, which asks nothing but who we are until that is known: anything else fails at once."""

    is_known = True  #: who begins says when not

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:
        """Make a call. Raises as slack_sdk does; Unreachable where it is not tried."""
        if not self.is_known and api_method != "auth.test":
            raise Unreachable("Slack has not told us yet who we are")
        return await super().api_call(api_method, **more)


async def identify(client: AsyncWebClient) -> Identity:
    """Ask Slack who the bot token belongs to; raises errors of core.errors."""
    try:
        with translated():
            reply = await client.auth_test()
    except AccountRefused as error:
        raise TokenRefused(f"{error}: copy SLACK_BOT_TOKEN again, from Install App.") from error
    return Identity(
        workspace=WorkspaceId(reply["team_id"]),
        name=str(reply.get("team") or reply["team_id"]),
        bot_id=str(reply["bot_id"]),
        bot_user=str(reply["user_id"]),
    )


async def is_installed(client: AsyncWebClient, workspace: WorkspaceId) -> bool:
    """Tell whether Slack takes our token as this workspace's. Raises Retryable where it says neither."""
    try:
        with translated():
            reply = await client.auth_test()
    except (AccountRefused, Permanent):
        return False
    return bool(reply.get("team_id") == workspace)
