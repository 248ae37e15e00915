"""Reads Slack's message text, the mrkdwn of events, for the assistant; it writes none."""

import re

from core.text import clean

# Tokens as docs.slack.dev/messaging/formatting-message-text lists them.
_TOKEN = re.compile(r"<([^<>|][^<>]*)>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def plain(text: str, bot_user: str) -> str:
    """Return what someone wrote as plain text: our own mention gone, tokens readable, entities unescaped."""
    own = re.compile(rf"[ \t]*<@{re.escape(bot_user)}(?:\|[^<>]*)?>")
    said = text.strip()
    addressed = own.match(said)
    if addressed is not None:
        said = said[addressed.end() :].lstrip().lstrip(":,")
    readable = _TOKEN.sub(_readable, own.sub("", said))
    return clean(readable.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).strip()


def mentions(text: str, user: str) -> bool:
    """Whether Slack's `text` mentions this user."""
    return any(found == user for found in _USER.findall(text))


def mentions_other(text: str, bot_user: str) -> bool:
    """Whether Slack's `text` mentions a user other than the bot."""
    return any(found != bot_user for found in _USER.findall(text))


def _readable(token: re.Match[str]) -> str:
    target, _, label = token[1].partition("|")
    kind, name = target[0], target[1:]
    if kind == "!":
        return label or "@" + name.split("^")[0 if "^" not in name else 1]
    if kind in "@#":
        return kind + (label or name).removeprefix(kind)
    if _URL.match(target) is None:
        return token[0]
    address = target.removeprefix("mailto:")
    shows_it = not label or label == address or label == re.sub(r"^https?://|/$", "", address)
    return address if shows_it else f"{label} ({address})"
