"""Which project a place asks about, and what happens to waiting questions when that is set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.clock import Clock
from core.errors import ProjectNotAllowed
from core.model import (
    Account,
    AuthorId,
    ChannelKey,
    Conversation,
    Delivery,
    LaneId,
    Link,
    Platform,
    ProjectId,
    State,
    WorkspaceId,
)
from core.ports import Transact, UnitOfWork
from core.services.settling import its_turn
from core.services.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Linked:
    """What a place is linked to: by itself, by its workspace, or by the installation's default."""

    channel: Link | None
    workspace: Link | None
    default: ProjectId | None
    account: Account | None = None
    has_key: bool = True

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
    """Give what waited for a link, or a key, a project and its turn, oldest first; return how many."""
    uow.conversations.lock({one.conversation for one in waiting})
    released = 0
    for seen in waiting:
        delivery = uow.deliveries.locked(seen.id)
        if delivery is None or delivery.state is not State.UNLINKED:
            continue
        first = uow.deliveries.head(delivery.conversation) is None
        unbound = uow.deliveries.bind(delivery, delivery.project or project)
        bound = replace(_untold(unbound), lane=lane, state=State.WAITING)
        if first:  # due by the clock of whoever works here, which need not be that of an operator's command
            bound = replace(its_turn(uow, bound, now), due_at=min(now, bound.accepted_at))
        uow.deliveries.save(bound, lease=None)
        released += 1
    return released


def _untold(delivery: Delivery) -> Delivery:
    """Return it without its being told that it waits: failures of that do not count for asking it."""
    return replace(delivery, told=False, doubtful=False, notice=None, attempt=0, maybe_charged=0)


def bind_late(
    uow: UnitOfWork, conversation: Conversation, project: ProjectId | None, lane: LaneId, now: datetime
) -> Conversation:
    """Return a thread that began without a project, bound and released if there is one for it by now."""
    if project is not None:
        at = conversation.thread.linked_at
        waiting = [one for one in uow.deliveries.unlinked(at) if one.conversation == conversation.id]
        uow.conversations.bind(conversation.id, project)
        release(uow, waiting, project, lane, now)
    return replace(conversation, project=project)


def release_all(uow: UnitOfWork, at: ChannelKey, own: Terms, now: datetime) -> int:
    """Give all that waits in a place, and has a project and a key by now, its turn; return how many."""
    released = 0
    for waiting in uow.deliveries.unlinked(at):
        terms = terms_of(uow, waiting.thread, own)
        project = waiting.project or project_for(uow, waiting.thread.linked_at, terms.default_project)
        if terms.has_key and project is not None:
            released += release(uow, [waiting], project, terms.lane, now)
    return released


def _linked(uow: UnitOfWork, at: ChannelKey, default: ProjectId | None) -> Linked:
    channel, workspace = uow.links.both(at)
    return Linked(channel, workspace, default)


class Linking:
    """Sets, takes away and tells the project of channels and workspaces."""

    def __init__(self, transact: Transact, clock: Clock, own: Terms, *, wake: Callable[[], None]) -> None:
        """`own`: the installation's terms, for who has no account."""
        self._transact = transact
        self._clock = clock
        self._own = own
        self._wake = wake

    async def link(
        self, at: ChannelKey, project: ProjectId, by: AuthorId, *, answers_all: bool = False
    ) -> int:
        """Link a place, and return how many waiting questions will now be answered.

        Threads that have begun keep the project they began with. With `answers_all`, whatever begins a
        thread there is a question from now on. Raises ProjectNotAllowed.
        """
        now = self._clock.now()

        def work(uow: UnitOfWork) -> int:
            terms = terms_of(uow, at, self._own)
            if not terms.admits(project):
                raise ProjectNotAllowed
            uow.links.put(Link(at, project, by, now, answers_all))
            waiting = uow.deliveries.unlinked(at) if terms.has_key else ()
            return release(uow, waiting, project, terms.lane, now)

        released = await self._transact(work)
        if released:
            self._wake()
        return released

    async def begin(self, platform: Platform) -> int:
        """At a start: bring what is still to be asked under today's settings; return how many were released.

        The installation's API key may have changed, or whom it serves, and with it the lane of who has none
        of their own; and a default project may have been set for questions that wait for one.
        """
        now, everywhere = self._clock.now(), ChannelKey(platform, WorkspaceId(""))

        def work(uow: UnitOfWork) -> int:
            for at, lane in uow.deliveries.without_account(platform):
                terms = terms_of(uow, at, self._own)
                if terms.lane != lane:
                    uow.deliveries.move(terms.lane, now, at)
            return release_all(uow, everywhere, self._own, now)

        return await self._transact(work)

    async def unlink(self, at: ChannelKey) -> bool:
        """Take a place's own link away; return False if it had none."""
        return await self._transact(lambda uow: uow.links.remove(at))

    async def status(self, at: ChannelKey) -> Linked:
        """Tell what a place is linked to, and by what; and under whose key it asks."""

        def work(uow: UnitOfWork) -> Linked:
            terms = terms_of(uow, at, self._own)
            linked = _linked(uow, at, terms.default_project)
            return replace(linked, account=terms.account, has_key=terms.has_key)

        return await self._transact(work)

    async def all(self, platform: Platform) -> Sequence[Link]:
        """Return every link of a platform."""
        return await self._transact(lambda uow: uow.links.all(platform))
