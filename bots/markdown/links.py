"""Says where a link leads and whether its label says so; it finds no links and writes none."""

import html
import re

#: WORD JOINER: invisible, and no line is broken at it; put into what must not be taken for a command.
JOINER = "\u2060"

_WEB = re.compile(r"https?://(?P<host>\w[\w.-]*)(?::\d+)?(?:[/?#].*)?", re.IGNORECASE)
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_UNSEEN = re.compile("[\\\\*_`~\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def web_host(address: str) -> str | None:
    """The host of a web address, as it is looked up; None for any other address."""
    web = _WEB.fullmatch(address)
    try:
        return None if web is None else web["host"].lower().encode("idna").decode()
    except UnicodeError:
        return None


def tells(label: str, host: str) -> bool:
    """Whether the first domain that `label`, as Markdown, shows is that host."""
    seen = _DOMAIN.search(_UNSEEN.sub("", html.unescape(label)))
    return seen is not None and seen[0].lower() == host


def straight(text: str) -> str:
    """Return `text` without what turns the direction of the words after it."""
    return _DIRECTIONS.sub("", text)
