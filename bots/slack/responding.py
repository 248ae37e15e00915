"""What one person alone is told after a command or a click, by the address it came with. Retries nothing."""

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack.calls import translated

log = structlog.get_logger(__name__)


class Responding:
    """Replies over the client's session: Bolt's own `respond` opens one each time, and tries again."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def __call__(self, url: str, **said: object) -> None:
        """Show words to who did something, and to nobody else. Raises errors of core.errors.

        `url` is the interaction's `response_url`, `said` what a message has
        (docs.slack.dev/interactivity/handling-user-interaction).
        """
        webhook = AsyncWebhookClient(url, session=self._client.session, retry_handlers=[])
        webhook.proxy = self._client.proxy  # given none, slack_sdk would look one up in the environment
        with translated():
            reply = await webhook.send_dict({**said, "response_type": "ephemeral"})
        if reply.status_code != 200:
            log.warning("reply not shown", status=reply.status_code)
