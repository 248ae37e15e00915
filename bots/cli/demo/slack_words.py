"""Draws Slack's own markup, mrkdwn, as far as people and the app use it. No Markdown blocks."""

import re
from collections.abc import Callable

from rich.text import Text

# What mrkdwn (docs.slack.dev/messaging/formatting-message-text) marks; no nesting is needed here.
_MARKED = re.compile(
    r"<(?P<token>[@#!]?[^<>]+)>|`(?P<code>[^`\n]+)`|\*(?P<bold>[^*\s][^*\n]*)(?<!\s)\*|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
)


def mrkdwn(text: str, name: Callable[[str], str]) -> Text:
    """Return the text, drawn; `name` gives the name of a person by their id."""
    drawn = Text()
    at = 0
    for found in _MARKED.finditer(text):
        drawn.append(_unescaped(text[at : found.start()]))
        drawn.append_text(_marked(found, name))
        at = found.end()
    return drawn.append(_unescaped(text[at:]))


def escaped(text: str) -> str:
    """Return what somebody types as Slack sends it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _marked(found: re.Match[str], name: Callable[[str], str]) -> Text:
    match found.lastgroup:
        case "token":
            return _token(found["token"], name)
        case "code":
            return Text(_unescaped(found["code"]), "code")
        case style:
            return Text(_unescaped(found[style or 0]), style or "")


def _token(token: str, name: Callable[[str], str]) -> Text:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return Text(f"@{name(target[1:])}", "mention")
    return Text(_unescaped(label or target))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
