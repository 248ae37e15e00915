"""Slack's JSON about messages that are there already → Edit, Deletion, or None. Makes no calls."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bots.slack.inbound import (
    SLACK,
    Spoken,
    inner,
    is_ts,
    spoken,
    text_of,
    to_question,
    workspace_of,
    written_at,
)
from core.model import AuthorId, ChannelKey, EventId, MessageId, Question, ThreadKey, WorkspaceId

# Too old to be taken as a question of its own.
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Edit:
    """A message reads differently now.

    `question` is what it says, as if it had been sent so, and since when; one without words where it is not
    for us any more. `offered`: Slack tells of it as a mention, so it may be a question however old it is.
    """

    question: Question
    offered: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """A message is gone; `question` is what it would have been to us, if anything."""

    at: ChannelKey
    message: MessageId
    question: Question | None


def to_amendment(body: Mapping[str, Any], *, bot_user: str) -> Edit | Deletion | None:
    """Return what became of a person's message; None for anything else, such as previews and bots' edits.

    `body` is an `event_callback` whose event is a `message` or an `app_mention`: Slack sends the latter again
    when a mention is edited (slack-go/slack#1256).
    """
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    match event.get("type"), event.get("subtype"):
        case "message", "message_changed":
            return _changed(body, event, bot_user)
        case "message", "message_deleted":
            return _deletion(body, event, text_of(event, "deleted_ts"), bot_user)
        case "app_mention", _ if event.get("edited"):
            return _edit(body, bot_user, offered=True)
    return None


def as_read(body: Mapping[str, Any], *, bot_user: str) -> Edit | Deletion | None:
    """Return what became of a message that stands in history; None where nothing has. It is no new question.

    `body` is an `event_callback` as it would have come with the message as it is now.
    """
    event = inner(body, "event")
    if event.get("subtype") == "tombstone":
        return _deletion(body, event, text_of(event, "ts"), bot_user)
    edit = _edit(body, bot_user) if event.get("edited") else None
    return None if edit is None else replace(edit, question=replace(edit.question, asked_at=_LONG_AGO))


def _changed(body: Mapping[str, Any], event: Mapping[str, Any], bot_user: str) -> Edit | Deletion | None:
    message, before = inner(event, "message"), inner(event, "previous_message")
    if message.get("subtype") == "tombstone":  # what is left of a message with replies
        return _deletion(body, event, text_of(message, "ts"), bot_user)
    if before and text_of(message, "text") == text_of(before, "text"):
        return None  # a preview was fetched, or a reply shown in the channel: nobody has written anything
    return _edit(_as_sent(body, event, message), bot_user)


def _edit(body: Mapping[str, Any], bot_user: str, *, offered: bool = False) -> Edit | None:
    """Return the edit of a message in the envelope in which it would have come by itself."""
    said = spoken(body, bot_user=bot_user)
    if said is None:
        return None
    question = to_question(body, bot_user=bot_user) or _withdrawn(said)
    return Edit(replace(question, edited_at=said.edited_at or written_at(said.ts)), offered)


def _withdrawn(said: Spoken) -> Question:
    """Return a message that addresses us no more: what was to be asked is not, and nothing new is."""
    return Question(
        event=EventId(said.event),
        message=MessageId(said.ts),
        thread=ThreadKey(SLACK, WorkspaceId(said.team), said.channel, said.thread),
        author=AuthorId(said.author),
        text="",
        asked_at=_LONG_AGO,
        addressed=False,
    )


def _deletion(body: Mapping[str, Any], event: Mapping[str, Any], ts: str, bot_user: str) -> Deletion | None:
    team, channel, before = (
        workspace_of(body),
        text_of(event, "channel"),
        inner(event, "previous_message"),
    )
    if not (team and channel and is_ts(ts)) or before.get("bot_id") or before.get("user") == bot_user:
        return None
    question = to_question(_as_sent(body, event, {**before, "ts": ts}), bot_user=bot_user)
    return Deletion(ChannelKey(SLACK, WorkspaceId(team), channel), MessageId(ts), question)


def _as_sent(
    body: Mapping[str, Any], event: Mapping[str, Any], message: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the envelope in which the message would have come by itself."""
    where = {name: event.get(name) for name in ("type", "channel", "channel_type")}
    return {**body, "event": {**message, **where}}
