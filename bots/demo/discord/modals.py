"""Judges a modal as Discord does when the app opens it, and fills it in as a user does."""

from collections.abc import Mapping, Sequence
from typing import Any

from bots.demo.discord.components import SELECTS, Part, numbered, walk
from bots.demo.discord.records import Json
from bots.demo.discord.refusals import bad_choice, bad_length, required, too_long

Given = str | bool | Sequence[str]
"""What a user enters: a text, a tick, or the values they choose."""

_TOP_LEVEL = frozenset({1, 10, 18})
_MOST_TITLE, _MOST_ID, _MOST_ROWS, _MOST_INPUT = 45, 100, 5, 4_000


def check_modal(modal: Any) -> Json:
    """Return a modal, its components numbered, if Discord would open it; raise Refused if not."""
    path = ("data",)
    for name, most in (("title", _MOST_TITLE), ("custom_id", _MOST_ID)):
        if not isinstance(modal, dict) or not modal.get(name):
            raise required(*path, name)
        if len(modal[name]) > most:
            raise bad_length(*path, name, least=1, most=most)
    components = modal.get("components") or []
    if not 0 < len(components) <= _MOST_ROWS:
        raise bad_length(*path, "components", least=1, most=_MOST_ROWS)
    for index, component in enumerate(components):
        if component.get("type") not in _TOP_LEVEL:
            raise bad_choice(*path, "components", index, "type", choices="1, 10, 18")
        _check_inside(component, (*path, "components", index))
    return dict(modal) | {"components": list(numbered(components))}


def _check_inside(component: Json, path: tuple[str | int, ...]) -> None:
    if component["type"] == Part.LABEL and not component.get("component"):
        raise required(*path, "component")
    for part in walk([component]):
        if len(part.get("label") or "") > _MOST_TITLE:
            raise too_long(*path, "label", most=_MOST_TITLE)
        if len(part.get("placeholder") or "") > _MOST_ID:
            raise too_long(*path, "placeholder", most=_MOST_ID)
        if part["type"] == Part.TEXT_INPUT and part.get("style") not in {1, 2}:
            raise bad_choice(*path, "style", choices="1, 2")
        if part["type"] in SELECTS | {Part.TEXT_INPUT} and not part.get("custom_id"):
            raise required(*path, "custom_id")


def fill_in(modal: Json, given: Mapping[str, Given]) -> list[Json]:
    """Return the components of a submission.

    Fields are named by label or custom_id. Raises LookupError for a field the modal does not have, and
    ValueError for what Discord's own form would not let the user submit.
    """
    fields = list(_fields(modal))
    names = {name for label, field in fields for name in (label, field["custom_id"])}
    if unknown := set(given) - names:
        raise LookupError(f"the modal has no field {sorted(unknown)}")
    submitted: list[Json] = []
    for component in modal["components"]:
        if component["type"] == Part.LABEL:
            answer = _answer(component["component"], component.get("label", ""), given)
            submitted.append({"type": 18, "id": component["id"], "component": answer})
        elif component["type"] == Part.ROW:
            answers = [_answer(part, part.get("label", ""), given) for part in component["components"]]
            submitted.append({"type": 1, "id": component["id"], "components": answers})
        else:
            submitted.append({"type": 10, "id": component["id"]})
    return submitted


def _fields(modal: Json) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    for component in modal["components"]:
        if component["type"] == Part.LABEL:
            found.append((component.get("label", ""), component["component"]))
        found += [(part.get("label", ""), part) for part in component.get("components") or ()]
    return found


def _answer(field: Json, label: str, given: Mapping[str, Given]) -> Json:
    shown = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
    value = given.get(label, given.get(field["custom_id"]))
    if field["type"] == Part.TEXT_INPUT:
        return shown | {"value": _text(field, label, value)}
    if isinstance(value, bool):
        return shown | {"value": value}
    values = [value] if isinstance(value, str) else list(value or ())
    if not values and field.get("required", True):
        raise ValueError(f"{label!r} must be chosen")
    return shown | {"values": values}


def _text(field: Json, label: str, value: Given | None) -> str:
    text = str(field.get("value") or "") if value is None else str(value)
    if not text and field.get("required", True):
        raise ValueError(f"{label!r} must be filled in")
    least, most = field.get("min_length") or 0, field.get("max_length") or _MOST_INPUT
    if text and not least <= len(text) <= most:
        raise ValueError(f"{label!r} takes {least} to {most} characters, not {len(text)}")
    return text
