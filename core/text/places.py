"""What a border between two lines of Markdown lies in: a fence, list items, a table. Cuts nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTE = re.compile(r"\A(?: {0,3}> ?)*")
_LIST_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_FENCE = re.compile(r"(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")
_DELIMITER_ROW = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code fence: the quote marks before it, its own indentation, its mark and what follows it."""

    quote: str
    indent: int
    mark: str
    info: str

    def closed_by(self, line: str, lists: tuple[int, ...] = (0,)) -> bool:
        own = _dedented(line, lists)
        rest = unquoted(own)[1] if self.quote else own
        run = rest.strip()
        return _indent(rest) <= 3 and len(run) >= len(self.mark) and not run.strip(self.mark[0])

    def line(self, lists: tuple[int, ...] = (0,)) -> str:
        """The line that closes it, inside `lists`; with its info string it opens it."""
        return self.quote + " " * (self.indent + lists[-1]) + self.mark


@dataclass(frozen=True, slots=True)
class Place:
    """What a border between two lines lies in: fence, list items (where their text begins), table."""

    fence: Fence | None = None
    lists: tuple[int, ...] = (0,)
    header: tuple[str, ...] = ()
    above: str = ""

    def after(self, line: str) -> "Place":
        """Where one is once `line` has been read, by CommonMark's rules as far as they matter to a cut."""
        quote, rest = unquoted(line)
        if self.fence is not None and quote.count(">") >= self.fence.quote.count(">"):
            if self.fence.closed_by(line, self.lists):
                return Place(lists=self.lists, above=line)
            if _around(self.lists, line) == self.lists:
                return self
        if not line.strip():
            return Place(lists=self.lists, above=line)
        lists, own = _entered(_around(self.lists, line), rest)
        fence = _FENCE.fullmatch(own.strip()) if _indent(own) <= 3 else None
        if fence is not None:
            return Place(Fence(quote, _indent(own), fence["mark"], fence["info"].rstrip()), lists, above=line)
        return Place(None, lists, self._header_at(line), line)

    def _header_at(self, line: str) -> tuple[str, ...]:
        if "|" not in line or self.header:
            return self.header if "|" in line else ()
        starts = _DELIMITER_ROW.fullmatch(line) is not None and "|" in self.above
        return (self.above.strip(), line.strip()) if starts else ()


def take_up(lines: Sequence[str], place: Place) -> tuple[list[str], Place]:
    """The lines and the place a new part begins with: no blank lines first, and outside any list."""
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines):
        return [], Place()
    if place.fence is None:
        header = place.header if place.after(lines[0]).header else ()
        return _moved_left(lines[first:], place.lists), Place(header=header)
    rest = _moved_left(lines, place.lists)
    if place.fence.closed_by(rest[0]):  # the part before has closed it already
        return take_up(rest[1:], Place())
    return rest, Place(place.fence)


def _moved_left(lines: Sequence[str], lists: tuple[int, ...]) -> list[str]:
    """The lines without the indentation that puts them into `lists`, as long as they are inside."""
    moved: list[str] = []
    for line in lines:
        lists = _around(lists, line)
        if not lists[-1]:
            break
        moved.append(_dedented(line, lists))
    return [*moved, *lines[len(moved) :]]


def render(start: Place, lines: Sequence[str], end: Place) -> str:
    opening = [] if start.fence is None else [start.fence.line() + start.fence.info]
    body = "\n".join((*opening, *start.header, *lines))
    return body.rstrip() if end.fence is None else f"{body}\n{end.fence.line(end.lists)}"


def _around(lists: tuple[int, ...], line: str) -> tuple[int, ...]:
    """Which of the list items `line` is still inside."""
    _, rest = unquoted(line)
    return tuple(offset for offset in lists if offset <= _indent(rest) or not rest.strip())


def _entered(lists: tuple[int, ...], line: str) -> tuple[tuple[int, ...], str]:
    """The list items around what `line` says, and that without their marks and indentation."""
    own = _dedented(line, lists)
    while _indent(own) <= 3 and (item := _LIST_ITEM.match(own.lstrip())) is not None:
        lists = (*lists, lists[-1] + _indent(own) + len(item[0].expandtabs(4)))
        own = own.lstrip()[item.end() :]
    return lists, own


def unquoted(line: str) -> tuple[str, str]:
    rest = _QUOTE.sub("", line, count=1)
    return line[: len(line) - len(rest)], rest


def _indent(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip(" "))


def _dedented(line: str, lists: tuple[int, ...]) -> str:
    if not lists[-1]:
        return line
    quote, rest = unquoted(line)
    return quote + " " * (_indent(rest) - lists[-1]) + rest.lstrip(" \t")
