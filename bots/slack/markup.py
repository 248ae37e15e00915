"""Makes the assistant's Markdown fit for Slack: harmless, in parts that Slack takes; it sends nothing."""

import re
from collections.abc import Sequence
from itertools import pairwise

from markdown_it.token import Token

from bots.markdown.reading import outline
from bots.markdown.tables import aligned
from bots.slack.links import harmless
from core.text import clean, split

#: Slack takes 12,000 characters for all markdown blocks of a message; the rest is left for others.
PART_LIMIT = 11_000
#: Slack refuses more than 50 blocks once it has expanded ours; our count of them is an estimate.
BLOCK_LIMIT = 45
#: `text` fails near 4,000 characters in chat.update.
TEXT_LIMIT = 3_900
#: A section has room for so much.
SECTION_LIMIT = 3_000
_TABLE_ROWS, _TABLE_COLUMNS, _TABLE_CHARACTERS = 100, 20, 9_500  # of 10,000 in all of a message's cells

_COUNTED = {"heading_open", "paragraph_open", "fence", "code_block", "hr", "table_open", "blockquote_open"}
_LISTS = {"bullet_list_open", "ordered_list_open"}


def parts(answer: str) -> list[str]:
    """Return the assistant's Markdown as texts for Slack's `markdown` block, one message each; none if blank.

    The block knows headings, lists, task lists, quotes, code, rules and tables (docs.slack.dev/reference/
    block-kit/blocks/markdown-block; an older edition of that page still excluded tables, and plain
    `markdown_text` shows them as raw pipes). A table is expanded into a table block, which has at most
    20 columns, 100 rows and 10,000 characters in all cells: wider ones become aligned text, longer ones are
    cut. Nothing in a part pings anyone; a link tells the host it leads to; no image is loaded.
    """
    return split(harmless(_without_wide_tables(clean(answer))), PART_LIMIT, _weight)


def fallback(part: str, limit: int = TEXT_LIMIT) -> str:
    """Return `part` as a message's `text`, shown in notifications: escaped, cut to `limit` with "…"."""
    whole = escaped(part)
    return whole if len(whole) <= limit else escaped(split(part, limit - 1, _escaped_length)[0]) + "…"


def as_text(part: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Return all of `part` as texts of at most `limit` characters, for when Slack refuses the blocks."""
    return [escaped(piece) for piece in split(part, limit, _escaped_length)]


def escaped(text: str) -> str:
    """Return text as mrkdwn shows it literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped_length(text: str) -> int:
    return len(escaped(text))


def _weight(part: str) -> int:
    """The share of what one message may hold, in characters of PART_LIMIT."""
    if len(part) > PART_LIMIT or _is_plain(part):
        return len(part)
    tokens = outline().parse(part)
    cells = sum(len(token.content) or 1 for token in _cells(tokens))
    rows = longest = 0
    for token in tokens:
        rows = 0 if token.type == "table_open" else rows + (token.type == "tr_open")
        longest = max(longest, rows)
    shares = ((_blocks(tokens), BLOCK_LIMIT), (longest, _TABLE_ROWS), (cells, _TABLE_CHARACTERS))
    return max(len(part), *(-(-count * PART_LIMIT // most) for count, most in shares))


def _is_plain(part: str) -> bool:
    """Tell, without parsing it, that a part has no table, and too little that begins a block to be too many.

    A line is at most one block beside what it is nested in, and nesting takes a character each time.
    """
    begun = 1 + sum(map(part.count, "\n>-*+.)"))
    return "|" not in part and 2 * begun <= BLOCK_LIMIT


def _cells(tokens: Sequence[Token]) -> list[Token]:
    return [token for above, token in pairwise(tokens) if above.type in {"th_open", "td_open"}]


def _blocks(tokens: Sequence[Token]) -> int:
    """How many blocks Slack makes of these, guessed high: what stands in a list cuts it in two."""
    count = depth = 0
    for token in tokens:
        if token.type in _LISTS:
            count += depth == 0
            depth += 1
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            depth -= 1
        elif token.type in _COUNTED and not (depth and token.type == "paragraph_open"):
            count += 2 if depth else 1
    return count


def _without_wide_tables(markdown: str) -> str:
    """The Markdown with tables of more columns than Slack takes as aligned text in a fence."""
    if "|" not in markdown:
        return markdown
    tokens = outline().parse(markdown)
    lines = markdown.split("\n")
    for number in reversed([number for number, token in enumerate(tokens) if token.type == "table_open"]):
        end = next(at for at in range(number, len(tokens)) if tokens[at].type == "table_close")
        rows = _rows(tokens[number:end])
        where = tokens[number].map
        if len(rows[0]) > _TABLE_COLUMNS and tokens[number].level == 0 and where is not None:
            lines[where[0] : where[1]] = _fenced(aligned(rows))
    return "\n".join(lines)


def _rows(tokens: Sequence[Token]) -> list[list[str]]:
    starts = [number for number, token in enumerate(tokens) if token.type == "tr_open"]
    return [
        [cell.content for cell in _cells(tokens[start:end])]
        for start, end in pairwise([*starts, len(tokens)])
    ]


def _fenced(lines: Sequence[str]) -> list[str]:
    runs = re.findall(r"`+", "\n".join(lines))
    mark = "`" * max([3, *(len(run) + 1 for run in runs)])
    return [mark, *lines, mark]
