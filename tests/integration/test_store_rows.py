"""What lies in the rows of a real SQLite file: no receipt longer than needed, and threads under one name."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.model import SETTLED, Receipt, State
from core.ports import UnitOfWork
from core.store import Store, connect, migrate
from tests.fixtures.queued import NOW, claim, enqueue, thread


class Spilt(Exception):
    """What a piece of work may raise."""


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    engine = connect(f"sqlite:///{tmp_path / 'threadline.db'}")
    migrate(engine)
    store = Store(engine)
    yield store
    await store.aclose()
    engine.dispose()


async def test_a_receipt_is_in_the_file_until_its_question_is_settled_and_then_is_not(
    store: Store, tmp_path: Path
) -> None:
    asked = [*sorted(SETTLED), "open"]

    def settle(uow: UnitOfWork) -> None:
        for name in asked:
            enqueue(uow, name, receipt=Receipt(f"token of {name}"))
        for one in claim(uow):
            if one.id != "open":
                uow.deliveries.settle(one, State(one.id), NOW)

    await store(settle)
    rows = sqlite3.connect(tmp_path / "threadline.db")
    found = dict(rows.execute("SELECT id, receipt FROM deliveries"))
    states = dict(rows.execute("SELECT id, state FROM deliveries"))
    rows.close()
    assert found == {**dict.fromkeys(asked, ""), "open": "token of open"}
    assert states == {**{state.value: state.value for state in SETTLED}, "open": "asking"}


async def test_a_thread_is_moved_with_its_rows_in_one_transaction(store: Store, tmp_path: Path) -> None:
    def spill(uow: UnitOfWork) -> None:
        assert uow.conversations.move(thread("t-one"), "moved")
        raise Spilt

    await store(lambda uow: enqueue(uow, "one"))
    with pytest.raises(Spilt):
        await store(spill)
    assert _threads(tmp_path) == [("t-one", "t-one")]
    assert await store(lambda uow: uow.conversations.move(thread("t-one"), "moved"))
    assert _threads(tmp_path) == [("moved", "moved")]


def _threads(folder: Path) -> list[tuple[str, str]]:
    rows = sqlite3.connect(folder / "threadline.db")
    try:
        joined = "FROM conversations c JOIN deliveries d ON d.conversation_id = c.id"
        return list(rows.execute(f"SELECT c.thread, d.thread {joined}"))
    finally:
        rows.close()
