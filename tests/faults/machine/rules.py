"""The machine: whatever may happen, in any order, and what must hold after each step."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.model import AuthorId, ChannelKey, LaneId, ProjectId, ThreadKey
from tests.faults.machine.installation import Installation
from tests.faults.machine.outside import POSSIBLE, Fate, Kind
from tests.faults.machine.stores import Opened
from tests.faults.machine.town import (
    LANES,
    PEOPLE,
    PLACES,
    PROJECTS,
    THREADS,
)

_WHICH = st.integers(0, 7)
_NEW = st.one_of(st.just(0), _WHICH)
_THREADS = st.sampled_from([*THREADS[:2] * 3, *THREADS])
_PEOPLE = st.sampled_from([*PEOPLE[:1] * 2, *PEOPLE])
_TEXTS = st.sampled_from([*["asks"] * 8, "", "stop", "long"])
_SECONDS = st.sampled_from([1, 3, 6, 11, 31, 61, 200, 700, 1_900, 3_700, 7 * 3_600])
_STEPS = st.sampled_from([0, 0, 2, -2, 3_600, -3_600])
_KINDS = st.sampled_from([Kind.ASK, Kind.ASK, Kind.POST, Kind.POST, *Kind])
_FATES = {kind: st.sampled_from([Fate.WELL, *sorted(POSSIBLE[kind])]) for kind in Kind}
_KIND_AND_FATES = _KINDS.flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(_FATES[kind], min_size=1, max_size=3))
)
_DOUBTS = st.lists(st.sampled_from([Fate.UNKNOWN_DONE, Fate.UNKNOWN_NOT, Fate.WELL]), min_size=1, max_size=4)


class Machine(RuleBasedStateMachine):
    """One run of an installation; `opened` gives its store."""

    opened: ClassVar[Opened]
    figures: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.town: Installation | None = None
        self._failed = False

    @property
    def here(self) -> Installation:
        assert self.town is not None
        return self.town

    @initialize(
        often=st.sampled_from([0.0, 0.0, 0.1, 0.3]),
        default=st.sampled_from([True, True, True, False]),
        narrow=st.sampled_from([False, False, False, True]),
    )
    def begin(self, often: float, default: bool, narrow: bool) -> None:
        self.town = Installation(type(self).opened, default=default, narrow=narrow)
        self.here.outside.weather = often

    @rule(
        thread=_THREADS,
        author=_PEOPLE,
        text=_TEXTS,
        earlier=st.sampled_from([0, 0, 0, 5, 400]),
        addressed=st.sampled_from([True, True, True, False]),
        offered=st.sampled_from([True, True, True, True, False]),
        which=_WHICH,
    )
    def writes(
        self,
        thread: ThreadKey,
        author: AuthorId,
        text: str,
        earlier: int,
        addressed: bool,
        offered: bool,
        which: int,
    ) -> None:
        self.here.write(
            thread, author, text, earlier=earlier, addressed=addressed, offered=offered, which=which
        )

    @rule(threads=st.lists(_THREADS, min_size=2, max_size=6), which=_WHICH)
    def writes_in_many(self, threads: Sequence[ThreadKey], which: int) -> None:
        for thread in threads:
            self.here.write(thread, PEOPLE[0], "asks", earlier=0, addressed=True, offered=True, which=which)

    @rule(first=_WHICH, fates=_KIND_AND_FATES, kinds=st.sets(_KINDS, max_size=2))
    def all_write(self, first: int, fates: tuple[Kind, list[Fate]], kinds: set[Kind]) -> None:
        self.here.outside.fates[fates[0]] = fates[1]
        self.here.outside.holding = kinds
        for thread in THREADS[first : first + 4]:
            for who in PEOPLE:
                self.here.write(thread, who, "asks", earlier=0, addressed=True, offered=True, which=0)

    @rule(kinds=st.sampled_from([{Kind.FIND}, {Kind.FIND, Kind.ASK}, set()]), fates=_DOUBTS)
    def posts_will_be_doubtful(self, kinds: set[Kind], fates: list[Fate]) -> None:
        self.here.outside.holding = set(kinds)
        self.here.outside.fates[Kind.POST] = fates

    @rule(asked=_NEW, event=st.integers(1, 2), which=_WHICH)
    def delivers(self, asked: int, event: int, which: int) -> None:
        found = self.here.ledger.pick(asked)
        if found is not None and not found.purged:
            self.here.offer(found, event=event, at=self.here.some(which))

    @rule(asked=_NEW, which=_WHICH)
    def delivers_twins(self, asked: int, which: int) -> None:
        found = self.here.ledger.pick(asked)
        if found is not None and not found.purged:
            self.here.offer_twins(found, self.here.some(which), self.here.some(which + 1))

    @rule(asked=_NEW, text=st.sampled_from([*["asks"] * 6, "same", "", "long"]), which=_WHICH)
    def edits(self, asked: int, text: str, which: int) -> None:
        found = self.here.ledger.pick(asked)
        if found is not None and not found.purged:
            said = found.text if text == "same" else self.here.worded(found.rewritten(), text)
            self.here.edit(found, said, self.here.some(which))

    @rule(asked=_NEW, said=st.booleans(), which=_WHICH)
    def deletes(self, asked: int, said: bool, which: int) -> None:
        found = self.here.ledger.pick(asked)
        if found is not None and not found.purged:
            self.here.delete(found, self.here.some(which), said=said)

    @rule(thread=_THREADS, by=_PEOPLE, which=_WHICH)
    def presses_stop(self, thread: ThreadKey, by: AuthorId, which: int) -> None:
        self.here.stop(thread, by, self.here.some(which))

    @rule(kinds=st.sets(_KINDS, max_size=3))
    def holds_up(self, kinds: set[Kind]) -> None:
        self.here.outside.holding = kinds

    @rule(fates=_KIND_AND_FATES)
    def will_go(self, fates: tuple[Kind, list[Fate]]) -> None:
        kind, these = fates
        self.here.outside.fates[kind] = these

    @precondition(lambda self: self.town is not None and self.town.outside.under_way)
    @rule(which=_NEW, fate=st.sampled_from([Fate.WELL, Fate.WELL, *Fate]))
    def ends(self, which: int, fate: Fate) -> None:
        under_way = self.here.outside.under_way
        self.here.release(under_way[which % len(under_way)], fate)

    @precondition(lambda self: self.town is not None and self.town.outside.under_way)
    @rule()
    def ends_all(self) -> None:
        self.here.let_go()

    @rule(often=st.sampled_from([0.0, 0.1, 0.3, 0.6]))
    def weather_turns(self, often: float) -> None:
        self.here.outside.weather = often

    @rule(length=st.integers(1, 3))
    def answers_will_be_as_long(self, length: int) -> None:
        self.here.outside.length = length

    @rule(seconds=_SECONDS)
    def waits(self, seconds: int) -> None:
        self.here.wait(seconds)

    @rule(seconds=st.integers(1, 12))
    def waits_a_little(self, seconds: int) -> None:
        self.here.wait(seconds)

    @rule(seconds=st.sampled_from([3_600, -3_600]))
    def sets_the_wall_clock(self, seconds: int) -> None:
        for one in self.here.processes:
            one.clock.jump(seconds)

    @rule(
        done=st.booleans(),
        step=_STEPS,
        lane=st.sampled_from([*LANES[:1] * 3, *LANES]),
        default=st.sampled_from([*PROJECTS[:1] * 4, None]),
    )
    def crashes(self, done: bool, step: int, lane: LaneId, default: ProjectId | None) -> None:
        self.here.crash(done=done, step=step, lane=lane, project=default)

    @precondition(lambda self: self.town is not None and self.town.outside.under_way)
    @rule(
        which=_NEW,
        fate=st.sampled_from([Fate.WELL] * 3 + list(Fate)),
        hops=st.integers(0, 25),
        done=st.booleans(),
    )
    def crashes_in_between(self, which: int, fate: Fate, hops: int, done: bool) -> None:
        under_way = self.here.outside.under_way
        self.here.cut_short(under_way[which % len(under_way)], fate, hops)
        self.here.crash_again(done=done)

    @rule(seconds=st.integers(1, 12), hops=st.integers(0, 25), done=st.booleans())
    def crashes_as_time_passes(self, seconds: int, hops: int, done: bool) -> None:
        for one in self.here.processes:
            one.advance(seconds)
        self.here.now += timedelta(seconds=seconds)
        self.here.loop.some(hops)
        self.here.crash_again(done=done)

    @precondition(lambda self: self.town is not None and len(self.town.processes) == 1)
    @rule(freeze=st.sampled_from([True, True, False]), done=st.booleans())
    def starts_a_second(self, freeze: bool, done: bool) -> None:
        self.here.second(freeze=freeze, freeze_done=done)

    @precondition(lambda self: self.town is not None and len(self.town.processes) == 1)
    @rule(seconds=st.integers(11, 40), done=st.booleans())
    def hands_over(self, seconds: int, done: bool) -> None:
        self.here.second(freeze=True, freeze_done=done)
        self.here.wait(seconds)

    @precondition(lambda self: self.town is not None and len(self.town.processes) > 1)
    @rule(which=_WHICH, done=st.booleans())
    def one_vanishes(self, which: int, done: bool) -> None:
        self.here.end_one(which, done=done)

    @precondition(lambda self: self.town is not None and len(self.town.awake) > 1)
    @rule(which=_WHICH, done=st.booleans())
    def one_freezes(self, which: int, done: bool) -> None:
        self.here.freeze(self.here.some(which), done=done)

    @precondition(lambda self: self.town is not None and len(self.town.awake) < len(self.town.processes))
    @rule()
    def one_goes_on(self) -> None:
        for one in self.here.processes:
            self.here.thaw(one)

    @rule(many=st.integers(1, 6), which=_WHICH)
    def the_database_is_away(self, many: int, which: int) -> None:
        self.here.some(which).failing = many

    @rule(at=st.sampled_from(PLACES), project=st.sampled_from([*PROJECTS, None]), which=_WHICH)
    def links(self, at: ChannelKey, project: ProjectId | None, which: int) -> None:
        self.here.link(at, project, self.here.some(which), answers_all=which % 2 == 0)

    @rule(at=st.sampled_from(PLACES[::2]), which=_WHICH)
    def purges(self, at: ChannelKey, which: int) -> None:
        self.here.purge(at, self.here.some(which))

    @rule(by=_PEOPLE, which=_WHICH)
    def fetches(self, by: AuthorId, which: int) -> None:
        self.here.fetch(PLACES[which % len(PLACES)].platform, by, self.here.some(which))

    @rule(which=_WHICH)
    def reviews(self, which: int) -> None:
        self.here.review(which, self.here.some(which))

    @invariant()
    def holds(self) -> None:
        if self.town is not None:
            try:
                self.town.check()
            except AssertionError:
                self._failed = True
                raise

    def teardown(self) -> None:
        if self.town is None:
            return
        try:
            if not self._failed:
                self.town.heal()
                self.town.check_in_the_end()
                type(self).figures.update(self.town.figures())
        finally:
            self.town.close()
