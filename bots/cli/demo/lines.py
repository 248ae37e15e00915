"""Lines somebody types, read without holding up the event loop; editing them is the terminal's affair."""

import asyncio
import os
from typing import Self

_MOST = 65_536  #: bytes at once


class Lines:
    """The lines of a file descriptor (a terminal or a pipe, not a file), until it ends or `end` is called.

    Use as a context: outside of it nothing is read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun = b""
        self._read: asyncio.Queue[str | None] = asyncio.Queue()

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._descriptor, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def end(self) -> None:
        """Let nothing more come after what has been read so far."""
        self._read.put_nowait(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        line = await self._read.get()
        if line is None:
            raise StopAsyncIteration
        return line

    def _take(self) -> None:
        try:
            read = os.read(self._descriptor, _MOST)
        except OSError:  # the terminal's other side is gone
            read = b""
        *whole, self._begun = (self._begun + read).split(b"\n")
        for line in whole:
            self._read.put_nowait(_text(line))
        if not read:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            if self._begun:
                self._read.put_nowait(_text(self._begun))
            self.end()


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
