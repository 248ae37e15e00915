"""Makes the assistant's Markdown fit for Discord: harmless, in messages that it takes; it sends nothing."""

import re

from bots.discord.blocks import dialect
from bots.discord.words import TIE
from bots.markdown.links import JOINER
from core.text import clean, split

#: What Discord takes in one message (docs.discord.com/developers/resources/message).
MESSAGE_LIMIT = 2_000
#: The longest part, in UTF-16 units, the stricter way to count; the rest is for a mention or a line of ours.
PART_LIMIT = 1_900
#: What a part can take in UTF-8: three bytes a unit, and so a message may be full of any script. Discord
#: names no such cap; messages of components fail near 10,170 bytes (discord/discord-api-docs#8554).
BYTE_LIMIT = 3 * PART_LIMIT
#: An answer of more messages than this is a file, and only its first messages are shown as such.
MOST_MESSAGES = 5
FIRST_MESSAGES = 3

# Discord's own way to read, as far as it finds what must stay as it is: code, escapes, links.
_KEPT = (
    r"(?P<kept>```(?:[\w+.#-]+?\n)?\n*[^\n][\s\S]*?\n*```"
    r"|\\[^0-9A-Za-z\s]|<https?://[^\s<>]+>|(?P<mark>`+)[\s\S]*?[^`](?P=mark)(?!`))"
)
# Mentions, emoji, commands, times, addresses; then a spoiler's bars, small print and the long quote.
_JOINED = r"(?P<joined><(?=[@#:/+]|[^\s<>]*[:@])|@(?=everyone|here)|(?:https?|steam|discord):(?=//))"
_BACKSLASHED = r"\|(?=\|)|(?<=\|)\||(?<![^\s>])-(?=#\s)|(?<![^\s>])>(?=>>\s)"
_LIVE = re.compile(f"{_KEPT}|{_JOINED}|{_BACKSLASHED}", re.IGNORECASE)


def parts(answer: str) -> list[str]:
    """Return the assistant's Markdown as Discord's messages, none if blank; nothing is ever cut.

    A part is at most `PART_LIMIT` UTF-16 units and `BYTE_LIMIT` bytes long. If there were more than
    `MOST_MESSAGES`, these are the first `FIRST_MESSAGES` of them and then, as one last part for which
    `is_file` is true, the whole answer as the assistant wrote it. Nothing in a message is a mention, a
    custom emoji, a time, a command or a spoiler, and no link loads a preview; a link tells its host.
    """
    source = clean(answer)
    if not source.strip():
        return []
    written = dialect(source)
    many = _units(written) > MOST_MESSAGES * PART_LIMIT
    # What is further down changes nothing in the first messages, and cutting all of it takes long.
    shown = written[: (FIRST_MESSAGES + 2) * PART_LIMIT] if many else written
    messages = [_harmless(part) for part in split(shown, PART_LIMIT, _size)]
    whole = source if is_file(source) else written.replace(TIE, " ")
    if is_file(whole) and (many or len(messages) > MOST_MESSAGES):
        return [*messages[:FIRST_MESSAGES], whole]
    return messages


def is_file(part: str) -> bool:
    """Whether this part is to be sent as a file, being longer than any message."""
    return len(part) > MESSAGE_LIMIT


def _harmless(part: str) -> str:
    """The part as it is sent: nothing outside code is live, where Discord would see code after the cut."""
    return _LIVE.sub(_made_text, part.replace(TIE, " "))


def _made_text(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    return found[0] + JOINER if found["joined"] else "\\" + found[0]


def _size(part: str) -> int:
    size = _units(part)
    return size if size > PART_LIMIT else _units(_harmless(part))


def _units(text: str) -> int:
    return len(text) + sum(sign > "\uffff" for sign in text)
