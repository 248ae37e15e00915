"""An event loop that can be run until nothing is left to do, and that knows whose each task is."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

#: The tasks of the process in whose context one is, so that they can vanish together.
TASKS: ContextVar["set[asyncio.Task[Any]] | None"] = ContextVar("TASKS", default=None)


class _Noticing(selectors.DefaultSelector):
    """Tells when the loop would fall asleep: then everything that could go on has gone on."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep: Callable[[], None] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.asleep is not None and (timeout is None or timeout > 0):
            told, self.asleep = self.asleep, None
            told()
            return super().select(0)
        return super().select(timeout)


class _AtOnce(ThreadPoolExecutor):
    """Does at once what is meant for another thread: each run goes the same way."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 as an executor does
            future.set_exception(error)
        return future


class Loop:
    """Runs coroutines, and what they set off, to the point where all wait for something outside."""

    def __init__(self) -> None:
        self._selector = _Noticing()
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._executor = _AtOnce(1)
        self._loop.set_default_executor(self._executor)
        self._loop.set_task_factory(_owned)
        self._loop.set_exception_handler(lambda _, found: self.stray.append(f"{found}"))
        self.stray: list[str] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine, then everything else that can go on."""
        try:
            return self._loop.run_until_complete(work)
        finally:
            self._loop.run_until_complete(self.quiet())

    def some(self, hops: int) -> None:
        """Let everything go on by so many turns of the loop, and no more."""
        self._loop.run_until_complete(_turns(hops))

    def quiet(self) -> "asyncio.Future[None]":
        """Return what is done when nothing can go on any more."""
        quiet: asyncio.Future[None] = self._loop.create_future()
        self._selector.asleep = lambda: quiet.set_result(None)
        return quiet

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


async def _turns(hops: int) -> None:
    for _ in range(hops):
        await asyncio.sleep(0)


def owned_context(tasks: "set[asyncio.Task[Any]]") -> Context:
    """Return a context in which every task begun belongs to `tasks`."""
    context = copy_context()
    context.run(TASKS.set, tasks)
    return context


def _owned(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
    *,
    context: Context | None = None,
    **more: Any,
) -> "asyncio.Task[T]":
    tasks = TASKS.get() if context is None else context.get(TASKS)
    task = asyncio.Task(coro, loop=loop, context=context, **more)
    if tasks is not None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    return task
