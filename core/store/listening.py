"""Processes on one PostgreSQL database wake one another when something falls due."""

import asyncio
import secrets
from collections import deque
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
        self._words: deque[str] = deque()
        self._telling = False
        self._was_away = False
        self._closed = False

    def notify(self, word: str = "") -> None:
        """Have the other processes look for due work, or for what a word stands for that they know.

        The same at once is told once. A word has 7,000 bytes at most, and holds nothing that people wrote.
        """
        if self._closed:
            return
        self._words.append(word)
        if not self._telling:
            self._telling = True
            self._thread.submit(self._tell)

    async def listen(
        self, on_wake: Callable[[], None], on_word: Callable[[str | None], None] | None = None
    ) -> None:
        """Call `on_wake` whenever another process notifies, and once connected; ends when cancelled.

        Words go to `on_word` instead; once connected again it is told None: any may have been missed.
        """
        while True:
            try:
                await self._hear(on_wake, on_word or _unheard)
            except Error as error:
                log.warning("not listening", error=type(error).__name__)
            await self._clock.sleep(_AGAIN)
            self._was_away = True

    async def aclose(self) -> None:
        """Tell what is to be told, and nothing more."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)

    async def _hear(self, on_wake: Callable[[], None], on_word: Callable[[str | None], None]) -> None:
        where = connect_args(self._engine)
        async with await AsyncConnection.connect(**where, autocommit=True) as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            log.info("listening")
            on_wake()  # what was told meanwhile was missed
            if self._was_away:
                on_word(None)
            async for told in connection.notifies():
                who, _, word = told.payload.partition(" ")
                if who == self._name:
                    continue
                if word:
                    on_word(word)
                else:
                    on_wake()

    def _tell(self) -> None:
        self._telling = False  # whoever commits from here on is told of again
        words = dict.fromkeys(self._words.popleft() for _ in range(len(self._words)))
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                for word in words:
                    told = (_CHANNEL, f"{self._name} {word}".rstrip())
                    connection.exec_driver_sql("SELECT pg_notify(%s, %s)", told)
        except SQLAlchemyError as error:
            log.info("nobody notified", error=type(error).__name__)


def _unheard(_: str | None) -> None:
    pass
