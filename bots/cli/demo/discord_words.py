"""Draws Discord's Markdown: its mentions by name, its times as times, what it does not know as plain text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.markdown import Markdown
from rich.text import Text

from bots.markdown.links import JOINER

# Mentions and times as Discord writes them (docs.discord.com/developers/reference, Message Formatting).
_TOKEN = re.compile(
    r"(?P<kept>(?P<tick>`+)[^`](?:.*?[^`])??(?P=tick)(?!`)|\\.)"
    r"|<(?P<mention>@!?|@&|#)(?P<id>\d+)>|<t:(?P<time>\d{1,11})(?::(?P<style>[tTdDfFR]))?>"
    r"|<(?P<address>https?://[^\s<>]+)>|(?P<sign>[<|&])"
)
_SMALL = re.compile(r"-# (.+)")
_QUOTE = re.compile(r">( |$)")
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class DiscordWords:
    """Draws texts; `name` gives what a mention says by its mark (@, @! or @& or #) and its id."""

    name: Callable[[str, str], str]
    now: Callable[[], datetime]

    def line(self, text: str) -> Text:
        """Return a person's words, mentions by name."""
        drawn = Text()
        at = 0
        for found in _TOKEN.finditer(text):
            if found["mention"]:
                drawn.append(text[at : found.start()]).append(self._mention(found), "mention")
                at = found.end()
        return drawn.append(text[at:])

    def block(self, text: str) -> Markdown:
        """Return a message's Markdown, in which every line end counts and a table is none."""
        lines = "\n".join(self._lines(text.replace(JOINER, "").split("\n")))
        return Markdown(lines, code_theme="ansi_dark", hyperlinks=False)

    def _lines(self, lines: list[str]) -> Iterator[str]:
        in_code = was_quote = False
        for line in lines:
            if line.startswith("```"):
                in_code = not in_code
                yield line
                continue
            if was_quote and not _QUOTE.match(line):
                yield ""  # Discord's quotes end with their line, CommonMark's do not
            was_quote = not in_code and _QUOTE.match(line) is not None
            yield line if in_code else f"{self._common(line)}  "

    def _common(self, line: str) -> str:
        """A line outside a block of code, as CommonMark writes it."""
        return _TOKEN.sub(self._shown, _SMALL.sub(r"*\1*", line))

    def _shown(self, found: re.Match[str]) -> str:
        if found["mention"]:
            return f"**{self._mention(found)}**"
        if found["time"]:
            return told_time(datetime.fromtimestamp(int(found["time"]), UTC), found["style"], self.now())
        if found["sign"]:
            return f"\\{found[0]}"
        return found["address"] or found[0]

    def _mention(self, found: re.Match[str]) -> str:
        return f"{found['mention'][0]}{self.name(found['mention'], found['id'])}"


def told_time(at: datetime, style: str | None, now: datetime) -> str:
    """Return a time as one of Discord's styles shows it, with the zone: R is told from now."""
    match style:
        case "R":
            return _relative(at - now)
        case "t" | "T":
            return f"{at:%H:%M} UTC"
        case "d" | "D":
            return f"{at:%Y-%m-%d}"
        case _:
            return f"{at:%Y-%m-%d %H:%M} UTC"


def _relative(distance: timedelta) -> str:
    seconds = round(distance.total_seconds())
    for unit, length in _UNITS:
        count = abs(seconds) // length
        if count:
            many = f"{count} {unit}" if count == 1 else f"{count} {unit}s"
            return f"in {many}" if seconds > 0 else f"{many} ago"
    return "now"
