"""What is outside: an assistant and rooms where things are shown; whatever is done there can be held up."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import (
    AccountRefused,
    AskerAway,
    BrokenAnswer,
    CannotLook,
    CreditsSpent,
    OutcomeUnknown,
    PostRefused,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)
from core.model import Address, AssistantAway, DeliveryId, Mark, ProjectId, ThreadState, Turn

if TYPE_CHECKING:
    from tests.faults.machine.process import Process


class Kind(StrEnum):
    """What can be under way outside."""

    ASK = "ask"
    POST = "post"
    FIND = "find"
    MARK = "mark"
    STATE = "state"
    NAMES = "names"


class Fate(StrEnum):
    """What becomes of one of them. Where it makes no sense for its kind, it goes well."""

    WELL = "well"
    UNKNOWN_DONE = "no reply, and it was done"
    UNKNOWN_NOT = "no reply, and it was not done"
    UNREACHABLE = "unreachable"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"
    SLOW_0 = "429, no time named"
    SLOW_2 = "429, 2 s"
    SLOW_MINUTES = "429, 3 min"
    SLOW_HOURS = "429, 7 h"
    SLOW_DAYS = "429, 30 h"
    REFUSED = "refused for good"
    AWAY = "the asker is away"
    ACCOUNT = "our token is refused"
    BLIND = "no looking"


_SLOW = {
    Fate.SLOW_0: None,
    Fate.SLOW_2: timedelta(seconds=2),
    Fate.SLOW_MINUTES: timedelta(minutes=3),
    Fate.SLOW_HOURS: timedelta(hours=7),
    Fate.SLOW_DAYS: timedelta(hours=30),
}
_EVERYWHERE = {*_SLOW, Fate.UNREACHABLE, Fate.UNAVAILABLE}
_UNKNOWN = {Fate.UNKNOWN_DONE, Fate.UNKNOWN_NOT}
POSSIBLE = {
    Kind.ASK: {*_EVERYWHERE, *_UNKNOWN, Fate.BROKEN, Fate.REFUSED},
    Kind.POST: {*_EVERYWHERE, *_UNKNOWN, Fate.REFUSED, Fate.AWAY, Fate.ACCOUNT},
    Kind.FIND: {*_EVERYWHERE, Fate.BLIND, Fate.ACCOUNT},
    Kind.MARK: {*_EVERYWHERE, *_UNKNOWN, Fate.REFUSED, Fate.AWAY},
    Kind.STATE: {Fate.UNAVAILABLE, Fate.SLOW_2},
    Kind.NAMES: {Fate.UNAVAILABLE, Fate.SLOW_2},
}


def _error(kind: Kind, fate: Fate) -> ThreadlineError | None:
    if fate is Fate.WELL or fate not in POSSIBLE[kind]:
        return None
    if fate in _SLOW:
        return RateLimited(_SLOW[fate])
    refused = CreditsSpent() if kind is Kind.ASK else PostRefused()
    errors: dict[Fate, ThreadlineError] = {
        Fate.UNKNOWN_DONE: OutcomeUnknown(),
        Fate.UNKNOWN_NOT: OutcomeUnknown(),
        Fate.UNREACHABLE: Unreachable(),
        Fate.UNAVAILABLE: Unavailable(),
        Fate.BROKEN: BrokenAnswer(),
        Fate.REFUSED: refused,
        Fate.AWAY: AskerAway(),
        Fate.ACCOUNT: AccountRefused(),
        Fate.BLIND: CannotLook(),
    }
    return errors[fate]


@dataclass(eq=False)
class Deed:
    """Something under way outside: who does it, for which delivery, and what it does if it is done."""

    kind: Kind
    process: "Process"
    delivery: DeliveryId | None
    effect: Callable[[], None]
    ended: "asyncio.Future[ThreadlineError | None]"
    fence: int = 0

    def __repr__(self) -> str:
        return f"<{self.kind} {self.delivery} by {self.process.number}>"


@dataclass(eq=False)
class Outside:
    """What is under way and what has been seen there. `holding`: kinds that wait to be let go."""

    under_way: list[Deed] = field(default_factory=list)
    holding: set[Kind] = field(default_factory=set)
    fates: dict[Kind, list[Fate]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    weather: float = 0.0  #: how often something goes wrong of itself
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 each run goes the same way
    met: dict[DeliveryId, set[Fate]] = field(default_factory=dict)
    length: int = 1  #: messages of which the next answers consist
    replies: dict[str, str] = field(default_factory=dict)  #: an answer, and the text it was asked with
    calls: int = 0
    shown: dict[DeliveryId, list[tuple[str, str]]] = field(default_factory=dict)
    marks: dict[DeliveryId, list[Mark]] = field(default_factory=dict)
    told_away: Counter[DeliveryId] = field(default_factory=Counter)

    async def do(self, deed: Deed) -> None:
        """Do something there, when it is let; raise what it comes to."""
        self.under_way.append(deed)
        try:
            if deed.kind not in self.holding:
                await asyncio.sleep(0)
                if deed in self.under_way:  # else it has vanished with its process, in this very moment
                    self.end(deed, self._fate(deed.kind))
            error = await deed.ended
        finally:
            if deed in self.under_way:
                self.under_way.remove(deed)
        await deed.process.thawed()
        if error is not None:
            raise error

    def _fate(self, kind: Kind) -> Fate:
        if self.fates[kind]:
            return self.fates[kind].pop(0)
        if self.dice.random() >= self.weather:
            return Fate.WELL
        return self.dice.choice(sorted(POSSIBLE[kind] - {Fate.SLOW_HOURS, Fate.SLOW_DAYS}))

    def end(self, deed: Deed, fate: Fate) -> None:
        """Decide what becomes of something under way."""
        error = _error(deed.kind, fate)
        if error is None or fate is Fate.UNKNOWN_DONE:
            deed.effect()
        if error is not None and deed.delivery is not None:
            self.met.setdefault(deed.delivery, set()).add(fate)
        self.under_way.remove(deed)
        deed.ended.set_result(error)

    def vanish(self, process: "Process", *, done: bool) -> None:
        """Have the process that did it be gone; what was on its way may get there all the same."""
        for deed in [one for one in self.under_way if one.process is process]:
            self.under_way.remove(deed)
            if done:
                deed.effect()

    def answer(self, project: ProjectId, turns: Sequence[Turn]) -> str:
        """Return an answer like no other, to the newest turn."""
        self.calls += 1
        said = turns[-1].text
        answer = f"to {said} of {project} call {self.calls} ".ljust(40 * self.length, ".")
        self.replies[answer] = said
        return answer

    def show(self, to: Address, piece: str, text: str) -> None:
        self.shown.setdefault(to.delivery, []).append((piece, text))

    def tell(self, to: Address, state: ThreadState) -> None:
        self.told_away[to.delivery] += isinstance(state, AssistantAway)
