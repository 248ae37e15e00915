"""What is kept sealed: whether all of it can be opened, and how it is sealed anew after a change of key."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Protocol

from core.errors import SealUnbroken
from core.model import ChannelKey, Platform, SealedKey, WorkspaceId
from core.ports import Sealing, Transact, UnitOfWork

#: Workspaces in one transaction.
AT_ONCE = 100


class _Became(Enum):
    ANEW = auto()
    ALREADY = auto()
    LOST = auto()


class _Work(Protocol):
    def __call__(self, uow: UnitOfWork, at: ChannelKey, *, forget: bool) -> _Became | None: ...


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many tokens and API keys were sealed anew, were so already, and cannot be opened by any key."""

    anew: int = 0
    already: int = 0
    lost: int = 0

    def and_more(self, became: Sequence[_Became | None]) -> "Resealed":
        """Return it with some more counted."""
        return Resealed(
            self.anew + became.count(_Became.ANEW),
            self.already + became.count(_Became.ALREADY),
            self.lost + became.count(_Became.LOST),
        )


class Resealing:
    """Goes through the tokens of installations and the API keys of accounts, on some platforms."""

    def __init__(self, transact: Transact, sealing: Sealing | None, platforms: Sequence[Platform]) -> None:
        """Without a `sealing` nothing can be opened."""
        self._transact = transact
        self._sealing = sealing
        self._platforms = platforms

    async def check(self, *, tokens: bool) -> None:
        """Look whether all API keys can be opened, and all tokens, if these are used.

        Raises SealUnbroken, which names the fault and its remedy, and StoreUnavailable.
        """

        def work(uow: UnitOfWork) -> Sequence[tuple[Platform, WorkspaceId, str]]:
            kept = [account for at in self._platforms for account in uow.accounts.all(at)]
            found = [one for at in self._platforms for one in uow.installations.all(at) if tokens]
            every = [(one.platform, one.workspace, str(one.key)) for one in kept]
            return every + [(one.platform, one.workspace, one.token) for one in found if one.token]

        lost = [one for one in await self._transact(work) if not self._opens(one[2])]
        if lost:
            platform, workspace, _ = lost[0]
            raise SealUnbroken(
                f"{len(lost)} of the tokens and API keys that are kept, the first of {platform} {workspace}, "
                "were sealed with a key that is not in THREADLINE_SECRET_KEY: add it there, at the end, "
                "behind a comma. Questions wait meanwhile. If it is lost, `threadline secret reseal "
                "--forget` deletes those tokens and API keys, and nothing else; their workspaces then "
                "install the app, or set their key, again."
            )

    async def reseal(self, *, forget: bool = False) -> Resealed:
        """Have the newest key seal all that is kept; done again, it goes on where it broke off.

        With `forget` what no key opens is deleted, else it stays. Raises StoreUnavailable.
        """
        whole = Resealed()
        for platform in self._platforms:
            for listed, work in ((_accounts, self._account), (_installations, self._installation)):
                names = await self._transact(partial(listed, platform=platform))
                for start in range(0, len(names), AT_ONCE):
                    some = [ChannelKey(platform, one) for one in names[start : start + AT_ONCE]]
                    whole = whole.and_more(await self._transact(partial(_each, work, some, forget=forget)))
        return whole

    def _account(self, uow: UnitOfWork, at: ChannelKey, *, forget: bool) -> _Became | None:
        uow.links.hold(at.platform, at.workspace)  # nobody sets another key between looking and writing
        found = uow.accounts.get(at.platform, at.workspace)
        if found is None:
            return None
        became, sealed = self._renewed(found.key)
        if became is _Became.ANEW and not uow.accounts.reseal(found, SealedKey(sealed)):
            return None
        if became is _Became.LOST and forget:
            uow.accounts.remove(at.platform, at.workspace)
        return became

    def _installation(self, uow: UnitOfWork, at: ChannelKey, *, forget: bool) -> _Became | None:
        found = uow.installations.get(at.platform, at.workspace)
        if found is None or not found.token:
            return None
        became, sealed = self._renewed(found.token)
        if became is _Became.ANEW and not uow.installations.reseal(found, sealed):
            return None
        if became is _Became.LOST and forget:  # what was installed anew meanwhile is newer, and stays
            uow.installations.remove(at.platform, at.workspace, found.since)
        return became

    def _renewed(self, sealed: str) -> tuple[_Became, str]:
        if self._sealing is None:
            return _Became.LOST, sealed
        try:
            renewed = self._sealing.renewed(sealed)
        except SealUnbroken:
            return _Became.LOST, sealed
        return (_Became.ALREADY, sealed) if renewed is None else (_Became.ANEW, renewed)

    def _opens(self, sealed: str) -> bool:
        return self._renewed(sealed)[0] is not _Became.LOST


def _accounts(uow: UnitOfWork, *, platform: Platform) -> Sequence[WorkspaceId]:
    return [one.workspace for one in uow.accounts.all(platform)]


def _installations(uow: UnitOfWork, *, platform: Platform) -> Sequence[WorkspaceId]:
    return [one.workspace for one in uow.installations.all(platform)]


def _each(
    work: _Work, some: Sequence[ChannelKey], uow: UnitOfWork, *, forget: bool
) -> Sequence[_Became | None]:
    return [work(uow, at, forget=forget) for at in some]
