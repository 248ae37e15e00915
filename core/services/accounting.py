"""Which workspace asks under an API key of its own: set, taken away and told. A key is shown to nobody."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.clock import Clock
from core.errors import Permanent, SealMissing
from core.model import Account, AuthorId, ChannelKey, Platform, Project, ProjectId, WorkspaceId
from core.ports import Keys, Transact, UnitOfWork
from core.services.linking import release_all
from core.services.terms import Terms, terms_of

#: So many projects an account may name: each is looked up before the key is taken.
MOST_PROJECTS = 20
#: A shorter key's last characters would tell too much of it.
_LONG_ENOUGH = 16


class KeyMissing(Permanent):
    """There is no API key yet, so it has to be given."""


class ProjectsUnseen(Permanent):
    """The API key does not see these projects."""

    def __init__(self, projects: Sequence[ProjectId]) -> None:
        super().__init__()
        self.projects = projects


class WorkspaceLeft(Permanent):
    """The workspace has removed us while its key was checked: nothing is kept of it any more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants a workspace's account to be; without a `key` that stays as it is."""

    key: str | None = field(default=None, repr=False)
    projects: tuple[ProjectId, ...] = ()
    person: int | None = None
    channel: int | None = None
    waiting: int | None = None


class Accounting:
    """Keeps accounts, and moves what is still to be asked to the lane of whatever key counts then."""

    def __init__(
        self, transact: Transact, clock: Clock, own: Terms, keys: Keys, *, wake: Callable[[], None]
    ) -> None:
        """`own`: the installation's terms, for who has no account."""
        self._transact = transact
        self._clock = clock
        self._own = own
        self._keys = keys
        self._wake = wake

    @property
    def can_keep(self) -> bool:
        """Tell whether accounts can be set: their keys have to be sealed."""
        return self._keys.can_seal

    async def get(self, at: ChannelKey) -> Account | None:
        """Return a workspace's account."""
        return await self._transact(lambda uow: uow.accounts.get(at.platform, at.workspace))

    async def terms(self, at: ChannelKey) -> Terms:
        """Return on what terms a workspace asks."""
        return await self._transact(lambda uow: terms_of(uow, at, self._own))

    async def under_ours(
        self, platform: Platform, workspaces: Collection[WorkspaceId]
    ) -> Collection[WorkspaceId]:
        """Return which of these workspaces ask under the installation's key."""

        def work(uow: UnitOfWork) -> Collection[WorkspaceId]:
            holders = {account.workspace for account in uow.accounts.all(platform)}
            others = {*workspaces} - holders if self._own.has_key else ()
            return frozenset(one for one in others if self._own.serve(uow, ChannelKey(platform, one)))

        return await self._transact(work)

    async def projects(self, at: ChannelKey, query: str) -> Sequence[Project]:
        """Return the projects that a workspace may choose from; raises what `Catalogue` raises."""
        terms = await self.terms(at)
        if not terms.has_key:
            return ()
        found = await self._keys.projects(terms.account, query)
        return [project for project in found if terms.admits(project.id)]

    async def set(self, at: ChannelKey, wanted: Wanted, by: AuthorId) -> tuple[Account, int]:
        """Set a workspace's account, once its key has proved good; return it, and how many questions that
        waited were released.

        Raises SealMissing, KeyMissing, KeyRefused, ProjectsUnseen, WorkspaceLeft, and what a call to
        MicroVisualizer may raise, within about two seconds; then nothing is changed.
        """
        if not self.can_keep:
            raise SealMissing
        left = await self._transact(lambda uow: uow.installations.left(at.platform, at.workspace))
        key = wanted.key or await self._present_key(at)
        unseen = await self._keys.unseen(key, wanted.projects)
        if unseen:
            raise ProjectsUnseen(unseen)
        account = self._account(at, key, wanted, by)
        released = await self._transact(lambda uow: self._put(uow, account, left))
        self._wake()
        return account, released

    async def remove(self, at: ChannelKey) -> bool:
        """Have a workspace ask under the installation's key again, if that serves it; return False if it had
        none of its own.
        """

        def work(uow: UnitOfWork) -> bool:
            gone = uow.accounts.remove(at.platform, at.workspace)
            if gone:
                uow.deliveries.move(terms_of(uow, at, self._own).lane, self._clock.now(), at)
                release_all(uow, at, self._own, self._clock.now())
            return gone

        gone = await self._transact(work)
        self._wake()
        return gone

    async def _present_key(self, at: ChannelKey) -> str:
        account = await self.get(at)
        if account is None:
            raise KeyMissing
        return self._keys.opened(account.key)

    def _account(self, at: ChannelKey, key: str, wanted: Wanted, by: AuthorId) -> Account:
        return Account(
            platform=at.platform,
            workspace=at.workspace,
            key=self._keys.seal(key),
            lane=self._keys.lane(key),
            ending=key[-4:] if len(key) >= _LONG_ENOUGH else "",
            projects=wanted.projects,
            by=by,
            since=self._clock.now(),
            person=wanted.person,
            channel=wanted.channel,
            waiting=wanted.waiting,
        )

    def _put(self, uow: UnitOfWork, account: Account, left: datetime | None) -> int:
        """Set an account, and move what is still to be asked of its workspace alone to its lane.

        `left`: when the workspace had last removed us as its key began to be checked. Raises WorkspaceLeft.
        """
        now, here = self._clock.now(), ChannelKey(account.platform, account.workspace)
        if uow.installations.left(account.platform, account.workspace) != left:
            raise WorkspaceLeft
        uow.accounts.put(account)
        uow.deliveries.move(account.lane, now, here)
        released = release_all(uow, here, self._own, now)
        for waiting in uow.deliveries.unlinked(here):  # told that there is no key, they lack a project still
            if waiting.notice is not None and not uow.deliveries.holds(waiting):
                told_anew = replace(waiting, notice=None, told=False, due_at=now)
                uow.deliveries.save(told_anew, lease=None)
        return released
