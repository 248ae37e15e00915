"""What a line typed into the demo does: speak, go somewhere, be someone, make the assistant stumble."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bots.cli.demo_town import COMMAND, Town
from bots.cli.demo_watch import Watch
from bots.demo.assistant.faults import rate_limited, status
from bots.slack.shortcut import ASK_ABOUT

_FORM_WITHIN = 3.0  #: seconds in which the shortcut's form must open
_LONGEST = 3600  #: seconds


class Misunderstood(Exception):
    """The line cannot be carried out; the message says why, and what could be."""


@dataclass(slots=True)
class Seat:
    """Who is writing, and where; `thread` is empty at the channel's top level."""

    who: str
    channel: str
    thread: str = ""


class Deeds:
    """Carries out lines for whoever sits at the terminal."""

    def __init__(self, town: Town, watch: Watch) -> None:
        self._town = town
        self._workspace = town.workspace
        self._watch = watch
        self.seat = Seat(town.ana, town.shop)
        self._verbs: Mapping[str, Callable[[str], Awaitable[str]]] = {
            "channel": self._channel,
            "thread": self._thread,
            "up": self._up,
            "dm": self._direct,
            "as": self._as,
            "about": self._about,
            "429": self._rate_limited,
            "down": self._down,
            "slow": self._slow,
        }

    async def do(self, line: str) -> str:
        """Carry out a line and return what is to be told beside what everybody sees; often nothing.

        Raises Misunderstood.
        """
        word, _, rest = line.strip().partition(" ")
        if not word:
            return ""
        if word.startswith("/"):
            return await self._slash(word, rest.strip())
        if not word.startswith(":"):
            return await self._say(line.strip())
        verb = self._verbs.get(word[1:])
        if verb is None:
            raise Misunderstood(f"There is no {word}. Type :help to see what there is.")
        return await verb(rest.strip())

    async def _say(self, text: str) -> str:
        seat = self.seat
        await self._workspace.say(seat.who, seat.channel, self._written(text), thread=seat.thread or None)
        return ""

    async def _slash(self, command: str, words: str) -> str:
        if command != COMMAND:
            raise Misunderstood(f"This workspace has one slash command: {COMMAND} help.")
        if self.seat.thread:
            raise Misunderstood("Slack has no slash commands in threads: type :up first.")
        await self._workspace.command(self.seat.who, self.seat.channel, command, words)
        return ""

    async def _channel(self, name: str) -> str:
        wanted = name.removeprefix("#")
        named = {one.name: one.id for one in self._workspace.channels.values() if one.kind != "im"}
        if wanted not in named:
            raise Misunderstood(f"Name one of the channels: {', '.join(named)}.")
        self.seat.channel, self.seat.thread = named[wanted], ""
        return ""

    async def _thread(self, number: str) -> str:
        self.seat.channel, self.seat.thread = self._numbered(number)
        return ""

    async def _up(self, _: str) -> str:
        self.seat.thread = ""
        return ""

    async def _direct(self, _: str) -> str:
        self.seat.channel, self.seat.thread = self._workspace.direct_channel(self.seat.who), ""
        return "Here nobody has to mention anybody. Direct messages ask the workspace's default project."

    async def _as(self, name: str) -> str:
        people = {"ana": self._town.ana, "ben": self._town.ben}
        if name not in people:
            raise Misunderstood("You can be ana, an admin, or ben, a member: type :as ben.")
        if self._workspace.channels[self.seat.channel].kind == "im":
            self.seat.channel, self.seat.thread = self._workspace.direct_channel(people[name]), ""
        self.seat.who = people[name]
        return ""

    async def _about(self, words: str) -> str:
        number, _, question = words.partition(" ")
        channel, root = self._numbered(number)
        who = self.seat.who
        await self._workspace.shortcut(who, channel, root, callback_id=ASK_ABOUT)
        try:
            async with asyncio.timeout(_FORM_WITHIN):
                form = await self._workspace.until(lambda: self._workspace.view(who))
        except TimeoutError as error:
            raise Misunderstood("The form of “Ask about this message” did not open.") from error
        field = next(block for block in form.body["blocks"] if block["type"] == "input")
        values = {field["block_id"]: {field["element"]["action_id"]: question.strip()}}
        await self._workspace.submit_view(who, form.id, values=values)
        return ""

    async def _rate_limited(self, seconds: str) -> str:
        wait = round(_number(seconds, "5"))
        self._town.assistant.faults.add(rate_limited(str(wait)))
        return f"The assistant will answer the next question with “429, Retry-After: {wait}”."

    async def _down(self, times: str) -> str:
        count = round(_number(times or "1", "3"))
        self._town.assistant.faults.add(*[status(503)] * count)
        calls = "call" if count == 1 else f"{count} calls"
        return f"The assistant will answer the next {calls} with “503 Service Unavailable”."

    async def _slow(self, seconds: str) -> str:
        self._town.assistant.latency = _number(seconds, "5", least=0)
        return f"The assistant now takes {self._town.assistant.latency:g} seconds for an answer."

    def _numbered(self, number: str) -> tuple[str, str]:
        found = self._watch.thread(int(number)) if number.isdecimal() else None
        if found is None:
            raise Misunderstood("Name a thread by the number that stands beside it, for example :thread 1.")
        return found

    def _written(self, text: str) -> str:
        """Return what was typed as Slack would send it: escaped, names as mentions."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        ids = {person.display_name.lower(): person.id for person in self._workspace.users.values()}

        def mention(found: re.Match[str]) -> str:
            who = ids.get(found[1].lower())
            return found[0] if who is None else f"<@{who}>"

        return re.sub(r"(?<!\w)@(\w+)", mention, escaped)


def _number(text: str, example: str, *, least: float = 1) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not least <= number <= _LONGEST:
        raise Misunderstood(f"A number from {least:g} to {_LONGEST} is needed here, for example {example}.")
    return number
