"""*Ask about this message*: a message's menu opens a form, and the answer comes in that message's thread.

Slash commands do not work in Slack's threads; this does.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bots import texts
from bots.errands import Errands
from bots.slack.calls import Forbidden, translated
from bots.slack.channels import is_shared
from bots.slack.inbound import SLACK, workspace_of
from bots.slack.markup import escaped
from bots.slack.mrkdwn import plain
from bots.slack.workspaces import Workspace
from core.clock import Clock
from core.errors import PostRefused, ThreadlineError
from core.model import AuthorId, EventId, MessageId, Outcome, Question, Reason, ThreadKey
from core.services.asking import Asking

log = structlog.get_logger(__name__)

#: The id of the shortcut in the manifest, and of the form it opens.
ASK_ABOUT = "ask_about_message"
_FIELD = "question"
# A form remembers at most 3,000 characters (docs.slack.dev/reference/views, private_metadata).
_REMEMBERED = 2_500
# What opens a form expires after three seconds.
_SOON = 1.5


class AskAbout:
    """The shortcut and its form."""

    def __init__(self, asking: Asking, errands: Errands, clock: Clock) -> None:
        self._asking = asking
        self._errands = errands
        self._clock = clock

    async def on_shortcut(self, ack: AsyncAck, shortcut: Mapping[str, Any], here: Workspace) -> None:
        """Acknowledge, then open the form."""
        await ack()
        self._errands.run(self._open(shortcut, here))

    async def on_submit(
        self, ack: AsyncAck, view: Mapping[str, Any], body: Mapping[str, Any], here: Workspace
    ) -> None:
        """Commit the question, close the form, then show in the thread who asked what."""
        about = json.loads(view["private_metadata"])
        asked = (view["state"]["values"][_FIELD][_FIELD].get("value") or "").strip() or texts.ASK_DEFAULT
        thread = ThreadKey(SLACK, workspace_of(body), about["channel"], about["thread"])
        who = AuthorId(body["user"]["id"])
        outcome = await self._asking.accept(
            Question(
                event=EventId(view["id"]),
                message=MessageId(view["id"]),
                thread=thread,
                author=who,
                text=texts.about_message(asked, about["text"]),
                asked_at=self._clock.wall(self._clock.now()),
                objection=Reason.EXTERNAL if about["shared"] else None,
            )
        )
        await ack()
        if outcome in {Outcome.ACCEPTED, Outcome.UNLINKED}:
            self._errands.run(_show(here.client, thread, who, asked))

    async def _open(self, shortcut: Mapping[str, Any], here: Workspace) -> None:
        shared = await _may_be_shared(here.client, shortcut["channel"]["id"])
        form = _form(shortcut, shared=shared, bot_user=here.identity.bot_user)
        with translated():
            await here.client.views_open(trigger_id=shortcut["trigger_id"], view=dict(form))


async def _may_be_shared(client: AsyncWebClient, channel: str) -> bool:
    """Tell whether strangers read along; where Slack does not say, and in time, they may.

    Where there is nothing for us to see (`channel_not_found`) there is nowhere to answer either: its
    asker will be told directly.
    """
    try:
        async with asyncio.timeout(_SOON):
            return await is_shared(client, channel)
    except Forbidden:
        return True
    except PostRefused:
        return False
    except (ThreadlineError, TimeoutError):
        return True


async def _show(client: AsyncWebClient, thread: ThreadKey, who: AuthorId, asked: str) -> None:
    words = texts.asks_about(f"<@{who}>", escaped(asked))
    with translated():
        await client.chat_postMessage(
            channel=thread.channel,
            thread_ts=thread.thread,
            text=words,
            unfurl_links=False,
            unfurl_media=False,
        )


def _form(shortcut: Mapping[str, Any], *, shared: bool, bot_user: str) -> Mapping[str, Any]:
    message = shortcut["message"]
    text = plain(message.get("text") or "", bot_user)
    about = {
        "channel": shortcut["channel"]["id"],
        "thread": message.get("thread_ts") or message["ts"],
        "text": text if len(text) <= _REMEMBERED else text[:_REMEMBERED] + " …",
        "shared": shared,
    }
    return {
        "type": "modal",
        "callback_id": ASK_ABOUT,
        "private_metadata": _fitting(about),
        "title": _plain_text(texts.ASK_TITLE),
        "submit": _plain_text(texts.ASK_SUBMIT),
        "close": _plain_text(texts.ASK_CANCEL),
        "blocks": [
            {
                "type": "input",
                "block_id": _FIELD,
                "optional": True,
                "label": _plain_text(texts.ASK_LABEL),
                "element": {
                    "type": "plain_text_input",
                    "action_id": _FIELD,
                    "multiline": True,
                    "max_length": 3000,
                    "placeholder": _plain_text(texts.ASK_DEFAULT),
                },
            }
        ],
    }


def _plain_text(text: str) -> Mapping[str, str]:
    return {"type": "plain_text", "text": text}


def _fitting(about: Mapping[str, Any]) -> str:
    """Return the form's memory as JSON; escapes may make a text longer than it was."""
    text = about["text"]
    while len(remembered := json.dumps({**about, "text": text}, ensure_ascii=False)) > 3_000:
        text = text[: len(text) * 3 // 4] + " …"
    return remembered
