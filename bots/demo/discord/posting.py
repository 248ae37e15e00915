"""Stores what is said, edited and deleted, for people and for the bot alike. Who may is decided elsewhere."""

import mimetypes
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots.demo.discord.announcing import message_event, message_gone
from bots.demo.discord.drafts import Draft
from bots.demo.discord.mentions import Mentioned, find_mentions
from bots.demo.discord.records import Flags, Json, Message, MessageKind, Ping
from bots.demo.discord.state import DiscordState
from bots.demo.discord.threads import wake


def post(state: DiscordState, message: Message, draft: Draft) -> Message:
    """Store a new message with what the draft says, announce it, and return it.

    A reply pings who it answers unless told not to, but never the bot for an interaction's response
    (discord/discord-api-docs#5395).
    """
    mentioned = _with_replied(state, message, draft, _mentioned(state, message, draft))
    stored = state.keep(
        replace(
            message,
            content=draft.content,
            embeds=draft.embeds,
            components=draft.components,
            attachments=attachments(state, message.channel, draft.attachments, draft.files),
            flags=message.flags | draft.flags,
            nonce=draft.nonce,
            mentions=mentioned.users,
            mention_roles=mentioned.roles,
            mention_everyone=mentioned.everyone,
        )
    )
    if stored.author == state.bot_user:
        _note_pings(state, stored)
    wake(state, stored.channel)
    message_event(state, "MESSAGE_CREATE", stored)
    return stored


def blank(state: DiscordState, channel: str, author: str) -> Message:
    """Return a message that says nothing yet, with a fresh id."""
    message = state.snowflakes.new()
    return Message(id=message, channel=channel, author=author, content="", sent_at=state.clock.now())


def answering(message: Message, answered: Message) -> Message:
    """Return the message as a reply to another."""
    return replace(message, kind=MessageKind.REPLY, reply_to=answered.id, reply_channel=answered.channel)


def change(state: DiscordState, message: Message, draft: Draft, names: frozenset[str]) -> Message:
    """Store an edit of the fields named, announce it, and return the message.

    Who it mentions is found anew whenever its text is sent, by the edit's allowed_mentions: the first
    ones are forgotten, as on Discord. Edits ping nobody.
    """
    changes: dict[str, Any] = {name: getattr(draft, name) for name in names & {"embeds", "components"}}
    if "content" in names:
        mentioned = _mentioned(state, message, draft)
        changes |= {
            "content": draft.content,
            "mentions": mentioned.users,
            "mention_roles": mentioned.roles,
            "mention_everyone": mentioned.everyone,
        }
    if draft.files or "attachments" in names:
        kept = draft.attachments if "attachments" in names else message.attachments
        changes["attachments"] = attachments(state, message.channel, kept, draft.files, message.attachments)
    edited = replace(
        message,
        **changes,
        flags=(message.flags | (draft.flags & ~Flags.EPHEMERAL)) & ~Flags.LOADING,
        edited_at=state.clock.now(),
    )
    state.keep(edited)
    message_event(state, "MESSAGE_UPDATE", edited)
    return edited


def remove(state: DiscordState, message: Message) -> None:
    """Delete a message and announce it."""
    message_gone(state, message)
    state.forget(message.id)


def attachments(
    state: DiscordState,
    channel: str,
    described: tuple[Json, ...],
    files: Mapping[str, bytes],
    before: tuple[Json, ...] = (),
) -> tuple[Json, ...]:
    """Return the attachments of a message: kept ones that the body lists, then the new files."""
    listed = {str(one.get("id")): one for one in described}
    kept = [one for one in before if one["id"] in listed]
    drawn: list[Json] = []
    for number, (name, content) in enumerate(files.items()):
        attachment = state.snowflakes.new()
        url = f"https://cdn.discordapp.com/attachments/{channel}/{attachment}/{name}"
        drawn.append(
            {
                "id": attachment,
                "filename": name,
                "size": len(content),
                "url": url,
                "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"),
                "content_type": mimetypes.guess_type(name)[0] or "application/octet-stream",
            }
            | {
                key: listed[str(number)][key]
                for key in ("description",)
                if key in listed.get(str(number), {})
            }
        )
    return (*kept, *drawn)


def _mentioned(state: DiscordState, message: Message, draft: Draft) -> Mentioned:
    return find_mentions(state, message.channel, message.author, draft.content, draft.allowed)


def _with_replied(state: DiscordState, message: Message, draft: Draft, found: Mentioned) -> Mentioned:
    answered = state.message(message.reply_to) if message.kind is MessageKind.REPLY else None
    if answered is None or answered.webhook or not draft.allowed.replied_user:
        return found
    return replace(found, users=tuple(dict.fromkeys((*found.users, answered.author))))


def _note_pings(state: DiscordState, message: Message) -> None:
    everyone = ("everyone",) if message.mention_everyone else ()
    for mention in (*message.mentions, *message.mention_roles, *everyone):
        if mention != state.bot_user:
            state.pings.append(Ping(message.channel, message.id, mention))
