"""What a line typed into the demo does: speak, go somewhere, be someone, make the assistant stumble."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bots import texts
from bots.cli.demo.seen import Misunderstood, Said, Side, Spot
from bots.cli.demo.town import ANA, BEN, OWN_KEY, Town
from bots.cli.demo.watch import Watch
from bots.demo.assistant.faults import rate_limited, status

_LONGEST = 3600  #: seconds


@dataclass(slots=True)
class Seat:
    """Who is writing, and where."""

    who: str
    spot: Spot


class Deeds:
    """Carries out lines for whoever sits at the terminal."""

    def __init__(self, town: Town, watch: Watch) -> None:
        self._town = town
        self._watch = watch
        self.seat = Seat(ANA, town.channels["shop"])
        self._verbs: Mapping[str, Callable[[str], Awaitable[str]]] = {
            "channel": self._channel,
            "thread": self._thread,
            "up": self._up,
            "dm": self._direct,
            "as": self._as,
            "about": self._about,
            "more": self._more,
            "edit": self._edit,
            "stop": self._stop,
            "key": self._key,
            "429": self._rate_limited,
            "down": self._down,
            "slow": self._slow,
        }

    async def do(self, line: str) -> str:
        """Carry out a line and return what is to be told beside what everybody sees; often nothing.

        Raises Misunderstood.
        """
        line = line.strip()
        seat, ways = self.seat, self._side.ways
        if line.split() == ["/threadline", "account"]:
            raise Misunderstood(
                f"That opens a form. Here it is filled in by :key, for example :key {OWN_KEY}"
            )
        if line.startswith("/"):
            await ways.slash(seat.who, seat.spot, line)
        elif line.startswith(":"):
            word, _, rest = line.partition(" ")
            verb = self._verbs.get(word[1:])
            if verb is None:
                raise Misunderstood(f"There is no {word}. Type :help to see what there is.")
            return await verb(rest.strip())
        elif line:
            await ways.say(seat.who, seat.spot, line)
        return ""

    @property
    def _side(self) -> Side:
        return self._town.sides[self.seat.spot.chat]

    async def _channel(self, name: str) -> str:
        channels = self._town.channels
        wanted = name.removeprefix("#")
        if wanted not in channels:
            places = [f"{side_name}: {', '.join(names)}" for side_name, names in self._by_chat().items()]
            raise Misunderstood(f"Name one of the channels. {'; '.join(places)}.")
        self.seat.spot = channels[wanted]
        return ""

    async def _thread(self, number: str) -> str:
        self.seat.spot = self._numbered(number)
        return ""

    async def _up(self, _: str) -> str:
        self.seat.spot = Spot(self.seat.spot.chat, self.seat.spot.channel)
        return ""

    async def _direct(self, _: str) -> str:
        self.seat.spot, about = self._side.ways.direct(self.seat.who)
        return about

    async def _as(self, name: str) -> str:
        if name not in {ANA, BEN}:
            raise Misunderstood("You can be ana, an admin, or ben, a member: type :as ben.")
        ways, spot = self._side.ways, self.seat.spot
        if ways.direct(self.seat.who)[0].channel == spot.channel:
            self.seat.spot, _ = ways.direct(name)
        self.seat.who = name
        return ""

    async def _about(self, words: str) -> str:
        number, _, question = words.partition(" ")
        conversation = self._numbered(number)
        ways = self._town.sides[conversation.chat].ways
        await ways.ask_about(self.seat.who, conversation, question.strip())
        return ""

    async def _more(self, question: str) -> str:
        if not question:
            raise Misunderstood("Type the question behind it, for example :more and who publishes it?")
        await self._side.ways.ask_more(self.seat.who, self.seat.spot, question)
        return ""

    async def _edit(self, text: str) -> str:
        mine = self._newest(lambda one: one.who == self.seat.who and not one.is_app)
        if not (mine and text):
            raise Misunderstood(
                "Type what your newest message here is to say, for example :edit who owns it?"
            )
        await self._side.ways.edit(mine, text)
        return ""

    async def _stop(self, _: str) -> str:
        waiting = self._newest(lambda one: texts.STOP_BUTTON in one.buttons)
        if not waiting:
            raise Misunderstood("No Stop button here. There is one where a wait is long: try :429 300 first.")
        await self._side.ways.press(self.seat.who, waiting, texts.STOP_BUTTON)
        return ""

    async def _key(self, key: str) -> str:
        if not key:
            raise Misunderstood(f"Name an API key. This one is another organisation's: :key {OWN_KEY}")
        return await self._side.ways.set_key(self.seat.who, self.seat.spot, key)

    def _newest(self, counts: Callable[[Said], bool]) -> Said | None:
        """Return the newest such message where one is: in a channel also in its threads."""
        seat = self.seat.spot
        here = [
            one
            for one in self._side.window.said()
            if seat in {one.spot, one.conversation} or (not seat.thread and one.spot.channel == seat.channel)
        ]
        return max(filter(counts, here), key=lambda one: one.at, default=None)

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

    def _by_chat(self) -> Mapping[str, list[str]]:
        return {str(chat): list(side.ways.channels) for chat, side in self._town.sides.items()}

    def _numbered(self, number: str) -> Spot:
        found = self._watch.conversation(int(number)) if number.isdecimal() else None
        if found is None:
            raise Misunderstood("Name a thread by the number that stands beside it, for example :thread 1.")
        return found


def _number(text: str, example: str, *, least: float = 1) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not least <= number <= _LONGEST:
        raise Misunderstood(f"A number from {least:g} to {_LONGEST} is needed here, for example {example}.")
    return number
