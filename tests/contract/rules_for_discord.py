"""Our rules for calls to Discord: its documented limits, and what we want of every message of ours."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.contract.rule import Sent, fits, has_only, named

_MESSAGE = "POST /channels/{channel}/messages"
_FOLLOW_UP = "POST /webhooks/{application}/{token}"
_EDITS = (
    "PATCH /channels/{channel}/messages/{message}",
    "PATCH /webhooks/{application}/{token}/messages/{message}",
)
_CALLBACK = "POST /interactions/{interaction}/{token}/callback"
_THREADS = ("POST /channels/{channel}/threads", "POST /channels/{channel}/messages/{message}/threads")
_COMMANDS = "PUT /applications/{application}/commands"
_SAYS, _DEFERS, _DEFERS_EDIT, _EDITS_OWN, _OFFERS, _OPENS = 4, 5, 6, 7, 8, 9
_ROW, _BUTTON, _TEXT_INPUT, _LABEL = 1, 2, 4, 18
_EPHEMERAL = 64
_CHAT_INPUT, _SUBCOMMAND = 1, 1
_NAME = re.compile(r"[-_'\w]{1,32}")

_MESSAGE_FIELDS = (
    "content nonce tts embeds allowed_mentions message_reference components sticker_ids attachments flags"
    " enforce_nonce poll"
)
_COMMAND_FIELDS = (
    "type name_localizations description description_localizations options default_member_permissions"
    " dm_permission nsfw contexts integration_types"
)
_OPTION_FIELDS = (
    "name_localizations description_localizations required choices options channel_types min_value max_value"
    " min_length max_length autocomplete"
)


def _calls(sent: Sent) -> Iterable[Sent]:
    return (sent,) if sent.to == "discord" else ()


def _callbacks(sent: Sent) -> Iterable[Any]:
    return (sent.body,) if sent.to == "discord" and sent.route == _CALLBACK else ()


def _channel_messages(sent: Sent) -> Iterable[Any]:
    return (sent.body,) if sent.to == "discord" and sent.route == _MESSAGE else ()


def _new_messages(sent: Sent) -> Iterator[Any]:
    """Yield what says something new, with `files` for what goes along."""
    if sent.to == "discord" and sent.route in {_MESSAGE, _FOLLOW_UP}:
        yield sent.body | {"files": sent.files}
    yield from (each["data"] for each in _callbacks(sent) if each["type"] == _SAYS)


def _messages(sent: Sent) -> Iterator[Any]:
    """Yield everything that is shown as a message, or changes one."""
    if sent.to == "discord" and sent.route in {_MESSAGE, _FOLLOW_UP, *_EDITS}:
        yield sent.body
    yield from (each["data"] for each in _callbacks(sent) if each["type"] in {_SAYS, _EDITS_OWN})


def _forms(sent: Sent) -> Iterable[Any]:
    return [each["data"] for each in _callbacks(sent) if each["type"] == _OPENS]


def _choices(sent: Sent) -> Iterable[Any]:
    return [each["data"]["choices"] for each in _callbacks(sent) if each["type"] == _OFFERS]


def _threads(sent: Sent) -> Iterable[Any]:
    return (sent.body,) if sent.to == "discord" and sent.route in _THREADS else ()


def _rows(sent: Sent) -> Iterator[Any]:
    for message in _messages(sent):
        yield message.get("components") or []


def _components(sent: Sent) -> Iterator[Any]:
    """Yield buttons and fields, however deep."""
    for shown in (*_messages(sent), *_forms(sent)):
        yield from _inner(shown.get("components") or [])


def _inner(components: list[Any]) -> Iterator[Any]:
    for each in components:
        if each["type"] in {_BUTTON, _TEXT_INPUT}:
            yield each
        yield from _inner(each.get("components") or [])
        yield from _inner([each["component"]] if "component" in each else [])


def _command_lists(sent: Sent) -> Iterable[Any]:
    return (sent.body,) if sent.to == "discord" and sent.route == _COMMANDS else ()


def _commands(sent: Sent) -> Iterator[Any]:
    for commands in _command_lists(sent):
        yield from commands


def _chat_commands(sent: Sent) -> Iterable[Any]:
    return [each for each in _commands(sent) if each.get("type", _CHAT_INPUT) == _CHAT_INPUT]


def _option_lists(sent: Sent) -> Iterator[Any]:
    """Yield the options of every command and subcommand."""
    waiting = [*_commands(sent)]
    while waiting:
        options = waiting.pop().get("options") or []
        yield options
        waiting += options


def _options(sent: Sent) -> Iterator[Any]:
    for options in _option_lists(sent):
        yield from options


def _says_something(message: Any) -> bool:
    shown = (message.get(field) for field in ("embeds", "components", "attachments", "files", "poll"))
    return bool((message.get("content") or "").strip()) or any(shown)


def _is_lower(named_: Any) -> bool:
    name = named_["name"]
    return _NAME.fullmatch(name) is not None and name == name.lower()


def _required_first(options: list[Any]) -> bool:
    required = [bool(each.get("required")) for each in options]
    return required == sorted(required, reverse=True)


def _within_counts(commands: list[Any]) -> bool:
    kinds = [each.get("type", _CHAT_INPUT) for each in commands]
    return kinds.count(1) <= 100 and kinds.count(2) <= 15 and kinds.count(3) <= 15


def _rows_are_buttons(rows: list[Any]) -> bool:
    return len(rows) <= 5 and all(each["type"] == _ROW and 1 <= len(each["components"]) <= 5 for each in rows)


RULES = (
    *named(_calls, discord_route_is_known=lambda sent: not sent.route.endswith(" ?")),
    *named(
        _messages,
        discord_content_fits=lambda message: fits(message.get("content"), 2000),
        discord_mentions_are_named=lambda message: (message.get("allowed_mentions") or {}).get("parse") == [],
        discord_message_has_no_unknown_field=lambda message: has_only(message, _MESSAGE_FIELDS),
    ),
    *named(_new_messages, discord_message_says_something=_says_something),
    *named(
        _channel_messages,
        discord_message_has_a_nonce=lambda message: (
            fits(message.get("nonce"), 25, 1) and message.get("enforce_nonce") is True
        ),
    ),
    *named(_rows, discord_rows_hold_up_to_five=_rows_are_buttons),
    *named(
        _components,
        discord_custom_id_fits=lambda each: fits(each.get("custom_id", each.get("url")), 100, 1),
        discord_label_fits=lambda each: fits(each.get("label"), 80 if each["type"] == _BUTTON else 45),
        discord_field_fits=lambda each: (
            fits(each.get("placeholder"), 100) and fits(each.get("value"), each.get("max_length") or 4000)
        ),
    ),
    *named(
        _forms,
        discord_form_fits=lambda form: (
            fits(form["title"], 45, 1)
            and fits(form["custom_id"], 100, 1)
            and 1 <= len(form["components"]) <= 5
        ),
    ),
    *named(
        _choices,
        discord_choices_fit=lambda choices: (
            len(choices) <= 25
            and all(fits(one["name"], 100, 1) and fits(one["value"], 100, 1) for one in choices)
        ),
    ),
    *named(
        _callbacks,
        discord_callback_is_known=lambda body: body["type"] in range(_SAYS, _OPENS + 1),
        discord_deferral_is_bare=lambda body: (
            body["type"] not in {_DEFERS, _DEFERS_EDIT}
            or (body.get("data") or {}) in ({}, {"flags": 0}, {"flags": _EPHEMERAL})
        ),
    ),
    *named(
        _threads,
        discord_thread_is_named=lambda thread: (
            fits(thread.get("name"), 100, 1) and thread["name"].strip() != ""
        ),
        discord_thread_is_archived_in_time=lambda thread: (
            thread.get("auto_archive_duration") in {None, 60, 1440, 4320, 10080}
        ),
        discord_thread_has_no_unknown_field=lambda thread: has_only(
            thread, "name auto_archive_duration type invitable rate_limit_per_user message applied_tags"
        ),
    ),
    *named(
        _command_lists,
        discord_commands_are_not_too_many=_within_counts,
        discord_commands_have_their_own_names=lambda commands: (
            len({(each.get("type", 1), each["name"]) for each in commands}) == len(commands)
        ),
    ),
    *named(
        _commands,
        discord_command_fits=lambda command: len(json.dumps(command, ensure_ascii=False)) <= 8000,
        discord_command_says_where=lambda command: bool(
            command.get("contexts") and command.get("integration_types")
        ),
        discord_command_has_no_unknown_field=lambda command: has_only(command, _COMMAND_FIELDS, "name"),
        discord_menu_is_named=lambda command: (
            command.get("type", 1) == _CHAT_INPUT
            or (fits(command["name"], 32, 1) and not command.get("description"))
        ),
    ),
    *named(
        _chat_commands,
        discord_command_is_lower_case=_is_lower,
        discord_command_is_described=lambda command: fits(command.get("description"), 100, 1),
    ),
    *named(
        _option_lists,
        discord_options_are_not_too_many=lambda options: len(options) <= 25,
        discord_required_options_come_first=_required_first,
    ),
    *named(
        _options,
        discord_option_is_lower_case=_is_lower,
        discord_option_is_described=lambda option: fits(option.get("description"), 100, 1),
        discord_option_has_no_unknown_field=lambda option: has_only(
            option, _OPTION_FIELDS, "name description type"
        ),
        discord_option_completes_or_offers=lambda option: (
            not (option.get("autocomplete") and option.get("choices"))
        ),
    ),
)
