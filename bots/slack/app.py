"""The listeners, registered. Events are only committed; commands and clicks are acknowledged first."""

import re

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.commands import Commands
from bots.slack.identity import Identity
from bots.slack.listening import Listening
from bots.slack.shortcut import ASK_ABOUT, AskAbout
from bots.slack.stop_button import STOP, StopButton


def build(
    client: AsyncWebClient,
    identity: Identity,
    *,
    bot_token: str,
    signing_secret: str | None,
    listening: Listening,
    commands: Commands,
    ask_about: AskAbout,
    stop_button: StopButton,
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

    app.event("app_mention")(listening.on_message)
    app.event("message")(listening.on_message)
    app.event("app_uninstalled")(listening.on_uninstalled)
    app.event("tokens_revoked")(listening.on_uninstalled)
    app.event(re.compile(".*"))(listening.on_other_event)
    app.command("/threadline")(commands.on_command)
    app.shortcut(ASK_ABOUT)(ask_about.on_shortcut)
    app.view(ASK_ABOUT)(ask_about.on_submit)
    app.action(STOP)(stop_button.on_press)
    return app
