"""Makes the assistant's Markdown harmless: no mention, no masked link; it cuts and renders nothing."""

import re
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.rules_inline import StateInline, autolink, image, link
from markdown_it.token import Token

from bots.markdown.links import JOINER, straight, tells, web_host
from bots.markdown.reading import parser

_MENTION = re.compile(
    r"(<|&lt;?|&#0*60;?|&#x0*3c;?)(?=!(?:channel|group|here|everyone|subteam)|[@#][A-Z0-9])", re.IGNORECASE
)
_BRACKETS = re.compile(r"(\](?=[(\[:])|!(?=\[)|<(?=[^\s<>]*[:@]))")


def harmless(markdown: str) -> str:
    """Return Markdown that pings nobody and hides no address; what is harmless stays byte for byte.

    Links to the web tell their host beside the label, unless the label does; other links become text,
    images links. Code is left alone but for mentions, which are broken by an invisible WORD JOINER.
    """
    for _ in range(4):  # a link made text can turn the brackets around it into a link
        told = _with_told_links(markdown)
        if told == markdown:
            break
        markdown = told
    else:
        markdown = _broken(markdown)
    return _MENTION.sub(rf"\1{JOINER}", markdown)


@dataclass(frozen=True, slots=True)
class _Link:
    """A link or image in a text, from `start` to `end`; its label as written."""

    start: int
    end: int
    label: str
    address: str
    written: str

    def told(self, rest: str) -> str:
        """What stands for it, `rest` being the text after it."""
        host = web_host(self.address)
        label = straight(self.label) or host or ""
        if host is None:
            code = "`" + self.address.replace("`", "") + "`"
            return code if label in ("", self.address) else f"{label} ({code})"
        if self.written.startswith("<"):
            return self.written
        beside = "" if tells(label, host) or rest.startswith(f" ({host})") else f" ({host})"
        if self.written.startswith("[") and self.address in self.written and label == self.label:
            return self.written + beside
        encoded = normalizeLink(self.address).replace("(", "%28").replace(")", "%29")
        return f"[{label}]({self.address if self.address in self.written else encoded}){beside}"


@cache
def _finder() -> MarkdownIt:
    """Return the parser whose links note themselves in the environment."""
    finder = parser()
    for rule, find in (("link", link), ("image", image), ("autolink", autolink)):
        finder.inline.ruler.at(rule, _recording(find))
    return finder.disable("inline")


def _with_told_links(markdown: str) -> str:
    if "[" not in markdown and "<" not in markdown:
        return markdown  # no link is written without one of these
    finder = _finder()
    env: MutableMapping[str, Any] = {}  # markdown-it's own notes, the link definitions among them
    tokens = [
        token for token in finder.parse(markdown, env) if token.type == "inline" and token.map is not None
    ]
    lines: list[str | None] = [*markdown.split("\n")]
    ends: dict[int, int] = {}
    for token in reversed(tokens):
        env["found"] = []
        finder.inline.parse(token.content, finder, env, [])
        _put_back(lines, ends, token, _retold(token.content, env["found"]))
    return "\n".join(line for line in lines if line is not None)


def _recording(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    """The rule, noting in the environment what it finds."""

    def record(state: StateInline, silent: bool) -> bool:
        start, known, found = state.pos, len(state.tokens), len(state.env["found"])
        if not rule(state, silent):
            return False
        if not silent:
            token = next(token for token in state.tokens[known:] if token.type in {"link_open", "image"})
            if token.type == "image":
                del state.env["found"][found:]  # those of its label, counted from the label's start
            state.env["found"].append(_link(state, start, token))
        return True

    return record


def _link(state: StateInline, start: int, token: Token) -> _Link:
    written = state.src[start : state.pos]
    address = str(token.attrs.get("href", token.attrs.get("src", "")))
    if token.info == "auto":
        return _Link(start, state.pos, written[1:-1], address, written)
    opening = start + (token.type == "image")
    label = state.src[opening + 1 : state.md.helpers.parseLinkLabel(state, opening)]
    return _Link(start, state.pos, label, address, written)


def _retold(text: str, found: Sequence[_Link]) -> str:
    """The text with its links told; those inside another one's label give their labels only."""
    outer: list[tuple[_Link, list[_Link]]] = []
    for one in sorted(found, key=lambda each: each.start):
        if outer and one.start < outer[-1][0].end:
            outer[-1][1].append(one)
        else:
            outer.append((one, []))
    for one, inside in reversed(outer):
        label = one.label
        for inner in inside:
            label = label.replace(inner.written, inner.label)
        before, after = text[: one.start], text[one.end :]
        told = replace(one, label=label, written=one.written.replace(one.label, label, 1)).told(after)
        text = before + (JOINER if before.endswith("!") and told.startswith("[") else "") + told + after
    return text


def _put_back(lines: list[str | None], ends: dict[int, int], token: Token, text: str) -> None:
    """Write `text` for the token's content into its lines, of which all right of and below `ends` is done."""
    first = token.map[0] if token.map is not None else 0
    old, new = token.content.split("\n"), text.split("\n")
    for number, words in enumerate(old):
        line = lines[first + number] or ""
        if number >= len(new):
            lines[first + number] = None
            continue
        end, written, told = ends.get(first + number, len(line)), words, new[number]
        at = line.rfind(written, 0, end)
        if at < 0:  # perhaps a table's cell, where bars are escaped
            written, told = written.replace("|", r"\|"), told.replace("|", r"\|")
            at = line.rfind(written, 0, end)
        ends[first + number] = max(at, 0)
        found = line[:at] + told + line[at + len(written) :]
        lines[first + number] = found if at >= 0 else _broken(line)


def _broken(markdown: str) -> str:
    """Markdown without links, for what cannot be told apart."""
    return _BRACKETS.sub(rf"\1{JOINER}", markdown)
