"""Reads Markdown into tokens; it judges and changes nothing."""

from functools import cache

from markdown_it import MarkdownIt


def parser(*rules: str, deepest: int = 20) -> MarkdownIt:
    """A parser of CommonMark with tables and further `rules`, HTML being text to it.

    Its links are those of the source, whatever their scheme. It drops what lies in `deepest` blocks or more.
    """
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": deepest}).enable(["table", *rules])
    # What it refuses would stay unseen here and be a link elsewhere; what it encodes is not the source.
    markdown.validateLink = bool  # type: ignore[assignment, method-assign]  # meant to be replaced, says its docstring
    markdown.normalizeLink = str  # type: ignore[assignment, method-assign]  # the same
    return markdown


@cache
def outline() -> MarkdownIt:
    """The parser of blocks alone, whose words stay unread; made once: that takes longer than to parse."""
    return parser().disable("inline")
