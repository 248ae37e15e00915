"""The listeners. Events are only committed; commands and clicks are acknowledged first. Nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.commands import Commands
from bots.slack.identity import Identity
from bots.slack.inbound import to_question
from bots.slack.shortcut import ASK_ABOUT, AskAbout
from core.services.asking import Asking

log = structlog.get_logger(__name__)


def build(
    client: AsyncWebClient,
    identity: Identity,
    *,
    bot_token: str,
    signing_secret: str | None,
    asking: Asking,
    commands: Commands,
    ask_about: AskAbout,
) -> AsyncApp:
    """Return the Bolt app, the same for Socket Mode and signed HTTP.

    Slack is told "received" only after a listener has returned (`process_before_response`), so after the
    commit; where that fails Slack gets no acknowledgement, and sends the event again.
    """

    async def authorize() -> AuthorizeResult:
        return identity.authorization(bot_token)

    app = AsyncApp(
        client=client,
        authorize=authorize,
        signing_secret=signing_secret or "",
        request_verification_enabled=signing_secret is not None,
        process_before_response=True,
    )

    async def on_message(body: Mapping[str, Any]) -> None:
        question = to_question(body, bot_user=identity.bot_user)
        if question is not None:
            outcome = await asking.accept(question)
            log.info("question offered", outcome=outcome.value, event_id=question.event)

    async def on_other_event() -> None:
        """Acknowledge what we subscribe to no longer, or not yet: Slack would only send it again."""

    app.event("app_mention")(on_message)
    app.event("message")(on_message)
    app.event(re.compile(".*"))(on_other_event)
    app.command("/threadline")(commands.on_command)
    app.shortcut(ASK_ABOUT)(ask_about.on_shortcut)
    app.view(ASK_ABOUT)(ask_about.on_submit)
    return app
