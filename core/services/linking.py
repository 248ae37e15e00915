"""Which project a place asks about, and what happens to waiting questions when that is set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.clock import Clock
from core.model import AuthorId, ChannelKey, Delivery, LaneId, Link, Platform, ProjectId, State, WorkspaceId
from core.ports import Transact, UnitOfWork
from core.services.settling import its_turn


@dataclass(frozen=True, slots=True)
class Linked:
    """What a place is linked to: by itself, by its workspace, or by the installation's default."""

    channel: Link | None
    workspace: Link | None
    default: ProjectId | None

    @property
    def project(self) -> ProjectId | None:
        """The project that a new thread there would be bound to."""
        link = self.channel or self.workspace
        return self.default if link is None else link.project


def project_for(uow: UnitOfWork, at: ChannelKey, default: ProjectId | None) -> ProjectId | None:
    """Return the project of a place: the channel's link, else the workspace's, else the default."""
    return _linked(uow, at, default).project


def release(
    uow: UnitOfWork, waiting: Sequence[Delivery], project: ProjectId, lane: LaneId, now: datetime
) -> int:
    """Give questions that waited for a link their project and their turn, oldest first; return how many."""
    uow.conversations.lock({one.conversation for one in waiting})
    released = 0
    for seen in waiting:
        delivery = uow.deliveries.locked(seen.id)
        if delivery is None or delivery.state is not State.UNLINKED:
            continue
        first = uow.deliveries.head(delivery.conversation) is None
        unbound = uow.deliveries.bind(delivery, project)
        bound = replace(unbound, lane=lane, state=State.WAITING, told=False, doubtful=False)
        if first:  # due by the clock of whoever works here, which need not be that of an operator's command
            bound = replace(its_turn(uow, bound, now), due_at=min(now, bound.accepted_at))
        uow.deliveries.save(bound, lease=None)
        released += 1
    return released


def _linked(uow: UnitOfWork, at: ChannelKey, default: ProjectId | None) -> Linked:
    channel, workspace = uow.links.both(at)
    return Linked(channel, workspace, default)


class Linking:
    """Sets, takes away and tells the project of channels and workspaces."""

    def __init__(
        self,
        transact: Transact,
        clock: Clock,
        *,
        lane: LaneId,
        default_project: ProjectId | None,
        wake: Callable[[], None],
    ) -> None:
        self._transact = transact
        self._clock = clock
        self._lane = lane
        self._default = default_project
        self._wake = wake

    async def link(
        self, at: ChannelKey, project: ProjectId, by: AuthorId, *, answers_all: bool = False
    ) -> int:
        """Link a place, and return how many waiting questions will now be answered.

        Threads that have begun keep the project they began with. With `answers_all`, whatever begins a
        thread there is a question from now on.
        """
        now = self._clock.now()

        def work(uow: UnitOfWork) -> int:
            uow.links.put(Link(at, project, by, now, answers_all))
            return release(uow, uow.deliveries.unlinked(at), project, self._lane, now)

        released = await self._transact(work)
        if released:
            self._wake()
        return released

    async def begin(self, platform: Platform) -> int:
        """At a start: bring what is still to be asked under today's settings; return how many were released.

        The API key may have changed, and with it the lane; and a default project may have been set for
        questions that wait for one.
        """
        now, everywhere = self._clock.now(), ChannelKey(platform, WorkspaceId(""))

        def work(uow: UnitOfWork) -> int:
            uow.deliveries.move(self._lane, uow.lanes.get(self._lane).paused_total(now))
            released = 0
            for waiting in uow.deliveries.unlinked(everywhere):
                project = project_for(uow, waiting.thread.linked_at, self._default)
                if project is not None:
                    released += release(uow, [waiting], project, self._lane, now)
            return released

        return await self._transact(work)

    async def unlink(self, at: ChannelKey) -> bool:
        """Take a place's own link away; return False if it had none."""
        return await self._transact(lambda uow: uow.links.remove(at))

    async def status(self, at: ChannelKey) -> Linked:
        """Tell what a place is linked to, and by what."""
        return await self._transact(lambda uow: _linked(uow, at, self._default))

    async def all(self, platform: Platform) -> Sequence[Link]:
        """Return every link of a platform."""
        return await self._transact(lambda uow: uow.links.all(platform))
