"""What a rule for calls to other people's servers is made of. Holds no rule itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """One call: to `slack`, `discord` or `assistant`, by route template, with its JSON (None for none)."""

    to: str
    route: str
    body: Any = None
    files: tuple[str, ...] = ()


Look = Callable[[Sent], Iterable[Any]]
"""Returns the parts of a call that a rule is about; for most calls none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that holds for each part that `look` finds."""

    name: str
    look: Look
    holds: Callable[[Any], bool]


def named(look: Look, **rules: Callable[[Any], bool]) -> tuple[Rule, ...]:
    """Return rules about the same parts of calls."""
    return tuple(Rule(name, look, holds) for name, holds in rules.items())


def fits(value: object, most: int, least: int = 0) -> bool:
    """Whether it is a text (or None, for an empty one) of so many characters."""
    return isinstance(value, str | None) and least <= len(value or "") <= most


def has_only(value: Any, fields: str, required: str = "") -> bool:
    """Whether a JSON object has no fields but these, and those that it must have."""
    return isinstance(value, dict) and set(required.split()) <= set(value) <= {
        *fields.split(),
        *required.split(),
    }
