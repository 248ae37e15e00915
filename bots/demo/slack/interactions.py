"""Builds what people's clicks send, and reads how the app acknowledged them. Nothing is sent here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bots.demo.slack.courier import Interaction
from bots.demo.slack.records import Json, Note, Reply, View
from bots.demo.slack.state import WorkspaceState


def basics(state: WorkspaceState, kind: str, user: str, channel: str = "") -> Json:
    """Return what every interactivity payload starts with."""
    person = state.users[user]
    where = state.channels.get(channel)
    body: Json = {
        "type": kind,
        "token": "verification-token",
        "team": {"id": state.team, "domain": state.name.lower()},
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": state.team},
        "enterprise": {"id": state.enterprise, "name": state.enterprise} if state.enterprise else None,
        "is_enterprise_install": state.is_enterprise_install,
        "trigger_id": state.new_trigger(user),
    }
    return body if where is None else body | {"channel": {"id": where.id, "name": where.name}}


def acknowledge(state: WorkspaceState, interaction: Interaction) -> None:
    """Show what the acknowledgement itself said, as Slack does for slash commands."""
    if interaction.status == 200 and interaction.body.get("text"):
        show(state, interaction, interaction.body)


def show(state: WorkspaceState, interaction: Interaction, body: Json) -> Reply:
    """Remember an answer to an interaction; one that is not for the channel is shown to the user only."""
    in_channel = body.get("response_type") == "in_channel"
    reply = Reply(str(body.get("text") or ""), dict(body), in_channel)
    interaction.replies.append(reply)
    if not in_channel and not body.get("delete_original"):
        thread_ts = str(body.get("thread_ts") or interaction.thread_ts)
        blocks = tuple(body.get("blocks") or ())
        note = Note(interaction.channel, interaction.user, reply.text, blocks, thread_ts, state.new_ts())
        state.add_note(note)
    state.changes.happened()
    return reply


def view_values(view: View, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Json]:
    """Return the view's state; plain strings are drawn as the element of that action_id draws them."""
    kinds = {
        element["action_id"]: element["type"] for element in _elements(view.body) if "action_id" in element
    }
    return {
        block: {
            action: _state(kinds.get(action, "plain_text_input"), value) for action, value in actions.items()
        }
        for block, actions in values.items()
    }


def _elements(body: Json) -> Iterator[Json]:
    for block in body.get("blocks", ()):
        yield from (block[name] for name in ("element", "accessory") if isinstance(block.get(name), dict))
        yield from block.get("elements", ())


def _state(kind: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match kind:
        case "static_select" | "external_select" | "radio_buttons":
            option = {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}
            return {"type": kind, "selected_option": option}
        case "conversations_select":
            return {"type": kind, "selected_conversation": value}
        case "channels_select":
            return {"type": kind, "selected_channel": value}
        case "users_select":
            return {"type": kind, "selected_user": value}
        case _:
            return {"type": kind, "value": value}


def close_or_change(state: WorkspaceState, view: View, answer: Json) -> None:
    """Do what the app asked for in answer to a submission: show errors, update, push, or close."""
    match answer.get("response_action"):
        case "errors":
            return
        case "update":
            state.views[view.id] = replace(view, body=answer["view"], hash=state.new_id("h"))
        case "push":
            pushed = View(state.new_id("V"), view.user, answer["view"], state.new_id("h"))
            state.views[pushed.id] = pushed
        case _:
            state.views[view.id] = replace(view, is_open=False)
    state.changes.happened()
