"""Brings questions to chosen steps, by keeping messages at the doors and the write lock from outside."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults.crash.chat_door import last_words
from tests.faults.crash.door import Keep, Passage, Way
from tests.faults.crash.rows import WriteLock
from tests.faults.crash.side import Asked
from tests.faults.crash.steps import Step
from tests.faults.crash.town import Town
from tests.faults.crash.verdict import settled

# In the order in which they are asked. Eight are asked of the assistant at once, so that the next ones wait.
_POSTING = (Step.ANSWERED, Step.ANSWERED, *[Step.PART_SENT] * 3, Step.ALL_SENT, Step.ALL_SENT)
_ASKING = (Step.CLAIMED, Step.CLAIMED, *[Step.STATUS_SHOWN] * 3, *[Step.IN_FLIGHT] * 3)
_WAITING = (Step.ACKNOWLEDGED, Step.ACKNOWLEDGED)
_AT_LAST = (Step.COMMITTED, Step.COMMITTED)
_LOCKED_OUT = (Step.RECEIVED, Step.RECEIVED, Step.RECEIVED)
AIMS = (*_POSTING, *_ASKING, *_WAITING, *_AT_LAST, *_LOCKED_OUT)

_IN_PLACE = 10.0  #: seconds until a question that does not get where it should is let be


@dataclass(eq=False, slots=True)
class Aimed:
    """A question, where it is wanted, and what keeps it there. `released` ones are let go behind the lock."""

    step: Step
    asked: Asked
    keep: Keep | None
    release_late: bool


class Marksman:
    """Asks a round of questions and holds each at its step, so that one kill meets all nine."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        self._town = town
        self._rng = rng
        self._aimed: list[Aimed] = []

    async def take_aim(self) -> tuple[Sequence[Aimed], WriteLock]:
        """Return once every question is where it is wanted, with the lock that keeps it there."""
        # All are answered by now; no thread is gone on with twice in a round.
        known = list({one.thread: one for one in self._town.questions}.values())
        self._rng.shuffle(known)
        while len(known) < _ASKING.count(Step.CLAIMED):
            known.append(await self._answered())
        at_last = _AT_LAST if self._town.side.acknowledges else ()
        for steps in (_POSTING, _ASKING, _WAITING, at_last):
            for step in steps:
                await self._ask(step, known)
            await self._in_place()
        await self._follow()
        if not self._town.side.acknowledges:
            await self._committed()
        lock = await asyncio.to_thread(WriteLock, self._town.database)
        await asyncio.to_thread(lock.take)
        for step in _LOCKED_OUT:
            await self._ask(step, known)
        for aimed in self._aimed:
            if aimed.keep is not None and aimed.release_late:
                aimed.keep.released.set()  # the program gets its reply, and cannot write it down
        await self._in_place()
        await self._town.echo()
        return self._aimed, lock

    async def _answered(self) -> Asked:
        """Have one question answered: its thread is known then, and the next in it has a second speaker."""
        asked = await self._town.ask()
        await settled(self._town, [asked])
        return asked

    async def _ask(self, step: Step, known: list[Asked]) -> None:
        """Ask a question that is to come to a step; some of them go on in an answered thread."""
        spare = len(known) > _ASKING.count(Step.CLAIMED)  # those need a thread that somebody has spoken in
        goes_on = spare and self._town.side.goes_on and self._rng.random() < 0.25
        follows = step is Step.CLAIMED or goes_on
        thread = known.pop() if follows else None
        parts = self._rng.randint(2, 4) if step is Step.PART_SENT else self._rng.choice((1, 1, 1, 2))
        keeps: list[Keep] = []

        def prepare(asked: Asked) -> None:
            keep = self._keep(step, asked)
            if keep is not None:
                keeps.append(self._town.keeper.keep(keep))

        asked = await self._town.ask(thread=thread, parts=parts, prepare=prepare)
        late = step in {Step.IN_FLIGHT, Step.PART_SENT, Step.ALL_SENT} and self._rng.random() < 0.4
        self._aimed.append(Aimed(step, asked, keeps[0] if keeps else None, release_late=late))

    async def _follow(self) -> None:
        """Ask once more in two threads whose question is under way: it has to wait for its turn."""
        for aimed in self._rng.sample(self._aimed, 2):
            asked = await self._town.ask(thread=aimed.asked)
            self._aimed.append(Aimed(Step.ACKNOWLEDGED, asked, None, release_late=False))
        await self._in_place()

    async def _committed(self) -> None:
        """Wait until all questions so far are on disk, where nothing else tells that they are."""
        until = asyncio.get_running_loop().time() + _IN_PLACE
        while any(self._town.row(self._town.rows(), one.asked) is None for one in self._aimed):
            await self._town.echo("/readyz")
            if asyncio.get_running_loop().time() > until:
                return

    def _keep(self, step: Step, asked: Asked) -> Keep | None:
        """Return what keeps a question at a step, from before it is asked."""
        if step is Step.IN_FLIGHT and self._rng.random() < 0.5:
            asked.thinking = asyncio.Event()  # the assistant keeps it, not the door
            return None
        side = self._town.side
        part = self._rng.randrange(asked.parts - 1) if step is Step.PART_SENT else asked.parts - 1
        if step is Step.COMMITTED:
            return side.keep_acknowledgement(asked)
        keeps = {
            Step.CLAIMED: Keep(Way.IN, lambda one: side.looks_up(one, asked)),
            Step.STATUS_SHOWN: Keep(Way.IN, lambda one: _asks(one, asked)),
            Step.IN_FLIGHT: Keep(Way.OUT, lambda one: _asks(one, asked)),
            Step.ANSWERED: Keep(Way.IN, lambda one: self._posts(one, asked, 0)),
            Step.PART_SENT: Keep(Way.OUT, lambda one: self._posts(one, asked, part)),
            Step.ALL_SENT: Keep(Way.OUT, lambda one: self._posts(one, asked, part)),
        }
        return keeps.get(step)

    def _posts(self, passage: Passage, asked: Asked, part: int) -> bool:
        return asked.marker.encode() in passage.request and self._town.side.part_of(passage) == part

    async def _in_place(self) -> None:
        """Wait until each question is where it should be; the proof is made after the kill."""
        await self._in_time(lambda: all(self._is_in_place(aimed) for aimed in self._aimed))

    async def _in_time(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(_IN_PLACE):
                await self._town.until(holds)
        except TimeoutError:
            return

    def _is_in_place(self, aimed: Aimed) -> bool:
        town, asked, step = self._town, aimed.asked, aimed.step
        match step:
            case Step.RECEIVED:
                return any(one.forwarded and one.tells_of(asked.marker) for one in town.keeper.passages)
            case Step.ACKNOWLEDGED:
                return town.side.acknowledged().issuperset(town.side.events(asked))
            case Step.COMMITTED:
                return aimed.keep is not None and len(aimed.keep.kept) >= len(town.side.events(asked))
            case Step.CLAIMED:  # one look-up may wait for the other, before it comes to the door
                return any(one.keep.kept for one in self._aimed if one.step is step and one.keep is not None)
            case Step.STATUS_SHOWN if not town.side.statuses(asked):
                return False
        if aimed.keep is None:
            return town.calls(asked) > 0
        return bool(aimed.keep.kept)


def _asks(passage: Passage, asked: Asked) -> bool:
    return passage.door == "assistant" and asked.marker in last_words(passage)
