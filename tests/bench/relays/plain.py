"""What teams write by hand: slack_bolt, httpx, a dict. A program of its own, without Threadline.

It runs as it would without the package `sniffio`, which neither slack_bolt nor httpx brings any more, and
which httpx tries to import at every lock: see `_Without`.
"""

import asyncio
import logging
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

import httpx
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient


class _Without:
    """Looks for the module where it would be looked for, at the same cost, and does not find it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        PathFinder.find_spec(f"{name}_of_nobody", path, target)
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


app = AsyncApp(
    token=os.environ["SLACK_BOT_TOKEN"],
    signing_secret=os.environ.get("SLACK_SIGNING_SECRET", ""),
    client=AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
)
client = httpx.AsyncClient(timeout=120, headers={"Authorization": "Bearer " + os.environ["CHAT_KEY"]})
threads: dict[str, list[dict[str, str]]] = {}


async def ask(messages: list[dict[str, str]]) -> str:
    """Ask the assistant, up to three times."""
    for attempt in range(3):
        try:
            response = await client.post(os.environ["CHAT_URL"], json={"messages": messages})
            response.raise_for_status()
            return str(response.json()["message"]["content"])
        except httpx.HTTPError:
            if attempt == 2:
                raise
            await asyncio.sleep(2**attempt)
    raise AssertionError


async def answer(event: dict[str, Any], say: AsyncSay) -> None:
    """Answer in the thread, which is remembered."""
    thread = event.get("thread_ts") or event["ts"]
    messages = threads.setdefault(thread, [])
    messages.append({"role": "user", "content": event["text"]})
    text = await ask(messages)
    messages.append({"role": "assistant", "content": text})
    await say(text=text, thread_ts=thread)


@app.event("app_mention")
async def mentioned(event: dict[str, Any], say: AsyncSay) -> None:
    """Answer who mentions us."""
    await answer(event, say)


@app.event("message")
async def said(event: dict[str, Any], say: AsyncSay) -> None:
    """Answer who goes on in a thread of ours."""
    if not event.get("bot_id") and event.get("thread_ts") in threads:
        await answer(event, say)


async def listen() -> None:
    """Listen over Socket Mode."""
    await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()


if __name__ == "__main__":
    sys.modules.pop("sniffio", None)
    sys.meta_path.insert(0, _Without("sniffio"))
    logging.basicConfig(level=logging.WARNING)
    if "SLACK_APP_TOKEN" in os.environ:
        asyncio.run(listen())
    app.server(port=int(os.environ["PORT"]), host="127.0.0.1").start()
