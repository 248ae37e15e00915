"""Judges the application's commands as Discord does when they are registered, and fills in its defaults.

Rules: discord.com/developers/docs/interactions/application-commands.
"""

import re
from collections import Counter
from typing import Any

from bots.demo.discord.records import Json
from bots.demo.discord.refusals import bad_choice, bad_length, invalid, required
from bots.demo.discord.state import DiscordState

_NAME = re.compile(r"[-_'\w]{1,32}")
_KINDS = {1: 100, 2: 15, 3: 15}
"""Most global commands of each type."""
_MOST_OPTIONS = _MOST_CHOICES = 25
_MOST_SIZE = 8_000
_SUBCOMMAND, _GROUP = 1, 2
_COMPLETED = frozenset({3, 4, 10})
_Path = tuple[str | int, ...]


def register(state: DiscordState, body: Any) -> list[Json]:
    """Replace all global commands by these, and return them as Discord shows them; Refused if it would not.

    A command keeps its id as long as one of its name and type is registered.
    """
    if not isinstance(body, list):
        raise invalid(code="LIST_TYPE_CONVERT", message="Only iterables may be used in a ListType")
    for index, command in enumerate(body):
        _check_command(command, (index,))
    _check_all(body)
    known = {(command["name"], command["type"]): command for command in state.commands}
    state.commands = [_shown(state, known, command) for command in body]
    state.changes.happened()
    return state.commands


def without_localizations(command: Json) -> Json:
    """Return a command as it is listed when nobody asks for its localizations."""
    drawn = {name: value for name, value in command.items() if not name.endswith("_localizations")}
    if "options" in drawn:
        drawn["options"] = [without_localizations(option) for option in drawn["options"]]
    return drawn


def _check_all(commands: list[Json]) -> None:
    for kind, most in _KINDS.items():
        if sum(command.get("type", 1) == kind for command in commands) > most:
            message = f"Maximum number of application commands reached ({most})."
            raise invalid(code="APPLICATION_COMMAND_LIMIT", message=message)
    names = Counter((command["name"], command.get("type", 1)) for command in commands)
    for index, command in enumerate(commands):
        if names[command["name"], command.get("type", 1)] > 1:
            message = "Application command names must be unique"
            code = "APPLICATION_COMMANDS_DUPLICATE_NAME"
            raise invalid(index, "name", code=code, message=message)


def _check_command(command: Json, path: _Path) -> None:
    kind = command.get("type", 1)
    if kind not in _KINDS:
        raise bad_choice(*path, "type", choices="1, 2, 3")
    if kind == 1:
        _check_named(command, path)
        _check_options(command.get("options") or [], path)
        if _size(command) > _MOST_SIZE:
            message = f"Command exceeds maximum size ({_MOST_SIZE})"
            raise invalid(*path, code="APPLICATION_COMMAND_TOO_LARGE", message=message)
        return
    if not 1 <= len(command.get("name") or "") <= 32:
        raise bad_length(*path, "name", least=1, most=32)
    for name in ("description", "options"):
        if command.get(name):
            message = f"Context menu commands cannot have {name}"
            raise invalid(*path, name, code="APPLICATION_COMMAND_CONTEXT_MENU_INVALID", message=message)


def _check_named(thing: Json, path: _Path) -> None:
    named = {"": thing.get("name")} | (thing.get("name_localizations") or {})
    for locale, name in named.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.lower():
            where = (*path, "name_localizations", locale) if locale else (*path, "name")
            message = f'Command name is invalid: "{name}"'
            raise invalid(*where, code="APPLICATION_COMMAND_INVALID_NAME", message=message)
    described = {"": thing.get("description")} | (thing.get("description_localizations") or {})
    for locale, text in described.items():
        where = (*path, "description_localizations", locale) if locale else (*path, "description")
        if not text:
            raise required(*where)
        if len(text) > 100:
            raise bad_length(*where, least=1, most=100)


def _check_options(options: list[Json], path: _Path) -> None:
    if len(options) > _MOST_OPTIONS:
        raise bad_length(*path, "options", least=0, most=_MOST_OPTIONS)
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(options):
        where = (*path, "options", index)
        _check_option(option, where)
        if option["name"] in names:
            message = "Option names must be unique"
            raise invalid(*where, code="APPLICATION_COMMAND_OPTIONS_NAME_INVALID", message=message)
        names.add(option["name"])
        if option.get("required") and optional_seen:
            message = "Required options must be placed before non-required options"
            raise invalid(*where, code="APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message=message)
        is_value = option["type"] not in {_SUBCOMMAND, _GROUP}
        optional_seen = optional_seen or (is_value and not option.get("required"))
    if len({option["type"] in {_SUBCOMMAND, _GROUP} for option in options}) > 1:
        message = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        raise invalid(*path, "options", code="APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message=message)


def _check_option(option: Json, path: _Path) -> None:
    if option.get("type") not in range(1, 12):
        raise bad_choice(*path, "type", choices="1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11")
    _check_named(option, path)
    if option["type"] in {_SUBCOMMAND, _GROUP}:
        _check_options(option.get("options") or [], path)
        return
    choices = option.get("choices") or []
    if len(choices) > _MOST_CHOICES:
        raise bad_length(*path, "choices", least=0, most=_MOST_CHOICES)
    if option.get("autocomplete") and (choices or option["type"] not in _COMPLETED):
        message = "Autocomplete is for options without choices that take a text or number"
        raise invalid(*path, "autocomplete", code="APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE", message=message)
    for index, choice in enumerate(choices):
        if not 1 <= len(choice.get("name") or "") <= 100:
            raise bad_length(*path, "choices", index, "name", least=1, most=100)


def _size(thing: Json) -> int:
    longest = max(
        [thing.get("description") or "", *(thing.get("description_localizations") or {}).values()], key=len
    )
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in thing.get("choices") or ())
    return len(thing["name"]) + len(longest) + choices + sum(map(_size, thing.get("options") or ()))


def _shown(state: DiscordState, known: dict[tuple[str, int], Json], command: Json) -> Json:
    kind = command.get("type", 1)
    before = known.get((command["name"], kind))
    needed, contexts = command.get("default_member_permissions"), command.get("contexts")
    in_private = command.get("dm_permission")
    shown: Json = {
        "id": before["id"] if before else state.snowflakes.new(),
        "application_id": state.application_id,
        "version": "",
        "default_member_permissions": None if needed is None else str(needed),
        "type": kind,
        "name": command["name"],
        "name_localizations": command.get("name_localizations") or None,
        "description": command.get("description") or "",
        "description_localizations": command.get("description_localizations") or None,
        "dm_permission": (in_private is not False) if contexts is None else 1 in contexts,
        "contexts": contexts,
        "integration_types": command.get("integration_types") or [0, 1],
        "nsfw": bool(command.get("nsfw")),
    }
    if command.get("options"):
        shown["options"] = [_shown_option(option) for option in command["options"]]
    same = before is not None and {**before, "version": ""} == shown
    shown["version"] = before["version"] if before is not None and same else state.snowflakes.new()
    return shown


def _shown_option(option: Json) -> Json:
    """Leave out what is off, as Discord does."""
    shown = {name: value for name, value in option.items() if value not in (False, None, [])}
    shown |= {name: option.get(name) or None for name in ("name_localizations", "description_localizations")}
    if "options" in shown:
        shown["options"] = [_shown_option(one) for one in shown["options"]]
    return shown
