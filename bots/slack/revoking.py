"""Gives a workspace's token back to Slack, which takes the app out there then. It deletes nothing of ours."""

from bots.slack.access import web_client
from bots.slack.calls import translated


async def revoke(token: str, api_url: str, proxy: str | None) -> None:
    """Have Slack revoke a bot's token; with its last one the app is uninstalled, and Slack says so as ever.

    Raises errors of core.errors. (docs.slack.dev/reference/methods/auth.revoke)
    """
    async with web_client(token, api_url, proxy) as client:
        with translated():
            await client.auth_revoke()
