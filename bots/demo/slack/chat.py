"""The Web API's chat and reactions methods: what the app says. Reading is in reading.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots.demo.slack.access import conversation, own_message, require, writable
from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.blocks import MOST_MARKDOWN, check_blocks
from bots.demo.slack.records import Json, Message, Note
from bots.demo.slack.workspace import SlackWorkspace

MOST_TEXT = 40_000
MOST_UPDATE = 4_000


def post_message(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Post a message; a reply takes away the status of its thread."""
    require(workspace, "chat:write")
    channel = writable(workspace, arguments.text("channel"))
    text, blocks = _content(arguments, MOST_TEXT)
    thread_ts = _thread(workspace, channel, arguments.text("thread_ts"))
    message = post(workspace, channel, text, blocks, thread_ts, metadata=_metadata(arguments))
    return {"ok": True, "channel": channel, "ts": message.ts, "message": workspace.draw(message)}


def post(
    workspace: SlackWorkspace,
    channel: str,
    text: str,
    blocks: tuple[Json, ...],
    thread_ts: str,
    *,
    metadata: Json | None = None,
) -> Message:
    """Store something the app says, note whom it pings, and emit its event."""
    message = Message(
        channel=channel,
        ts=workspace.new_ts(),
        user=workspace.bot_user,
        text=text,
        blocks=blocks,
        metadata=metadata,
        thread_ts=thread_ts,
        bot_id=workspace.bot_id,
        app_id=workspace.app_id,
    )
    workspace.note_pings(message)
    if thread_ts and workspace.status(channel, thread_ts):
        workspace.set_status(channel, thread_ts, "")
    workspace.keep(message)
    workspace.publish_message(message)
    return message


def post_ephemeral(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Show one user something only they see."""
    require(workspace, "chat:write")
    channel = writable(workspace, arguments.text("channel"))
    user = arguments.required("user")
    if user not in workspace.channels[channel].members:
        raise Refused("user_not_in_channel")
    text, blocks = _content(arguments, MOST_TEXT)
    note = Note(channel, user, text, blocks, arguments.text("thread_ts"), workspace.new_ts())
    workspace.add_note(note)
    return {"ok": True, "message_ts": note.ts}


def update(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Change something the app said."""
    require(workspace, "chat:write")
    message = own_message(workspace, arguments, refusal="cant_update_message")
    if workspace.channels[message.channel].is_archived:
        raise Refused("is_archived")
    text, blocks = _content(arguments, MOST_UPDATE)
    metadata = _metadata(arguments) or message.metadata
    changed = workspace.change(replace(message, text=text, blocks=blocks, metadata=metadata))
    workspace.note_pings(changed)
    drawn = workspace.draw(changed)
    return {"ok": True, "channel": changed.channel, "ts": changed.ts, "text": text, "message": drawn}


def delete(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Take back something the app said."""
    require(workspace, "chat:write")
    message = own_message(workspace, arguments, refusal="cant_delete_message")
    workspace.remove(message)
    return {"ok": True, "channel": message.channel, "ts": message.ts}


def add_reaction(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Put an emoji on a message."""
    message, reaction = _reaction(workspace, arguments)
    if reaction in message.reactions:
        raise Refused("already_reacted")
    workspace.keep(replace(message, reactions=(*message.reactions, reaction)))
    return {"ok": True}


def remove_reaction(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Take an emoji of the bot's off a message."""
    message, reaction = _reaction(workspace, arguments)
    if reaction not in message.reactions:
        raise Refused("no_reaction")
    workspace.keep(replace(message, reactions=tuple(r for r in message.reactions if r != reaction)))
    return {"ok": True}


def set_status(workspace: SlackWorkspace, arguments: Arguments) -> Json:
    """Show what the app is doing under a thread; clears itself after two minutes."""
    require(workspace, "chat:write", "assistant:write")
    channel = conversation(workspace, arguments.required("channel_id"))
    ts = arguments.required("thread_ts")
    if workspace.bot_user not in workspace.channels[channel].members:
        raise Refused("not_in_channel")
    if workspace.message(channel, ts) is None:
        raise Refused("invalid_thread_ts")
    if len(arguments.structure("loading_messages", "invalid_arguments") or ()) > 10:
        raise Refused("invalid_arguments", messages=("no more than 10 loading_messages",))
    workspace.set_status(channel, ts, arguments.text("status"))
    return {"ok": True}


def _reaction(workspace: SlackWorkspace, arguments: Arguments) -> tuple[Message, tuple[str, str]]:
    require(workspace, "reactions:write")
    channel = conversation(workspace, arguments.text("channel"))
    if not (name := arguments.text("name").strip(":")):
        raise Refused("invalid_name")
    message = workspace.message(channel, arguments.text("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return message, (name, workspace.bot_user)


def _content(arguments: Arguments, most: int) -> tuple[str, tuple[Json, ...]]:
    text, markdown = arguments.text("text"), arguments.text("markdown_text")
    blocks = arguments.structure("blocks", "invalid_blocks_format")
    if markdown and (text or blocks):
        raise Refused("markdown_text_conflict")
    if len(text) > most or len(markdown) > MOST_MARKDOWN:
        raise Refused("msg_too_long")
    checked = check_blocks(blocks) if blocks is not None else ()
    if not (text.strip() or markdown.strip() or checked):
        raise Refused("no_text")
    return text or markdown, checked


def _metadata(arguments: Arguments) -> Json | None:
    metadata: Any = arguments.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not metadata["event_type"]:
        raise Refused("invalid_metadata_format")
    return dict(metadata)


def _thread(workspace: SlackWorkspace, channel: str, thread_ts: str) -> str:
    if not thread_ts:
        return ""
    root = workspace.message(channel, thread_ts)
    if root is None:
        raise Refused("thread_not_found")
    if root.thread_ts:
        raise Refused("cannot_reply_to_message")
    return thread_ts
