"""*Stop*, below a message that says that a question waits: its presser's questions there are let go."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, MarkdownTextObject, SectionBlock

from bots import texts
from bots.errands import Errands
from bots.slack.inbound import SLACK, inner, is_ts, text_of, workspace_of
from bots.slack.responding import Responding
from core.errors import ThreadlineError
from core.model import AuthorId, ThreadKey
from core.services.stopping import Stopping

log = structlog.get_logger(__name__)

#: The id of the button's action.
STOP = "threadline_stop"


def with_stop(words: str) -> list[dict[str, Any]]:
    """Return blocks that say something, with the button below. It has no value: where it stands is enough."""
    said = SectionBlock(text=MarkdownTextObject(text=words))
    button = ActionsBlock(elements=[ButtonElement(text=texts.STOP_BUTTON, action_id=STOP)])
    return [said.to_dict(), button.to_dict()]


def pressed(body: Mapping[str, Any]) -> tuple[ThreadKey, AuthorId] | None:
    """Return the thread a button was pressed in, and by whom, as Slack itself tells; None where it does not.

    Nothing of it comes from the button, so none can lead into another thread.
    """
    user, container, message = (inner(body, name) for name in ("user", "container", "message"))
    thread = text_of(message, "thread_ts") or text_of(container, "thread_ts") or text_of(message, "ts")
    workspace, channel, who = workspace_of(body), text_of(container, "channel_id"), text_of(user, "id")
    if not (workspace and channel and who and is_ts(thread)):
        return None
    return ThreadKey(SLACK, workspace, channel, thread), AuthorId(who)


class StopButton:
    """Answers the button."""

    def __init__(self, stopping: Stopping, errands: Errands, respond: Responding) -> None:
        self._stopping = stopping
        self._errands = errands
        self._respond = respond

    async def on_press(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Acknowledge at once; then stop, and tell the presser alone what was stopped."""
        await ack()
        where = pressed(body)
        if where is not None:
            self._errands.run(self._stop(*where, text_of(body, "response_url")))

    async def _stop(self, thread: ThreadKey, who: AuthorId, url: str) -> None:
        try:
            said = texts.stopped(await self._stopping.stop(thread, who))
        except ThreadlineError as error:
            log.warning("not stopped", error=type(error).__name__, said=str(error))
            said = texts.command_failed(str(error))
        await self._respond(url, text=said, replace_original=False, thread_ts=thread.thread)
