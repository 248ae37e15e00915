"""Draws the workspace's values as the JSON Slack sends. Pure functions; nothing is stored or sent here."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bots.demo.slack.records import Channel, Json, Kind, Message, User, View


def message_json(message: Message, team: str) -> Json:
    """Return a message as `conversations.history` and events show it, without metadata."""
    drawn: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": team,
        "subtype": message.subtype,
        "client_msg_id": message.client_msg_id,
        "thread_ts": message.thread_ts,
        "bot_id": message.bot_id,
        "app_id": message.app_id,
        "blocks": list(message.blocks),
        "files": list(message.files),
        "attachments": list(message.attachments),
        "edited": {"user": message.user, "ts": message.edited_ts} if message.edited_ts else None,
        "reactions": _reactions(message),
    }
    if message.bot_id:
        drawn["bot_profile"] = {
            "id": message.bot_id,
            "app_id": message.app_id,
            "team_id": team,
            "name": message.user,
            "deleted": False,
        }
    kept = {"type", "user", "ts", "text"}
    return {name: value for name, value in drawn.items() if value or name in kept}


def _reactions(message: Message) -> list[Json]:
    names = dict.fromkeys(name for name, _ in message.reactions)
    users = {name: [user for other, user in message.reactions if other == name] for name in names}
    return [{"name": name, "users": users[name], "count": len(users[name])} for name in names]


def root_json(root: Message, replies: Sequence[Message], team: str) -> Json:
    """Return a thread's root with its counts, as `conversations.replies` shows it first."""
    drawn = message_json(root, team)
    if replies:
        users = list(dict.fromkeys(reply.user for reply in replies))
        drawn |= {
            "thread_ts": root.ts,
            "reply_count": len(replies),
            "reply_users_count": len(users),
            "latest_reply": replies[-1].ts,
            "reply_users": users,
            "is_locked": False,
            "subscribed": False,
        }
    return drawn


def channel_json(channel: Channel, team: str, bot_user: str) -> Json:
    """Return a conversation as `conversations.info` shows it."""
    common: Json = {
        "id": channel.id,
        "created": 1_700_000_000,
        "is_channel": channel.kind is Kind.PUBLIC,
        "is_group": False,
        "is_im": channel.kind is Kind.DIRECT,
        "is_mpim": False,
        "is_private": channel.kind is not Kind.PUBLIC,
        "is_archived": channel.is_archived,
        "is_org_shared": False,
        "is_ext_shared": channel.is_shared,
        "is_shared": channel.is_shared,
        "context_team_id": team,
    }
    if channel.kind is Kind.DIRECT:
        (person,) = channel.members - {bot_user}
        return common | {"user": person, "is_open": True}
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_general": channel.name == "general",
        "is_member": bot_user in channel.members,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def user_json(user: User, team: str) -> Json:
    """Return a user as `users.info` shows them."""
    profile = {
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.display_name,
        "display_name_normalized": user.display_name,
        "team": team,
    }
    return {
        "id": user.id,
        "team_id": team,
        "name": user.name,
        "deleted": False,
        "real_name": user.real_name,
        "tz": "Europe/Amsterdam",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "profile": profile | ({"bot_id": user.bot_id, "api_app_id": user.app_id} if user.bot_id else {}),
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": False,
        "is_bot": bool(user.bot_id),
        "is_app_user": False,
        "updated": 1_700_000_000,
    }


def view_json(
    view: View,
    team: str,
    app_id: str,
    bot_id: str,
    values: Mapping[str, Json] | None = None,
    *,
    installed_in: str = "",
) -> Json:
    """Return a view as `views.open` and `view_submission` show it; `installed_in`: an organisation's id."""
    return {
        "callback_id": "",
        "private_metadata": "",
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        "external_id": "",
        **view.body,
        "id": view.id,
        "team_id": team,
        "app_id": app_id,
        "app_installed_team_id": installed_in or team,
        "bot_id": bot_id,
        "hash": view.hash,
        "root_view_id": view.id,
        "previous_view_id": None,
        "state": {"values": dict(values or {})},
    }


def event_json(
    event: Mapping[str, Any],
    *,
    event_id: str,
    event_time: int,
    team: str,
    app_id: str,
    bot_user: str,
    is_shared: bool,
    enterprise: str = "",
    is_enterprise_install: bool = False,
) -> Json:
    """Return the `event_callback` envelope of an event."""
    context = json.dumps({"et": event["type"], "tid": team, "aid": app_id, "cid": event.get("channel", "")})
    authorization = {
        "enterprise_id": enterprise or None,
        "team_id": team,
        "user_id": bot_user,
        "is_bot": True,
        "is_enterprise_install": is_enterprise_install,
    }
    return {
        "token": "verification-token",
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": app_id,
        "event": dict(event),
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
        "authorizations": [authorization],
        "is_ext_shared_channel": is_shared,
        "event_context": f"4-{context.encode().hex()}",
    }
