"""The floor: all that a durable relay must do, and nothing else. A program of its own, without Threadline.

A signed event → verified, committed to SQLite (WAL, `synchronous=FULL`, what waits is committed together by
one writer thread) → 200 → the chat endpoint → chat.postMessage. One attempt at everything.
"""

import asyncio
import hashlib
import hmac
import json
import os
import queue
import sqlite3
import threading
import time
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

_Waiting = tuple[str, str, "asyncio.Future[None]"]


class Writer:
    """Commits what waits, together, in a thread of its own."""

    def __init__(self, file: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._file = file
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def commit(self, event: str, question: str) -> "asyncio.Future[None]":
        """Return what is done once the question is on disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((event, question, done))
        return done

    def close(self) -> None:
        """Write what is left, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        database = sqlite3.connect(self._file, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE IF NOT EXISTS questions (event TEXT PRIMARY KEY, question TEXT)")
        while (first := self._waiting.get()) is not None:
            together = [first]
            while not self._waiting.empty() and (more := self._waiting.get()) is not None:
                together.append(more)
            database.execute("BEGIN IMMEDIATE")
            rows = [(event, question) for event, question, _ in together]
            database.executemany("INSERT OR IGNORE INTO questions VALUES (?, ?)", rows)
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_tell, together)
        database.close()


def _tell(together: list[_Waiting]) -> None:
    for _, _, done in together:
        if not done.done():
            done.set_result(None)


class Relay:
    """Events in, answers out."""

    def __init__(self, writer: Writer, session: aiohttp.ClientSession) -> None:
        self._writer = writer
        self._session = session
        self._secret = os.environ["SLACK_SIGNING_SECRET"].encode()
        self._slack = os.environ["SLACK_API_URL"] + "chat.postMessage"
        self._chat = os.environ["CHAT_URL"]
        self._token = {"Authorization": "Bearer " + os.environ["SLACK_BOT_TOKEN"]}
        self._key = {"Authorization": "Bearer " + os.environ["CHAT_KEY"]}
        self._answering: set[asyncio.Task[None]] = set()

    async def receive(self, request: web.Request) -> web.Response:
        """Take an event in."""
        body = await request.read()
        at = request.headers.get("X-Slack-Request-Timestamp", "0")
        signed = (
            "v0=" + hmac.new(self._secret, b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
        )
        is_late = abs(time.time() - int(at)) > 300
        if is_late or not hmac.compare_digest(signed, request.headers.get("X-Slack-Signature", "")):
            return web.Response(status=401)
        envelope = json.loads(body)
        event = envelope["event"]
        await self._writer.commit(envelope["event_id"], event["text"])
        task = asyncio.create_task(self._answer(event))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return web.Response()

    async def _answer(self, event: dict[str, Any]) -> None:
        question = {"messages": [{"role": "user", "content": event["text"]}]}
        async with self._session.post(self._chat, json=question, headers=self._key) as answered:
            answer = (await answered.json())["message"]["content"]
        message = {
            "channel": event["channel"],
            "thread_ts": event.get("thread_ts", event["ts"]),
            "text": answer,
        }
        async with self._session.post(self._slack, json=message, headers=self._token) as posted:
            await posted.read()


async def main() -> None:
    """Serve until cancelled."""
    writer = Writer(os.environ["DATABASE"], asyncio.get_running_loop())
    connector = aiohttp.TCPConnector(limit=0)
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            relay = Relay(writer, session)
            application = web.Application()
            application.router.add_post("/slack/events", relay.receive)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"]), backlog=2048).start()
            await asyncio.Event().wait()
    finally:
        writer.close()


if __name__ == "__main__":
    uvloop.run(main())
