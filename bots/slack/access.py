"""What Slack knows the app by, and the client that calls it. What listens, and posts, is `side`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bots.bounded import BoundedResponse
from bots.slack.install import OAuth
from core.connections import Connector

# One session, so one connection for many calls; its time-out is the one that counts.
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


@dataclass(frozen=True, slots=True)
class Access:
    """What Slack knows the app by. Socket Mode has an `app_token`, signed HTTP a `signing_secret`.

    With neither nothing is listened to: there is only posting. An app of one workspace has a `bot_token`; one
    that any workspace can install has `oauth` instead.
    """

    bot_token: str | None
    app_token: str | None
    signing_secret: str | None
    api_url: str
    proxy: str | None = None
    oauth: OAuth | None = None

    @property
    def listens(self) -> bool:
        """Tell whether Slack has a way to reach us."""
        return self.app_token is not None or self.signing_secret is not None


@asynccontextmanager
async def web_client(
    token: str | None, api_url: str, proxy: str | None = None
) -> AsyncIterator[AsyncWebClient]:
    """Give a client over one session. It retries nothing: a dropped post might be posted twice."""
    async with aiohttp.ClientSession(
        connector=Connector(),
        timeout=_TIMEOUT,
        response_class=BoundedResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
        client.proxy = proxy  # given none, slack_sdk would look one up in the environment by itself
        yield client
