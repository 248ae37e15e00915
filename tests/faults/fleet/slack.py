"""A light Slack of many workspaces: what people write there, and the methods that processes call here."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from tests.faults.fleet.records import Asked, Posted, Seen, Thread, Workspace, named

Message = dict[str, Any]


class Slack:
    """Each process calls it by an address of its own, so that it is known who has posted."""

    def __init__(self, seen: Seen, rng: random.Random, workspaces: Sequence[Workspace]) -> None:
        self.slowest = 0.03
        """Seconds before a message is there, and again until that is said, at most."""
        self.keeps_posts: dict[str, asyncio.Event] = {}
        """Replies to posts that are there are kept, by question, until these are set."""
        self.keeps_names: asyncio.Event | None = None
        """Names are told once this is set."""
        self.shown = 60.0
        """Seconds for which messages can be seen in a channel's history, as on plans that hide older ones."""
        self._seen = seen
        self._rng = rng
        self._by_token = {one.token: one for one in workspaces}
        self._threads: dict[tuple[str, str], list[Message]] = {}
        self._roots: dict[str, list[str]] = {}
        self._last_ts = 0

    # --- what people write ---------------------------------------------------------------------

    def write(self, thread: Thread, marker: str, *, user: str = "") -> Asked:
        """Have somebody ask in a thread, by default who began it, who first mentions the bot."""
        ts = self._new_ts()
        thread.root = thread.root or ts
        mention = f"<@{thread.workspace.bot_user}> " if ts == thread.root else ""
        text = f"{mention}who calls {marker}, and why?"
        self._keep(
            thread.channel, {"user": user or thread.user, "text": text, "ts": ts, "thread_ts": thread.root}
        )
        asked = Asked(marker, thread, ts, time.monotonic())
        thread.questions.append(asked)
        self._seen.asked[marker] = asked
        return asked

    def event(self, asked: Asked) -> Message:
        """Return the event in which Slack tells of a question."""
        team, thread = asked.thread.workspace.team, asked.thread
        message = next(one for one in self._threads[thread.channel, thread.root] if one["ts"] == asked.ts)
        kind = "app_mention" if asked.ts == thread.root else "message"
        about = {"type": kind, "channel": thread.channel, "channel_type": "channel", "team": team}
        if asked.ts == thread.root:
            message = {name: value for name, value in message.items() if name != "thread_ts"}
        return {
            "type": "event_callback",
            "team_id": team,
            "api_app_id": "A0FLEET",
            "event_id": f"Ev{asked.marker}",
            "event_time": int(float(asked.ts)),
            "event": message | about | {"event_ts": asked.ts},
            "authorizations": [{"team_id": team, "user_id": thread.workspace.bot_user, "is_bot": True}],
            "is_ext_shared_channel": False,
        }

    def _new_ts(self) -> str:
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    def _keep(self, channel: str, message: Message) -> None:
        root = str(message["thread_ts"])
        if root == message["ts"]:
            self._roots.setdefault(channel, []).append(root)
        self._threads.setdefault((channel, root), []).append({"type": "message", **message})

    # --- what processes call -------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        """Return where it is to be had, below a process's address."""
        return [web.route("*", "/{life}/api/{method}", self._called)]

    async def _called(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self._seen.methods[method] = self._seen.methods.get(method, 0) + 1
        self._seen.changes.happened()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        here = self._by_token.get(token)
        if here is None:
            return web.json_response({"ok": False, "error": "invalid_auth"})
        given = await _arguments(request)
        if given.get("channel", here.channels[0]) not in here.channels:
            return web.json_response({"ok": False, "error": "channel_not_found"})
        match method:
            case "chat.postMessage":
                said = await self._post(given, here, request.match_info["life"])
            case "users.info":
                if self.keeps_names is not None:
                    await self.keeps_names.wait()
                said = {"user": {"id": given["user"], "name": str(given["user"]).lower(), "profile": {}}}
            case _:
                look = self._looks().get(method)
                said = {} if look is None else look(given, here)
        return web.json_response({"ok": True, **said})

    def _looks(self) -> Mapping[str, Callable[[Message, Workspace], Message]]:
        return {
            "auth.test": _who,
            "conversations.info": lambda given, _: {"channel": {"id": given["channel"], "is_channel": True}},
            "users.conversations": lambda _, here: {"channels": [{"id": one} for one in here.channels]},
            "conversations.history": self._history,
            "conversations.replies": self._replies,
        }

    async def _post(self, given: Message, here: Workspace, life: str) -> Message:
        await asyncio.sleep(self._rng.random() * self.slowest)
        channel, thread, ts = str(given["channel"]), str(given.get("thread_ts") or ""), self._new_ts()
        text = str(given["text"])
        message = {"user": here.bot_user, "bot_id": here.bot_id, "text": text, "ts": ts}
        mark = given.get("metadata")
        self._keep(channel, {**message, "thread_ts": thread or ts, **({"metadata": mark} if mark else {})})
        markers = named(text)
        self._seen.posted.append(Posted(markers, channel, thread, text, life, time.monotonic()))
        self._seen.changes.happened()
        for marker in markers:
            if marker in self._seen.asked:
                self._seen.asked[marker].answered.set()
            if marker in self.keeps_posts:
                await self.keeps_posts[marker].wait()
        await asyncio.sleep(self._rng.random() * self.slowest)
        return {"channel": channel, "ts": ts, "message": message}

    def _history(self, given: Message, _: Workspace) -> Message:
        channel, hidden = str(given["channel"]), f"{time.time() - self.shown:.6f}"
        oldest = max(str(given.get("oldest") or ""), hidden)
        roots = [one for one in self._roots.get(channel, ()) if one > oldest]
        limit = int(given.get("limit") or 100)
        newest = [self._threads[channel, root][0] for root in reversed(roots[-limit:])]
        return {"messages": newest, "has_more": len(roots) > limit, "is_limited": True}

    def _replies(self, given: Message, _: Workspace) -> Message:
        thread = self._threads.get((str(given["channel"]), str(given["ts"])), [])
        oldest, limit = str(given.get("oldest") or ""), int(given.get("limit") or 100)
        below = [one for one in thread[1:] if one["ts"] > oldest]
        at = int(given.get("cursor") or 0)
        more = at + limit < len(below)
        return {
            "messages": [*thread[:1], *below[at : at + limit]],
            "has_more": more,
            "response_metadata": {"next_cursor": str(at + limit) if more else ""},
        }


def _who(_: Message, here: Workspace) -> Message:
    return {
        "team": here.team, "team_id": here.team, "user": "threadline", "user_id": here.bot_user,
        "bot_id": here.bot_id, "url": "https://fleet.slack.com/",
    }  # fmt: skip


async def _arguments(request: web.Request) -> Message:
    """Return a call's arguments, which come as JSON, as a form, or in the address."""
    if request.content_type == "application/json":
        found: Message = await request.json()
        return found
    return {**request.query, **await request.post()}
