"""Slack at next to no cost: what people write there, and the Web API's methods that programs call here."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from tests.bench.carriers import Carrier
from tests.bench.counting import Asked
from tests.bench.journal import Journal, first_marker, marked, now
from tests.bench.wire import Request, Respond, port_of, reply, serve

BOT_TOKEN = "xoxb-bench"
_TEAM, _BOT = "T0BENCH", "U0BOT"
_PEOPLE, _CHANNELS = 50, 20

_SAID: Mapping[str, Mapping[str, Any]] = {
    "auth.test": {
        "url": "https://bench.slack.com/", "team": "Bench", "user": "threadline", "team_id": _TEAM,
        "user_id": _BOT, "bot_id": "B0BOT",
    },
    "users.conversations": {"channels": [], "response_metadata": {"next_cursor": ""}},
    "conversations.history": {"messages": [], "has_more": False},
    "conversations.replies": {"messages": [], "has_more": False},
    "conversations.info": {"channel": {"id": "C0", "name": "room", "is_channel": True}},
}  # fmt: skip
# As many header lines, and as long ones, as Slack's own replies have: to read them is part of a call's cost.
_HEADERS = (
    "date: Mon, 02 Mar 2026 10:00:00 GMT\r\nserver: Apache\r\nvary: Accept-Encoding\r\n"
    "x-slack-req-id: 0123456789abcdef0123456789abcdef\r\nx-content-type-options: nosniff\r\n"
    "x-xss-protection: 0\r\npragma: no-cache\r\ncache-control: private, no-cache, no-store\r\n"
    "expires: Sat, 26 Jul 1997 05:00:00 GMT\r\nreferrer-policy: no-referrer\r\n"
    "x-slack-unique-id: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx-slack-backend: r\r\n"
    "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    "x-oauth-scopes: app_mentions:read,channels:history,chat:write,commands,groups:history,users:read\r\n"
    "x-accepted-oauth-scopes: chat:write\r\nvia: envoy-www-iad-main-aaaaaaaa, envoy-edge-fra-aaaaaaaa\r\n"
    "x-envoy-upstream-service-time: 100\r\nx-backend: main_normal main_canary_with_overflow\r\n"
    "x-server: slack-www-hhvm-main-iad-aaaa\r\nx-slack-shared-secret-outcome: no-match\r\n"
)
_BOT_PROFILE = {
    "id": "B0BOT", "app_id": "A0BENCH", "user_id": _BOT, "name": "Threadline", "deleted": False,
    "updated": 1_772_000_000, "team_id": _TEAM,
    "icons": {f"image_{size}": f"https://avatars.example/{size}.png" for size in (36, 48, 72)},
}  # fmt: skip


def _said(content: Mapping[str, Any]) -> bytes:
    return reply(json.dumps({"ok": True, **content}).encode(), more=_HEADERS)


_OK = {method: _said(content) for method, content in _SAID.items()}
_NOTHING_ELSE = _said({})


class Slack:
    """One workspace: it takes calls, and tells a program what people write. A `Side`."""

    acknowledges = True

    def __init__(self, journal: Journal, carrier: Carrier) -> None:
        self._journal = journal
        self._carrier = carrier
        self._server: asyncio.Server | None = None
        self._last_ts = 0
        self._places: dict[str, tuple[str, str]] = {}

    async def start(self) -> None:
        """Listen to calls."""
        self._server = await serve(self._answer)
        await self._carrier.start()

    async def connect(self, port: int, connections: int) -> None:
        """Wait until events can be brought to the program."""
        await self._carrier.connect(port, connections)

    async def stop(self) -> None:
        """Listen no more, and say no more."""
        await self._carrier.stop()
        if self._server is not None:
            self._server.close()

    def environment(self) -> Mapping[str, str]:
        """Return what a program must be told of it; the Web API's address has its closing slash."""
        assert self._server is not None
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": f"http://127.0.0.1:{port_of(self._server)}/api/",
            **self._carrier.environment(),
        }

    # --- what people write ---------------------------------------------------------------------

    async def ask(self, opening: Asked | None = None, turn: int = 1) -> Asked:
        """Have somebody mention the bot, or go on in a thread; return when the event is acknowledged."""
        ts = self._new_ts()
        asked = self._journal.ask(ts if opening is None else opening.thread, turn)
        if opening is None:
            self._places[ts] = (f"C{asked.marker % _CHANNELS:04}", f"U{asked.marker % _PEOPLE:04}")
        channel, person = self._places[asked.thread]
        if await self._carrier.carry(_event(asked, channel, person, ts)):
            asked.acked = now()
        return asked

    def _new_ts(self) -> str:
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    # --- what the program calls ----------------------------------------------------------------

    def _answer(self, request: Request, respond: Respond) -> None:
        method = request.path.partition("?")[0].rpartition("/")[2]
        self._journal.count(method, request)
        match method:
            case "chat.postMessage":
                respond(self._post(request))
            case "apps.connections.open":
                respond(_said({"url": self._carrier.link}))
            case "users.info":
                respond(_person(request))
            case _:
                respond(_OK.get(method, _NOTHING_ELSE))

    def _post(self, request: Request) -> bytes:
        words = _arguments(request)
        channel, thread = str(words.get("channel")), str(words.get("thread_ts"))
        is_right = self._places.get(thread, ("", ""))[0] == channel
        self._journal.post(first_marker(str(words.get("text")).encode()), thread if is_right else "elsewhere")
        ts = self._new_ts()
        message = {
            "type": "message",
            "user": _BOT,
            "bot_id": "B0BOT",
            "app_id": "A0BENCH",
            "team": _TEAM,
            "ts": ts,
            "thread_ts": thread,
            "text": words.get("text"),
            "bot_profile": _BOT_PROFILE,
        }
        return _said({"channel": channel, "ts": ts, "message": message})


def _event(asked: Asked, channel: str, person: str, ts: str) -> bytes:
    """Return an event as Slack writes it."""
    is_root = ts == asked.thread
    words = f"who calls billing, and why? I ask for {marked(asked.marker)}"
    event = {
        "type": "app_mention" if is_root else "message",
        "user": person,
        "text": f"<@{_BOT}> {words}" if is_root else words,
        "ts": ts,
        "channel": channel,
        "channel_type": "channel",
        "team": _TEAM,
        "event_ts": ts,
        **({} if is_root else {"thread_ts": asked.thread}),
    }
    envelope = {
        "token": "none",
        "team_id": _TEAM,
        "api_app_id": "A0BENCH",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{asked.marker:010}",
        "event_time": int(float(ts)),
        "authorizations": [{"team_id": _TEAM, "user_id": _BOT, "is_bot": True}],
        "is_ext_shared_channel": False,
    }
    return json.dumps(envelope).encode()


def _arguments(request: Request) -> Mapping[str, Any]:
    """Return a call's arguments, which came as JSON or as a form."""
    if b"application/json" in request.head:
        found: Mapping[str, Any] = json.loads(request.body)
        return found
    return dict(parse_qsl((request.body or request.path.partition("?")[2].encode()).decode()))


def _person(request: Request) -> bytes:
    who = str(_arguments(request).get("user"))
    user = {"id": who, "name": who.lower(), "real_name": who, "profile": {"display_name": f"Person {who}"}}
    return _said({"user": user})
