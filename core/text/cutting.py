"""Cuts Markdown into parts of bounded size, each of which reads as Markdown by itself."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, chain

from core.text.glyphs import is_between_glyphs
from core.text.places import Fence, Place, render, take_up, unquoted

Measure = Callable[[str], int]

#: The smallest limit `split` takes: a fence opened and closed needs eight characters, a glyph about as many.
SMALLEST_LIMIT = 20

_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
_BLOCK_START = re.compile(r"\s*(?:#{1,6}(?:\s|$)|[-*+](?:\s|$)|\d{1,9}[.)](?:\s|$)|>|```|~~~|=+\s*$|-+\s*$)")
_AWKWARD, _LINE, _PARAGRAPH = 1, 4, 6  # what a border is worth as a cut; half of it near the part's beginning
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s|$)")


def split(markdown: str, limit: int, measure: Measure = len) -> list[str]:
    """Cut Markdown into parts of which each has measure(part) ≤ limit; blank text gives none.

    Cuts fall between paragraphs where possible, else between lines, words, glyphs. A fenced code block
    that is cut is closed and opened again with its fence and info string, a cut table repeats its header
    rows; where these would take most of a part, code goes on in a bare fence, the table without. A fence
    left open is closed. What continues a list moves left by the list's indentation. Beside this only
    whitespace at a cut is lost. `measure` should not fall as text grows, and is 0 for no text.

    Raises ValueError for a limit below `SMALLEST_LIMIT`, or if a single character measures more than it.
    """
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"a part must hold at least {SMALLEST_LIMIT} characters, not {limit}")
    if "```" not in markdown and "~~~" not in markdown:  # then nothing is left open, and most answers fit
        whole = _BLANK_LINES.sub("", markdown).rstrip()
        if measure(whole) <= limit:
            return [whole] if whole else []
    parts = []
    lines, place = take_up(markdown.split("\n"), Place())
    while lines:
        part = _Part(lines, place, limit, measure)
        count = part.best_cut()
        if count == 0:
            head, tail = part.broken_line()
            part = _Part([head, tail, *lines[1:]], part.start, limit, measure)
            count = 1
        if shown := part.without_empty_code(count):
            parts.append(part.text(shown))
        lines, place = take_up(part.lines[count:], part.place(count))
    return parts


class _Part:
    """The part that begins with the first of `lines`, which lie at `place`."""

    def __init__(self, lines: Sequence[str], place: Place, limit: int, measure: Measure) -> None:
        self.lines, self._limit, self._measure = lines, limit, measure
        self.start = self._affordable(place)
        self._places = [self.start]

    def place(self, count: int) -> Place:
        """The place after `count` lines."""
        while len(self._places) <= count:
            self._places.append(self._places[-1].after(self.lines[len(self._places) - 1]))
        return self._places[count]

    def text(self, count: int) -> str:
        return render(self.start, self.lines[:count], self.place(count))

    def best_cut(self) -> int:
        """After how many lines to cut, 0 if none fits: at the best border past the first third."""
        if self._fits(self.text(len(self.lines))):
            return len(self.lines)
        fitting = _most(lambda count: self._fits(self.text(count)), len(self.lines))
        reach = list(accumulate(len(line) + 1 for line in self.lines[:fitting]))

        def worth(count: int) -> tuple[int, int]:
            border = self._border(count)
            return (border if reach[count - 1] * 3 >= reach[-1] else border // 2), count

        cuts = sorted(range(1, fitting + 1), key=worth, reverse=True)
        return next((count for count in cuts if self._fits(self.text(count))), 0)

    def without_empty_code(self, count: int) -> int:
        """`count`, or one line less if that only opened a fence which the next part will open just so."""
        fence, lists = self.place(count).fence, self.place(count).lists
        if (
            fence is None
            or self.place(count - 1).fence is not None
            or self._affordable(Place(fence)).fence != fence
        ):
            return count
        rest = self.lines[count:]
        if not any(line.strip() for line in rest) or fence.closed_by(rest[0], lists):
            return count
        return count - (self.lines[count - 1].split() == (fence.line() + fence.info).split())

    def broken_line(self) -> tuple[str, str]:
        """The first line in two, of which the first fits: between words if it can be, or glyphs."""
        line = self.lines[0]
        most = _most(lambda size: self._fits_alone(line[:size]), len(line))
        if most == 0:
            raise ValueError(f"not even one character fits a limit of {self._limit}")
        quote, _ = unquoted(line)
        sizes = [size for size in range(most, len(quote), -1) if line[len(quote) : size].strip()] or [most]
        quiet = [size for size in sizes if not _BLOCK_START.match(line[size : size + 12])]
        choices = chain(
            (size for size in quiet if line[size - 1].isspace() or line[size].isspace()),
            (size for size in chain(quiet, sizes) if is_between_glyphs(line, size)),
            sizes,
        )
        size = next(size for size in choices if self._fits_alone(line[:size]))
        if self.start.after(line[:size]).fence is None:
            return line[:size], line[size:].lstrip()
        return line[:size], (quote if size > len(quote) else "") + line[size:]

    def _fits(self, text: str) -> bool:
        return self._measure(text) <= self._limit

    def _fits_alone(self, line: str) -> bool:
        return self._fits(render(self.start, [line], self.start.after(line)))

    def _affordable(self, place: Place) -> Place:
        """`place`, or if taking it up would need most of the part, one that needs less."""
        bare = None if place.fence is None else Fence(place.fence.quote, 0, place.fence.mark[0] * 3, "")
        for each in (place, replace(place, fence=bare, header=())):
            if self._measure(render(each, [], each)) * 3 <= self._limit * 2:
                return each
        return replace(place, fence=bare and replace(bare, quote=""), header=())

    def _border(self, count: int) -> int:
        above, below = self.lines[count - 1], self.lines[count]
        before, here, beyond = (self.place(at) for at in (count - 1, count, count + 1))
        if here.fence is not None:
            edge = before.fence is None or here.fence.closed_by(below)
            return _AWKWARD if edge else _LINE
        last = next((self.lines[at] for at in range(count - 1, -1, -1) if self.lines[at].strip()), "")
        in_header = bool(before.header) != bool(here.header) or bool(beyond.header) != bool(here.header)
        if _HEADING.match(last) or (in_header and above.strip() and below.strip()):
            return _AWKWARD
        fenced = before.fence is not None or beyond.fence is not None
        apart = not above.strip() or not below.strip() or _HEADING.match(below) is not None
        return _PARAGRAPH if apart or fenced else _LINE


def _most(fits: Callable[[int], bool], total: int) -> int:
    """The greatest number up to `total` that fits, given that smaller ones do."""
    low, step = 0, 1
    while low + step <= total and fits(low + step):
        low, step = low + step, step * 2
    high = min(low + step, total + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
