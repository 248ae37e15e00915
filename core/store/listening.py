"""Processes on one PostgreSQL database wake one another when something falls due."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from psycopg import AsyncConnection, Error
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock
from core.store.postgres import connect_args

log = structlog.get_logger(__name__)

_CHANNEL = "threadline_due"
_AGAIN = 1.0  #: seconds until a lost connection is made anew


class Wakes:
    """What one process tells the others, and hears of them.

    Told after a commit, not in it: PostgreSQL commits transactions that notify one at a time.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._name = secrets.token_hex(4)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="wakes")
        self._telling = False
        self._closed = False

    def notify(self) -> None:
        """Have the other processes look for due work. Many calls at once are told once."""
        if not (self._telling or self._closed):
            self._telling = True
            self._thread.submit(self._tell)

    async def listen(self, on_wake: Callable[[], None]) -> None:
        """Call `on_wake` whenever another process notifies, and once connected; ends when cancelled."""
        while True:
            try:
                await self._hear(on_wake)
            except Error as error:
                log.warning("not listening", error=type(error).__name__)
            await self._clock.sleep(_AGAIN)

    async def aclose(self) -> None:
        """Tell what is to be told, and nothing more."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)

    async def _hear(self, on_wake: Callable[[], None]) -> None:
        where = connect_args(self._engine)
        async with await AsyncConnection.connect(**where, autocommit=True) as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            log.info("listening")
            on_wake()  # what was told meanwhile was missed
            async for told in connection.notifies():
                if told.payload != self._name:
                    on_wake()

    def _tell(self) -> None:
        self._telling = False  # whoever commits from here on is told of again
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                connection.exec_driver_sql(f"NOTIFY {_CHANNEL}, '{self._name}'")
        except SQLAlchemyError as error:
            log.info("nobody notified", error=type(error).__name__)
