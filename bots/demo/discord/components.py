"""Judges components as Discord does when a message or modal is sent: limits and shapes, no rendering.

Limits: discord.com/developers/docs/components/reference.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from enum import IntEnum
from typing import Any

from bots.demo.discord.records import Json
from bots.demo.discord.refusals import bad_choice, bad_length, invalid, required, too_long


class Part(IntEnum):
    """A component's type."""

    ROW = 1
    BUTTON = 2
    SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    CONTAINER = 17
    LABEL = 18


SELECTS = frozenset({3, 5, 6, 7, 8})
_IN_MESSAGES = frozenset({1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17})
_LINKS = frozenset({5, 6})
_MOST_ROWS, _MOST_PARTS, _MOST_TEXT = 5, 40, 4_000
_MOST_BUTTONS, _MOST_LABEL, _MOST_ID = 5, 80, 100


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Yield every component, whatever it is inside of, in reading order."""
    for component in components:
        yield component
        yield from walk(component.get("components") or ())
        for name in ("component", "accessory"):
            if component.get(name):
                yield from walk((component[name],))


def numbered(components: Sequence[Json]) -> tuple[Json, ...]:
    """Return copies in which every component has the numeric id Discord gives it."""
    copies = deepcopy(tuple(components))
    for number, component in enumerate(walk(copies), start=1):
        component.setdefault("id", number)
    return copies


def check_components(components: Any, *, is_v2: bool) -> tuple[Json, ...]:
    """Return a message's components, numbered, if Discord would take them; raise Refused if not."""
    if not isinstance(components, list):
        raise invalid(
            "components", code="LIST_TYPE_CONVERT", message="Only iterables may be used in a ListType"
        )
    if len(components) > (_MOST_PARTS if is_v2 else _MOST_ROWS):
        raise bad_length("components", least=1, most=_MOST_PARTS if is_v2 else _MOST_ROWS)
    for index, component in enumerate(components):
        path = ("components", index)
        if not is_v2 and component.get("type") != Part.ROW:
            raise bad_choice(*path, "type", choices="1")
        for part in walk([component]):
            _check_part(part, path)
    everything = list(walk(components))
    _check_whole(everything, is_v2=is_v2)
    return numbered(components)


def _check_whole(everything: list[Json], *, is_v2: bool) -> None:
    ids = [part["custom_id"] for part in everything if part.get("custom_id")]
    if len(ids) != len(set(ids)):
        message = "Component custom id cannot be duplicated"
        raise invalid("components", code="COMPONENT_CUSTOM_ID_DUPLICATED", message=message)
    if not is_v2:
        return
    if len(everything) > _MOST_PARTS:
        raise bad_length("components", least=1, most=_MOST_PARTS)
    texts = [part.get("content") or "" for part in everything if part["type"] == Part.TEXT]
    if sum(map(len, texts)) > _MOST_TEXT:
        raise too_long("components", most=_MOST_TEXT)


def _check_part(part: Json, path: tuple[str | int, ...]) -> None:
    kind = part.get("type")
    if kind not in _IN_MESSAGES:
        raise bad_choice(*path, "type", choices=", ".join(map(str, sorted(_IN_MESSAGES))))
    if kind == Part.ROW:
        inside = part.get("components") or []
        if not 0 < len(inside) <= _MOST_BUTTONS:
            raise bad_length(*path, "components", least=1, most=_MOST_BUTTONS)
    if kind == Part.BUTTON:
        _check_button(part, path)
    if kind in SELECTS:
        _check_id(part, path)
        if kind == Part.SELECT and not 0 < len(part.get("options") or ()) <= 25:
            raise bad_length(*path, "options", least=1, most=25)


def _check_button(part: Json, path: tuple[str | int, ...]) -> None:
    if len(part.get("label") or "") > _MOST_LABEL:
        raise too_long(*path, "label", most=_MOST_LABEL)
    if part.get("style") not in _LINKS:
        _check_id(part, path)
        if not part.get("label") and not part.get("emoji"):
            raise required(*path, "label")
    elif not part.get("url") and not part.get("sku_id"):
        raise required(*path, "url")


def _check_id(part: Json, path: tuple[str | int, ...]) -> None:
    if not part.get("custom_id"):
        raise required(*path, "custom_id")
    if len(part["custom_id"]) > _MOST_ID:
        raise bad_length(*path, "custom_id", least=1, most=_MOST_ID)
