"""Two processes over one PostgreSQL database: one seals anew what another takes away just then."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from core.model import Installation, SealedKey
from core.ports import Transact, UnitOfWork
from core.services.resealing import Resealed, Resealing
from core.store import connect
from core.store.secrets import Cipher
from tests.fixtures.queued import ANA, CHAT, NOW, TEAM, account
from tests.fixtures.together import Together, together

T = TypeVar("T")
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
BEFORE, BOTH = Cipher([OLD]), Cipher([NEW, OLD])
ACCOUNT = replace(account(), key=SealedKey(BEFORE.seal("key")))
APP = Installation(CHAT, TEAM, "Team", "B1", "U1", ANA, NOW, BEFORE.seal("xoxb-1"), "")


@dataclass(frozen=True)
class Kept:
    """One thing that is kept sealed: put, taken away, and whether any of it is there."""

    put: Callable[[UnitOfWork], None]
    remove: Callable[[UnitOfWork], bool]
    all: Callable[[UnitOfWork], object]


KEPT = {
    "key": Kept(
        lambda uow: uow.accounts.put(ACCOUNT),
        lambda uow: uow.accounts.remove(CHAT, TEAM),
        lambda uow: uow.accounts.all(CHAT),
    ),
    "token": Kept(
        lambda uow: uow.installations.put(APP),
        lambda uow: uow.installations.remove(CHAT, TEAM),
        lambda uow: uow.installations.all(CHAT),
    ),
}


@pytest_asyncio.fixture
async def two(postgres_url: str) -> AsyncIterator[Together]:
    async with together(postgres_url) as both:
        yield both


@pytest.fixture(params=list(KEPT))
def kept(request: pytest.FixtureRequest) -> Kept:
    return KEPT[request.param]


class _Meanwhile:
    """Seals as `BOTH`, after something else has been done."""

    seal, open = BOTH.seal, BOTH.open

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens

    def renewed(self, sealed: str) -> str | None:
        self._happens()
        return BOTH.renewed(sealed)


async def test_what_is_taken_away_between_looking_and_writing_does_not_come_back(
    two: Together, kept: Kept
) -> None:
    loop = asyncio.get_running_loop()
    await two[0](kept.put)

    def take_away() -> None:
        assert asyncio.run_coroutine_threadsafe(two[1](kept.remove), loop).result(10)

    assert await Resealing(two[0], _Meanwhile(take_away), [CHAT]).reseal() == Resealed()
    assert await two[0](kept.all) == []


async def test_what_is_taken_away_while_the_new_seal_is_not_committed_is_gone(
    two: Together, kept: Kept, postgres_url: str
) -> None:
    await two[0](kept.put)
    written, go = threading.Event(), threading.Event()
    engine = connect(postgres_url)

    def held(process: Transact) -> Transact:
        async def transact(work: Callable[[UnitOfWork], T]) -> T:
            def and_wait(uow: UnitOfWork) -> T:
                done = work(uow)
                if isinstance(done, list) and done and not isinstance(done[0], str):  # no list of names
                    written.set()
                    assert go.wait(10)
                return done

            return await process(and_wait)

        return transact

    resealing = asyncio.ensure_future(Resealing(held(two[0]), BOTH, [CHAT]).reseal())
    assert await asyncio.to_thread(written.wait, 10)
    removing = asyncio.ensure_future(two[1](kept.remove))
    try:
        await _until(lambda: asyncio.to_thread(_somebody_waits, engine))
    finally:
        go.set()
        engine.dispose()
    assert (await resealing, await removing) == (Resealed(anew=1), True)
    assert await two[0](kept.all) == []


async def _until(happened: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await happened():
            pass


def _somebody_waits(engine: Engine) -> bool:
    with engine.connect() as connection:
        waiting = connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        return bool(waiting.scalar_one())
