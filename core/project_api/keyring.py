"""All API keys' ways to the service: what is asked under which. Sealed keys are opened here alone."""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from core.clock import Clock
from core.errors import KeyRefused, OwnKeyRefused, SealAway, SealMissing, SealUnbroken
from core.model import NO_KEY, Account, LaneId, Project, ProjectId, SealedKey, Turn
from core.ports import Sealing
from core.project_api.catalogue import HttpCatalogue
from core.project_api.chat import HttpChatApi
from core.project_api.lines import L, Lines


def lane_of(key: str | None) -> LaneId:
    """Return the lane of an API key: its fingerprint, which gives nothing of the key away."""
    return NO_KEY if key is None else LaneId(f"key {hashlib.sha256(key.encode()).hexdigest()[:16]}")


class Keyring:
    """The `ChatApis` and `Keys` ports, over a client for each key in use."""

    def __init__(
        self,
        own: str | None,
        seal: Sealing | None,
        chats: Callable[[str], HttpChatApi],
        catalogues: Callable[[str], HttpCatalogue],
        clock: Clock,
    ) -> None:
        """`own` is the installation's key, if it has one; `chats` and `catalogues` return a key's clients.

        Raises what making the own key's client raises.
        """
        self._own = own
        self._seal = seal
        self._chats = Lines(chats, clock)
        self._catalogues = Lines(catalogues, clock)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._chats.aclose()
        await self._catalogues.aclose()

    async def ask(self, account: Account | None, project: ProjectId, turns: Sequence[Turn]) -> str:
        async with self._line(self._chats, account) as chat:
            return await chat.ask(project, turns)

    async def projects(self, account: Account | None, query: str) -> Sequence[Project]:
        async with self._line(self._catalogues, account) as catalogue:
            return await catalogue.projects(query)

    async def unseen(self, key: str, projects: Collection[ProjectId]) -> Sequence[ProjectId]:
        async with self._catalogues.use(lane_of(key), lambda: key) as catalogue:
            return await catalogue.unseen(projects)

    @property
    def can_seal(self) -> bool:
        return self._seal is not None

    def seal(self, key: str) -> SealedKey:
        return SealedKey(self._sealing().seal(key))

    def opened(self, key: SealedKey) -> str:
        return self._sealing().open(key)

    def lane(self, key: str) -> LaneId:
        return lane_of(key)

    def _sealing(self) -> Sealing:
        if self._seal is None:
            raise SealMissing
        return self._seal

    @asynccontextmanager
    async def _line(self, lines: Lines[L], account: Account | None) -> AsyncIterator[L]:
        """Give the client of an account's key, or of our own. What is wrong with an account's is said so."""
        if account is None:
            async with lines.use(lane_of(self._own), self._own_key) as line:
                yield line
            return
        try:
            async with lines.use(account.lane, lambda: self.opened(account.key)) as line:
                yield line
        except KeyRefused as error:
            raise OwnKeyRefused(str(error)) from error
        except (
            SealMissing,
            SealUnbroken,
        ) as error:  # what opens it may be set later
            raise SealAway from error

    def _own_key(self) -> str:
        if self._own is None:
            raise KeyRefused("There is no API key to ask with.")
        return self._own
