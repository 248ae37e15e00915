"""Looks at each transaction, each call and each post as it happens, and notes what must never be."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.model import (
    Address,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    ProjectId,
    Reason,
    State,
    ThreadKey,
    Turn,
)
from core.ports import UnitOfWork
from core.testing import numbered
from tests.faults.machine.ledger import Asked, Ledger, told_of
from tests.faults.machine.outside import Kind, Outside
from tests.faults.machine.process import CONCURRENCY, Process

_LEAD = 2  #: first turns that one workspace may get while another waits


@dataclass(frozen=True, slots=True)
class Seen:
    """The queue as one transaction left it."""

    asking: Sequence[Delivery]
    posting: Sequence[Delivery]
    accepted: Sequence[Delivery]
    waiting: Collection[datetime]
    lanes: Mapping[LaneId, Lane]


@dataclass(eq=False)
class Watch:
    """What was seen so far. `faults` are sentences."""

    ledger: Ledger
    outside: Outside
    lanes: Sequence[LaneId]
    faults: list[str] = field(default_factory=list)
    number: Callable[[datetime], DeliveryId] = field(default_factory=numbered)
    ids: list[DeliveryId] = field(default_factory=list)
    ended: set[DeliveryId] = field(default_factory=set)  #: of which nothing can come any more
    seen: Seen = field(default_factory=lambda: Seen([], [], [], (), {}))
    holders: dict[DeliveryId, tuple[int, Process]] = field(default_factory=dict)
    known: dict[int, Mapping[LaneId, Lane]] = field(default_factory=dict)
    bound: dict[ThreadKey, ProjectId] = field(default_factory=dict)
    waiting: set[Asked] = field(default_factory=set)  #: as of the last step
    begun: set[Asked] = field(default_factory=set)
    given_up: Counter[str] = field(default_factory=Counter)  #: turns that a workspace had, and did not want
    keys: int = 1  #: that the installation has had; back at an old one, ranks of two lines are mixed, once
    lead: Counter[tuple[LaneId, str, str]] = field(default_factory=Counter)

    def look(self, uow: UnitOfWork) -> Seen:
        """Read, inside a process's transaction, what it leaves."""
        found = [uow.deliveries.get(one) for one in self.ids if one not in self.ended]
        stored = [one for one in found if one is not None]
        return Seen(
            [one for one in stored if one.state is State.ASKING],
            [one for one in stored if one.state is State.POSTING],
            [one for one in stored if one.state is State.ACCEPTED],
            {one.asked_at for one in stored if one.state is State.WAITING},
            {lane: uow.lanes.get(lane) for lane in self.lanes},
        )

    def new_id(self, now: datetime) -> DeliveryId:
        """Return the next id: whatever is stored has one of these."""
        self.ids.append(self.number(now))
        return self.ids[-1]

    def note(self, process: Process, seen: object) -> None:
        """Take in what a process's transaction has left."""
        assert isinstance(seen, Seen)
        still = {one.id for one in (*seen.accepted, *seen.asking)}
        self.given_up.update(_tenant(one) for one in self.seen.accepted if one.id not in still)
        self.seen = seen
        self.known[process.number] = seen.lanes
        claimed = [one for one in seen.asking if self._is_new(one)]
        for one in [*claimed, *(one for one in seen.posting if self._is_new(one))]:
            self.holders[one.id] = (one.fence, process)
        for lane in self.lanes:
            taken = sorted(
                (one for one in claimed if one.lane == lane), key=lambda one: (one.rank, one.due_at)
            )
            if taken:
                self._claimed(process, seen, lane, taken)

    def stepped(self) -> None:
        """Take note that all has come to rest: what one process has seen, all could have."""
        for number in self.known:
            self.known[number] = self.seen.lanes

    def asks(self, process: Process, project: ProjectId, turns: Sequence[Turn]) -> Delivery:
        """A chat call begins."""
        asked = self.ledger.asked[max(told_of(turns[-1].text))]
        held = next((one for one in self.seen.asking if one.asked_at == asked.asked_at), None)
        if held is None:
            self._fault(f"{asked} asked by {process.number}, and nobody holds it")
            raise AssertionError(self.faults[-1])
        asked.delivery = held.id
        if self.holders[held.id] != (held.fence, process):
            self._fault(f"{asked} asked by {process.number}, which does not hold it")
        self._text(asked, turns)
        self._project(asked, project)
        lane = self.known[process.number][held.lane]
        if lane.is_paused(process.clock.now()):
            self._fault(f"{asked} asked at {process.clock.now()}, before {lane.paused_until}")
        self._beside(asked, held, lane)
        return held

    def posts(self, process: Process, to: Address, piece: str, text: str) -> None:
        """A message is about to be shown."""
        asked = self.ledger.of(to.asked_at)
        holds = self.holders.get(to.delivery)
        posting = any((one.id, one.fence) == (to.delivery, holds and holds[0]) for one in self.seen.posting)
        if asked.purged:
            self._fault(f"{piece} of {asked} posted after its workspace was purged")
        elif piece != Reason.NOT_LINKED.value and (holds is None or holds[1] is not process or not posting):
            self._fault(f"{piece} of {asked} posted by {process.number}, which does not hold it")
        if to.thread != asked.thread or told_of(text) - {asked.number}:
            self._fault(f"{text} was shown in {to.thread}, as an answer to {asked}")

    def shows(self, to: Address, piece: str, text: str) -> None:
        """A message appears."""
        if any(known == piece for known, _ in self.outside.shown.get(to.delivery, [])):
            self._fault(f"{piece} of {self.ledger.of(to.asked_at)} shown twice: {text}")

    def begins(self, asked: Asked) -> None:
        """A question is claimed to be asked, for the first time."""
        before = [
            one
            for one in self.waiting - self.begun
            if one.thread == asked.thread
            and not one.revived  # what an operator has asked again goes behind what its thread asks by then
            and one.asked_at < asked.asked_at
            and one.asked_at in self.seen.waiting
        ]
        if before:
            self._fault(f"{asked} is asked before {before}, which were written earlier")

    def _claimed(self, process: Process, seen: Seen, lane: LaneId, taken: Sequence[Delivery]) -> None:
        busy = sum(one.lane == lane for one in seen.asking)
        if busy > seen.lanes[lane].room(CONCURRENCY):
            self._fault(f"{busy} under way in {seen.lanes[lane]}")
        now = process.clock.now()
        due = [one for one in seen.accepted if one.lane == lane and one.due_at <= now]
        # A probe is of another project than failed last, whoever's turn it is.
        suspect = seen.lanes[lane].suspect if seen.lanes[lane].away_since is not None else None
        places = [(suspect is not None and one.project == suspect, one.rank) for one in taken]
        others = [(suspect is not None and one.project == suspect, one.rank) for one in due]
        if others and min(others) < max(places):
            self._fault(f"{taken[-1].id} goes as {max(places)} before {min(others)}")
        for one in taken:
            asked = self.ledger.of(one.asked_at)
            if suspect is None:
                self._turn(lane, one, {_tenant(other) for other in due}, first=asked not in self.begun)
            if asked not in self.begun:
                self.begun.add(asked)
                self.begins(asked)

    def _turn(self, lane: LaneId, one: Delivery, due: set[str], *, first: bool) -> None:
        """Count the turns that a workspace gets while others have something due: what is tried again has
        had its turn, and comes before."""
        mine = _tenant(one)
        for key in [key for key in self.lead if key[0] == lane and (key[2] == mine or key[2] not in due)]:
            self.lead[key] = 0
        for other in due - {mine} if first else ():
            self.lead[lane, mine, other] += 1
            if self.keys <= len(self.lanes) and self.lead[lane, mine, other] > _LEAD + self.given_up[other]:
                self._fault(f"{mine} has had {self.lead[lane, mine, other]} turns while {other} waited")

    def _text(self, asked: Asked, turns: Sequence[Turn]) -> None:
        newest = turns[-1].text
        if not any(newest.endswith(text) for text in asked.allowed):
            self._fault(f"{asked} was sent as {newest!r}, and its text is {asked.allowed}")
        for number in {number for turn in turns for number in told_of(turn.text)}:
            other = self.ledger.asked[number]
            if other.thread != asked.thread:
                self._fault(f"{other} was sent with {asked}, which is of another thread")
            if other.gone or other.purged:
                self._fault(f"{other} was sent with {asked} after it was deleted")

    def _project(self, asked: Asked, project: ProjectId) -> None:
        bound = self.bound.setdefault(asked.thread, project)
        if bound != project:
            self._fault(f"{asked} asked of {project} in a thread bound to {bound}")

    def _beside(self, asked: Asked, held: Delivery, lane: Lane) -> None:
        """Look at what else is under way, leaving out what nobody waits for any more."""
        asking = {(one.id, one.fence): one for one in self.seen.asking}
        under_way = [one for one in self.outside.under_way if one.kind is Kind.ASK]
        keys = [(one.delivery, one.fence) for one in under_way if one.delivery is not None]
        others = [asking[key] for key in keys if key in asking]
        if any(one.conversation == held.conversation for one in others):
            self._fault(f"{asked} asked while another of its thread is")
        if lane.probing and any(one.lane == lane.id for one in others):
            self._fault(f"{asked} asked beside the probe")

    def _is_new(self, one: Delivery) -> bool:
        known = self.holders.get(one.id)
        return known is None or known[0] != one.fence

    def _fault(self, said: str) -> None:
        self.faults.append(said)


def _tenant(one: Delivery) -> str:
    return f"{one.thread.platform} {one.thread.workspace}"
