"""Writes Markdown's blocks in Discord's dialect; it cuts nothing and guards against no mention."""

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, NamedTuple

from markdown_it.rules_block.table import escapedSplit
from markdown_it.tree import SyntaxTreeNode

from bots.discord.words import TIE, Writer, bold, code, literal, plain
from bots.markdown.links import JOINER
from bots.markdown.reading import parser
from bots.markdown.tables import aligned, columns

#: A table up to this many columns of a fixed-width font is shown as one, a wider one as records.
TABLE_WIDTH = 70
_TABLE_LENGTH = 1_500  # a longer one becomes several, each with the header
_DEEPEST = 60
_RULE = "─" * 12
_LANGUAGE = re.compile(r"[\w+.#-]+", re.ASCII)
_LINE_START = re.compile(r"^(\s*)(#{1,3}|-|>{1,3})(?=\s|$)", re.MULTILINE)
_BOX = re.compile(r"\\\[([ xX])\](?=\s)")


class _Line(NamedTuple):
    text: str
    moves: bool = True  # inside a list; code and quotes are shown only where no list moves them


class _Cell(NamedTuple):
    plain: str
    rich: str


def dialect(markdown: str) -> str:
    """Return Markdown as Discord's: every word of it, in what Discord can show, blank only if it is.

    Nested lists move by two spaces; deeper headings are bold lines, tables aligned text or records, boxes
    to tick ☐ and ☑, rules a line, images links. Where a message is better not cut, `TIE` stands for a space.
    """
    source = markdown.replace(TIE, "\ufffd")
    env: MutableMapping[str, Any] = {}  # markdown-it's own notes, the link definitions among them
    tokens = parser("strikethrough", deepest=_DEEPEST).parse(source, env)
    if any(token.level >= _DEEPEST - 1 for token in tokens):  # what lies deeper has been dropped
        return _text(literal(source))
    tree, lines = SyntaxTreeNode(tokens), source.split("\n")
    written = "\n".join(line.text for line in _Page(lines).blocks(tree.children))
    unused = "\n".join(_unused(tree, lines, env)).strip()
    return "\n\n".join(filter(str.strip, (written, unused))) or _text(literal(source))


def _unused(tree: SyntaxTreeNode, lines: Sequence[str], env: MutableMapping[str, Any]) -> Iterator[str]:
    """The definitions that no link refers to, and which would be seen nowhere."""
    used = {str(node.attrs.get("href", node.attrs.get("src"))) for node in tree.walk(include_self=False)}
    for definition in chain(env.get("references", {}).values(), env.get("duplicate_refs", ())):
        if definition["href"] not in used:
            yield from (_text(literal(line)) for line in lines[slice(*definition["map"])])


@dataclass(frozen=True, slots=True)
class _Page:
    """The blocks of a text of these lines, or of a quote or a list in it."""

    source: Sequence[str]
    quoted: bool = False
    listed: bool = False

    def blocks(self, nodes: Iterable[SyntaxTreeNode]) -> list[_Line]:
        """All lines; between blocks one is blank if the source has one there, but none in a list."""
        written: list[_Line] = []
        for node in nodes:
            lines = self._block(node)
            above = self.source[node.map[0] - 1] if node.map and node.map[0] else ""
            if written and lines and not self.listed and not above.strip(" \t>"):
                written.append(_Line(""))
            written += lines
        return written

    def _block(self, node: SyntaxTreeNode) -> list[_Line]:
        match node.type:
            case "heading":
                return self._heading(node)
            case "paragraph":
                return _lines(_text(Writer().paragraph(node.children[0])))
            case "fence" | "code_block":
                return _fence(node.info, node.content)
            case "bullet_list" | "ordered_list":
                inside = replace(self, listed=True)
                return [
                    line for number, item in enumerate(node.children) for line in inside._item(item, number)
                ]
            case "blockquote":
                return self._quote(node)
            case "table":
                return self._table(node)
            case _:
                return [_Line(_RULE)]

    def _heading(self, node: SyntaxTreeNode) -> list[_Line]:
        level, small = int(node.tag[1:]), self.listed
        if small or level > 3:
            return _lines(bold(Writer(" ", in_bold=True).paragraph(node.children[0])))
        words = Writer(" ").paragraph(node.children[0])
        own = words.rstrip("#")  # Discord drops these
        return [_Line(f"{'#' * level} {own}" + r"\#" * (len(words) - len(own)))] if words else []

    def _item(self, node: SyntaxTreeNode, number: int) -> list[_Line]:
        parent = node.parent
        ordered = parent is not None and parent.type == "ordered_list"
        start = int(parent.attrs.get("start", 1)) if parent is not None else 1
        mark = f"{start + number}." if ordered else "-"
        lines = self.blocks(node.children)
        if not lines or not lines[0].moves:
            return [*([_Line(mark)] if ordered or not lines else []), *map(_moved, lines)]
        first = _BOX.sub(lambda box: "☐" if box[1] == " " else "☑", lines[0].text, count=1)
        return [_Line(f"{mark} {first}"), *map(_moved, lines[1:])]

    def _quote(self, node: SyntaxTreeNode) -> list[_Line]:
        """Discord's quotes do not nest, and go on only over lines that begin with "> "."""
        lines = _Page(self.source, quoted=True).blocks(node.children)
        return lines if self.quoted else [_Line(f"> {line.text}", moves=False) for line in lines]

    def _table(self, node: SyntaxTreeNode) -> list[_Line]:
        rows = [self._row(row) for part in node.children for row in part.children]
        most = max(map(len, rows))
        rows = [[*row, *[_Cell("", "")] * (most - len(row))] for row in rows]
        text = aligned([[cell.plain for cell in row] for row in rows])
        width = max(map(columns, text))
        followed = any("<http" in cell.rich for row in rows for cell in row)  # in code, a link is none
        if width > TABLE_WIDTH or followed:
            return _records(rows)
        head, rest = [text[0], "─" * width], iter(text[1:])
        many = _TABLE_LENGTH // (width + 1)
        pages = [[*head, *islice(rest, many)]]
        while page := [*islice(rest, many)]:
            pages.append([*head, *page])
        return [line for page in pages for line in _fence("", "\n".join(page))]

    def _row(self, row: SyntaxTreeNode) -> list[_Cell]:
        """The cells of a row, those beyond the header's too, which CommonMark's tables drop."""
        cells = [
            _Cell(plain(inline.children), Writer(" · ").paragraph(inline))
            for inline in (cell.children[0] for cell in row.children)
        ]
        line, _ = row.map or (0, 0)
        written = self.source[line].strip().removeprefix("|").removesuffix("|")
        extra = [text.strip() for text in escapedSplit(written)[len(cells) :]]
        return [*cells, *(_Cell(text, literal(text)) for text in extra)]


def _records(rows: Sequence[Sequence[_Cell]]) -> list[_Line]:
    """A list item for each row, in which each cell follows its header."""
    header, *body = rows
    names = [bold(cell.rich.replace("**", "")) for cell in header]
    if not body:
        return [_Line(" · ".join(names))]
    lines = []
    for row in body:
        cells = [
            f"{name}: {cell.rich or '—'}" if name else cell.rich
            for name, cell in zip(names, row, strict=True)
        ]
        lines += [_Line(("  " if number else "- ") + cell) for number, cell in enumerate(cells) if cell]
    return lines


def _fence(info: str, body: str) -> list[_Line]:
    """Code in Discord's one fence; what it cannot take of `info` stands above."""
    language, _, rest = info.strip().partition(" ")
    if not _LANGUAGE.fullmatch(language):
        language, rest = "", info.strip()
    above = [_Line(code(rest.strip()))] if rest.strip() else []
    # An empty block is none to Discord, which would look for the fence's end further down.
    inside = re.sub("``(?=`)", "``" + JOINER, body.rstrip("\n") if body.strip() else " ")
    fenced = [f"```{language}", *inside.split("\n"), "```"]
    return [*above, *(_Line(line, moves=False) for line in fenced)]


def _text(written: str) -> str:
    """The text with no line of it taken for a block."""
    return _LINE_START.sub(r"\1\\\2", written)


def _lines(written: str) -> list[_Line]:
    return [_Line(line) for line in written.split("\n")]


def _moved(line: _Line) -> _Line:
    return _Line(f"  {line.text}") if line.moves else line
