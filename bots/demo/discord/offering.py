"""Finds a registered command as a user sees it offered, and fills in its options. It sends nothing."""

from collections.abc import Mapping
from typing import Any

from bots.demo.discord.asking import resolved
from bots.demo.discord.records import Json
from bots.demo.discord.state import DiscordState

SLASH, MESSAGE_MENU = 1, 3
_SUBCOMMAND, _GROUP = 1, 2
_RESOLVED = frozenset({6, 7, 8, 9})
_BY_PYTHON: dict[type, int] = {bool: 5, int: 4, float: 10}


def offered(state: DiscordState, user: str, channel: str, name: str, kind: int = SLASH) -> Json:
    """Return a command the user may run here; LookupError if Discord would not offer it to them.

    As long as the app has registered nothing at all, any name goes: not every test is about commands.
    """
    if not state.commands:
        return {"id": state.snowflakes.new(), "name": name, "type": kind}
    for command in state.commands:
        if command["name"] == name and command["type"] == kind:
            _check_offer(state, user, channel, command)
            return command
    raise LookupError(f"no command {name!r} is registered")


def _check_offer(state: DiscordState, user: str, channel: str, command: Json) -> None:
    place = state.channels[channel]
    contexts = command.get("contexts")
    if contexts is not None and (0 if place.guild else 1) not in contexts:
        raise LookupError(f"{command['name']!r} is not offered in {'a server' if place.guild else 'private'}")
    needed = command.get("default_member_permissions")
    if place.guild and needed is not None:
        needed_bits = int(needed)
        if needed_bits == 0 or state.permissions(channel, user) & needed_bits != needed_bits:
            raise LookupError(f"{command['name']!r} is not offered to {state.users[user].name}")


def command_data(
    state: DiscordState,
    user: str,
    channel: str,
    name: str,
    given: Mapping[str, Any],
    *,
    focused: str = "",
) -> Json:
    """Return the `data` of a slash command ("ask", or "threadline link"), its options in Discord's shapes.

    `focused` is the option being typed. Raises LookupError or ValueError for what Discord's own client
    would not let the user send.
    """
    top, *below = name.split()
    command = offered(state, user, channel, top)
    parts: list[Json] = [command]
    for step in below:
        parts.append(_part(state, parts[-1], step))
    defined = parts[-1].get("options") if state.commands else None
    found: Json = {}
    options = [_option(_defined(defined, key), key, value) for key, value in given.items()]
    for option in options:
        if option["type"] in _RESOLVED:
            for key, things in resolved(state, channel, option["type"], option["value"]).items():
                found.setdefault(key, {}).update(things)
        if option["name"] == focused:
            option["focused"] = True
    if not focused:
        _check_required(defined or [], given)
    for part in reversed(parts[1:]):
        options = [{"name": part["name"], "type": part["type"], "options": options}]
    data = {"id": command["id"], "name": top, "type": SLASH}
    return data | ({"options": options} if options else {}) | ({"resolved": found} if found else {})


def _part(state: DiscordState, above: Json, step: str) -> Json:
    if not state.commands:
        return {"name": step, "type": _SUBCOMMAND}
    for option in above.get("options") or ():
        if option["name"] == step and option["type"] in {_SUBCOMMAND, _GROUP}:
            return dict(option)
    raise LookupError(f"{above['name']!r} has no part {step!r}")


def _defined(options: list[Json] | None, name: str) -> Json | None:
    if options is None:
        return None
    for option in options:
        if option["name"] == name:
            return option
    raise LookupError(f"no option {name!r} is registered")


def _option(defined: Json | None, name: str, value: Any) -> Json:
    if defined is None:
        return {"name": name, "type": _BY_PYTHON.get(type(value), 3), "value": value}
    _check_value(defined, value)
    return {"name": name, "type": defined["type"], "value": value}


def _check_value(defined: Json, value: Any) -> None:
    choices = [choice["value"] for choice in defined.get("choices") or ()]
    if choices and value not in choices:
        raise ValueError(f"{defined['name']!r} must be one of {choices}")
    if isinstance(value, str) and defined["type"] == 3:
        least, most = defined.get("min_length", 0), defined.get("max_length", 6000)
        if not least <= len(value) <= most:
            raise ValueError(f"{defined['name']!r} takes {least} to {most} characters, not {len(value)}")


def _check_required(defined: list[Json], given: Mapping[str, Any]) -> None:
    missing = [option["name"] for option in defined if option.get("required") and option["name"] not in given]
    if missing:
        raise ValueError(f"required options are missing: {missing}")
