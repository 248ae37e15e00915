"""Who we are in a workspace: known before its first event, so that none has to wait for it."""

from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.calls import TokenRefused, translated
from core.errors import AccountRefused
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
