"""What Slack knows of a channel: events tell whether strangers read along, history and clicks do not."""

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.calls import translated


async def is_shared(client: AsyncWebClient, channel: str) -> bool:
    """Tell whether people of another organisation read along; raises errors of core.errors."""
    with translated():
        reply = await client.conversations_info(channel=channel)
    return bool(reply["channel"].get("is_ext_shared"))
