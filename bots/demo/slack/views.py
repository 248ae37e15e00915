"""The Web API's modal methods. A trigger_id opens one view within 3 seconds, as on Slack."""

from dataclasses import replace

from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.blocks import check_view
from bots.demo.slack.records import Json, View
from bots.demo.slack.state import WorkspaceState
from bots.demo.slack.wire import view_json

TRIGGER_LASTS = 3.0


def open_view(state: WorkspaceState, arguments: Arguments) -> Json:
    """Open a modal for the user whose deed the trigger_id stands for."""
    trigger = arguments.required("trigger_id", "interactivity_pointer")
    if trigger not in state.triggers:
        raise Refused("invalid_trigger_id")
    user, since = state.triggers[trigger]
    if not user:
        raise Refused("exchanged_trigger_id")
    if state.clock.monotonic() - since > TRIGGER_LASTS:
        raise Refused("expired_trigger_id")
    body = check_view(arguments.structure("view", "invalid_arguments"))
    state.triggers[trigger] = ("", since)
    return _shown(state, View(state.new_id("V"), user, body, state.new_id("h")))


def update_view(state: WorkspaceState, arguments: Arguments) -> Json:
    """Change a modal that is open."""
    view = _named(state, arguments)
    if arguments.text("hash") and arguments.text("hash") != view.hash:
        raise Refused("hash_conflict")
    body = check_view(arguments.structure("view", "invalid_arguments"))
    return _shown(state, replace(view, body=body, hash=state.new_id("h")))


def publish_view(state: WorkspaceState, arguments: Arguments) -> Json:
    """Set the Home tab of one user."""
    user = arguments.required("user_id")
    if user not in state.users:
        raise Refused("user_not_found")
    body = check_view(arguments.structure("view", "invalid_arguments"))
    return _shown(state, View(f"VHOME{user}", user, body, state.new_id("h"), is_open=False))


def _named(state: WorkspaceState, arguments: Arguments) -> View:
    if view_id := arguments.text("view_id"):
        found = state.views.get(view_id)
    else:
        external = arguments.required("external_id", "view_id")
        named = (view for view in state.views.values() if view.body.get("external_id") == external)
        found = next(named, None)
    if found is None or not found.is_open:
        raise Refused("not_found")
    return found


def _shown(state: WorkspaceState, view: View) -> Json:
    state.views[view.id] = view
    state.changes.happened()
    return {"ok": True, "view": view_json(view, state.team, state.app_id, state.bot_id)}
