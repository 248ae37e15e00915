"""Processes over one store in a world where time passes, and what must hold there. People are elsewhere."""

import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from core.model import (
    SETTLED,
    AuthorId,
    ChannelKey,
    LaneId,
    Outcome,
    Platform,
    ProjectId,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.services.allowances import Allowances
from core.services.asking import AskingRules
from core.testing import SettableClock
from tests.faults.machine.invariants import Everything, always, everything, in_the_end
from tests.faults.machine.ledger import Ledger
from tests.faults.machine.loop import Loop
from tests.faults.machine.outside import Deed, Fate, Kind, Outside
from tests.faults.machine.process import Process, Surroundings
from tests.faults.machine.stores import Opened
from tests.faults.machine.watching import Watch

SLACK, DISCORD = Platform("slack"), Platform("discord")
_HERE = ((SLACK, "acme"), (SLACK, "globex"), (DISCORD, "acme"))
PLACES = [
    ChannelKey(platform, WorkspaceId(workspace), name) for platform, workspace in _HERE for name in "ab"
]
THREADS = [
    ThreadKey(at.platform, at.workspace, at.channel, thread)
    for at in PLACES
    for thread in (("t1", "t2", "t3") if at.channel == "a" else ("t1",))
]
PEOPLE = [AuthorId("ana"), AuthorId("ben")]
LANES = [LaneId("key 1"), LaneId("key 2")]
PROJECTS = [ProjectId("shop-demo-7f3k2"), ProjectId("bank-demo-9d2m4")]
BUDGET = 300
_NARROW = Allowances(thread=8, person=12, channel=20, waiting=6)
_BEGUN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Town:
    """Processes over one store, and time. `now` is the platforms' time."""

    def __init__(self, opened: Opened, *, default: bool, narrow: bool) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(_listened_to(self._wrong))
        self.loop = Loop()
        self._stack.callback(self.loop.close)
        self.now = _BEGUN
        self.ledger, self.outside = Ledger(), Outside()
        self.watch = Watch(self.ledger, self.outside, LANES)
        self.store = self._stack.enter_context(opened())
        dice = random.Random(7)  # noqa: S311 each run goes the same way
        self._around = Surroundings(
            self.store, self.outside, self.watch, (SLACK, DISCORD), self.watch.new_id, dice.random
        )
        self._rules = AskingRules(
            LANES[0],
            PROJECTS[0] if default else None,
            BUDGET,
            _NARROW if narrow else Allowances(),
        )
        self.processes: list[Process] = []
        self._numbers = 0
        self.begin(self.now)

    def _wrong(self, said: str) -> None:
        self.watch.faults.append(said)

    @property
    def awake(self) -> Sequence[Process]:
        return [one for one in self.processes if one.frozen is None]

    def some(self, which: int) -> Process:
        """Return some process that is not frozen; there is always one."""
        return self.awake[which % len(self.awake)]

    def begin(self, now: datetime) -> None:
        """Start a process; beside another it takes over only what that lets expire."""
        self._numbers += 1
        process = Process(self._numbers, self._around, self._rules, SettableClock(now))
        alone = not self.processes
        self.processes.append(process)
        self.loop.run(process.do(process.begin(alone=alone)))

    def crash(self, *, done: bool, step: float, lane: LaneId, project: ProjectId | None) -> None:
        """Have all processes vanish at once, and start a new one whose clock is off by `step` seconds."""
        now = max(one.clock.now() + timedelta(seconds=one.missed) for one in self.processes)
        for one in self.processes:
            one.dead = True
        for one in self.processes:
            self.outside.vanish(one, done=done)
            self.loop.run(one.die())
        self.processes.clear()
        self.watch.keys += lane != self._rules.lane
        self._rules = replace(self._rules, lane=lane, default_project=project)
        self.begin(now + timedelta(seconds=step))

    def crash_again(self, *, done: bool) -> None:
        """Crash, and start again as before."""
        self.crash(done=done, step=0, lane=self._rules.lane, project=self._rules.default_project)

    def second(self, *, freeze: bool, freeze_done: bool = True) -> None:
        """Start a second process, the first frozen or not."""
        (first,) = self.processes
        if freeze:
            self.freeze(first, done=freeze_done)
        self.begin(first.clock.now())

    def freeze(self, process: Process, *, done: bool) -> None:
        """Have a process stand still. What it was posting has left it: it gets there now, or never."""
        process.freeze()
        for deed in [one for one in self.outside.under_way if one.process is process]:
            if deed.kind is Kind.POST:
                self.release(deed, Fate.WELL if done else Fate.UNKNOWN_NOT)

    def end_one(self, which: int, *, done: bool) -> None:
        """Have one of two processes vanish."""
        one = self.processes.pop(which % len(self.processes))
        self.outside.vanish(one, done=done)
        self.loop.run(one.die())
        for other in self.processes:
            self.thaw(other)

    def thaw(self, process: Process) -> None:
        self.loop.run(_at_once(process.thaw))

    def release(self, deed: Deed, fate: Fate) -> None:
        self.loop.run(_at_once(lambda: self.outside.end(deed, fate)))

    def cut_short(self, deed: Deed, fate: Fate, hops: int) -> None:
        """Have something end, and go on from there by a few steps only: then comes a crash."""
        self.outside.end(deed, fate)
        self.loop.some(hops)

    def let_go(self) -> None:
        """Hold nothing up any more."""
        self.outside.holding.clear()
        while self.outside.under_way:
            self.release(self.outside.under_way[0], Fate.WELL)

    def wait(self, seconds: float) -> None:
        """Let time pass: at first step by step, as clocks do, then by more."""
        several = len(self.awake) > 1  # then each renews its leases before another takes them for expired
        left = min(seconds, 61.0) if several else seconds
        while left > 0:
            step = min(left, 2.0 if several else max(2.0, left / 4))
            self._advance(step)
            left -= step

    def _advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        for one in self.processes:
            self.loop.run(_at_once(lambda one=one: one.advance(seconds)))  # type: ignore[misc]  # bound at once

    def heal(self) -> None:
        """Make everything healthy, and let time pass until nothing is owed, a day and more at most."""
        self.outside.fates, self.outside.weather = {kind: [] for kind in Kind}, 0.0
        for one in self.processes:
            one.failing = 0
            self.thaw(one)
        self.let_go()
        if len(self.processes) > 1:
            self.wait(20)
            self.let_go()
            self.end_one(0, done=True)
        end = self.now + timedelta(hours=32)
        while self.now < end and not self._is_idle():
            dues = [one.due - one.clock.now() for one in self.processes if one.due is not None]
            soonest = min(dues, default=timedelta(minutes=1))  # as for marks, of which it tells nothing
            self._advance(min(max(soonest.total_seconds(), 2.0), 600.0))
            self.let_go()
        self._advance(62)
        self._advance(62)

    def _is_idle(self) -> bool:
        ever = self.now + timedelta(days=100)
        now = min(one.clock.now() for one in self.processes)  # a mark that is seen here is due then
        marks = self.loop.run(self.store(lambda uow: uow.marks.due(ever, now, 1)))
        return not marks and not any(one.state not in SETTLED for one in self.everything().rows.values())

    def everything(self) -> Everything:
        return self.loop.run(self.store(lambda uow: everything(uow, self.watch.ids, THREADS)))

    def check(self) -> None:
        """Raise AssertionError with all that is wrong now."""
        self.ledger.turn += 1
        all_ = self.everything()
        by_time = {one.asked_at: one for one in self.ledger.asked}
        for row in all_.rows.values():
            asked = by_time[row.asked_at]
            asked.delivery = row.id
            if (
                asked.outcome is None
                and row.state not in {State.REFUSED, State.CANCELLED}
                and not asked.purged
            ):
                asked.outcome = Outcome.ACCEPTED
        waiting = {
            row.asked_at for row in all_.rows.values() if row.state is State.WAITING and row.notice is None
        }
        self.watch.stepped()
        self.watch.ended = {
            id_ for id_, row in all_.rows.items() if row.state in SETTLED - {State.AMBIGUOUS, State.BURIED}
        } | (set(self.watch.ids) - all_.rows.keys())
        self.watch.waiting = {one for one in self.ledger.asked if one.asked_at in waiting}
        for thread, project in all_.bound.items():
            if project is not None and self.watch.bound.setdefault(thread, project) != project:
                self.watch.faults.append(f"{thread} is bound to {project}, and was bound to another")
        ended = [f"process {one.number} has ended" for one in self.processes if one.running.done()]
        wrong = [*self.watch.faults, *self.loop.stray, *ended, *always(self.ledger, self.outside, all_)]
        assert not wrong, "\n".join(wrong)

    def check_in_the_end(self) -> None:
        self.check()
        wrong = list(in_the_end(self.ledger, self.outside, self.everything()))
        assert not wrong, "\n".join(wrong)

    def figures(self) -> Counter[str]:
        """Return what has happened, counted."""
        counted = Counter(f"{row.state} in the end" for row in self.everything().rows.values())
        asked = self.ledger.asked
        counted["runs"] += 1
        counted["processes"] += self._numbers
        counted["steps"] += self.ledger.turn
        counted["messages written"] += len(asked)
        counted["questions accepted"] += sum(one.turn > 0 for one in asked)
        counted["chat calls answered"] += self.outside.calls
        counted["messages shown"] += sum(len(shown) for shown in self.outside.shown.values())
        counted["answers marked"] += len(self.outside.marks)
        counted["faults met"] += sum(len(fates) for fates in self.outside.met.values())
        counted["virtual hours"] += int((self.now - _BEGUN) / timedelta(hours=1))
        return counted

    def close(self) -> None:
        for one in self.processes:
            self.outside.vanish(one, done=False)
            self.loop.run(one.die())
        self._stack.close()


async def _at_once(deed: Callable[[], object]) -> None:
    deed()


@contextmanager
def _listened_to(faults: Callable[[str], None]) -> Iterator[None]:
    """Have what the services log go nowhere, but for what they take to be a bug of their own."""

    def listen(_: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if name == "exception":
            faults(f"{event}: {''.join(traceback.format_exception(sys.exc_info()[1]))}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[listen])
    try:
        yield
    finally:
        structlog.configure(**before)
