"""Sessions: they outlive connections, remember their events, and start by rules. They open no connection."""

import secrets
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from bots.demo.discord.frames import (
    CloseCode,
    Intent,
    Op,
    Refusal,
    encoded,
    requested_intents,
    requested_shard,
)
from bots.demo.discord.links import Link
from bots.demo.discord.records import Json
from bots.demo.discord.start_limit import SessionStartLimit
from core.clock import Clock

Found = TypeVar("Found")

MOST_KEPT = 1000
"""Events a session remembers for a RESUME; Discord does not tell its own number."""


class Changes(Protocol):
    """Wakes those who wait for something of the world or its gateway to become true."""

    def happened(self) -> None:
        """Tell all who wait to look again."""
        ...

    async def until(self, predicate: Callable[[], Found | None]) -> Found:
        """Return the predicate's first truthy answer, asked now and after each change."""
        ...


class World(Protocol):
    """What the gateway asks of the simulated Discord."""

    token: str
    """Set anew by the gateway when the session starts are used up."""
    application_id: str
    bot_user: str

    @property
    def clock(self) -> Clock:
        """Return the world's time."""
        ...

    @property
    def changes(self) -> Changes:
        """Return what is told of sessions that come and go."""
        ...

    @property
    def granted_intents(self) -> Iterable[str]:
        """Return the privileged intents of the application, such as "message_content"."""
        ...

    @property
    def guilds(self) -> Iterable[str]:
        """Return the ids of the guilds the application is in."""
        ...

    def user_payload(self, user: str) -> Json:
        """Return a user object."""
        ...

    def guild_payload(self, guild: str) -> Json:
        """Return what GUILD_CREATE says of a guild."""
        ...

    def censored(self, data: Json) -> Json:
        """Return the message as an application without the message content intent is shown it."""
        ...


@dataclass(eq=False, slots=True)
class Session:
    """What one IDENTIFY began; its events are numbered from 1 and kept as they were sent."""

    id: str
    intents: Intent
    shard: tuple[int, int] = (0, 1)
    sequence: int = 0
    """The number of the last event."""
    link: Link | None = None
    """The connection that carries it; None while the client is away."""
    _kept: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_KEPT), init=False)

    def wants(self, intent: str, guild: str | None) -> bool:
        """Return whether the session hears of this: "" is for everyone, and guilds are dealt to shards."""
        shard, count = self.shard
        # The rule is Discord's: documentation, Gateway, "Sharding". Direct messages go to shard 0.
        dealt = (int(guild) >> 22) % count if guild else 0
        return dealt == shard and (not intent or Intent[intent.upper()] in self.intents)

    def dispatch(self, event: str, d: Json) -> None:
        """Number an event, keep it, and send it if the client is here."""
        self.sequence += 1
        frame = encoded(Op.DISPATCH, d, event=event, sequence=self.sequence)
        self._kept.append(frame)
        if self.link is not None:
            self.link.send(frame)

    def missed(self, sequence: int) -> list[str] | None:
        """Return the frames after that number, None if some of them are not kept any more."""
        number = self.sequence - sequence
        if number > len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - number :]


class Sessions:
    """The sessions that are connected or can be resumed, oldest first."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[str, Session] = {}
        self.start_limit = SessionStartLimit(world.clock)
        self.identifies = 0
        self.resumes = 0

    def all(self) -> tuple[Session, ...]:
        """Return them, connected or not."""
        return tuple(self._all.values())

    def carried_by(self, link: Link) -> Session | None:
        """Return the session of a connection, None before IDENTIFY or RESUME."""
        return next((session for session in self._all.values() if session.link is link), None)

    def part(self, link: Link, *, ended: bool = False) -> None:
        """Take a connection from its session, if it has one; `ended` if that cannot be resumed."""
        session = self.carried_by(link)
        if session is not None:
            session.link = None
            if ended:
                del self._all[session.id]

    def end(self) -> None:
        """Forget all sessions."""
        self._all.clear()

    def identify(self, link: Link, d: Any, url: str) -> None:
        """Start a session: READY and the guilds are sent. Raises Refusal if a rule forbids it."""
        asked = self._trusted(link, d)
        intents = requested_intents(asked.get("intents"), self._world.granted_intents)
        shard = requested_shard(asked.get("shard", [0, 1]))
        if not self.start_limit.take():
            self._reset_token()
            raise Refusal(CloseCode.AUTHENTICATION_FAILED)
        session = Session(uuid.uuid4().hex, intents, shard, link=link)
        self._all[session.id] = session
        guilds = [guild for guild in self._world.guilds if session.wants("", guild)]
        session.dispatch("READY", self._ready(session, guilds, url))
        for guild in guilds:
            if session.wants("guilds", guild):
                session.dispatch("GUILD_CREATE", self._world.guild_payload(guild))
        self.identifies += 1
        self._world.changes.happened()

    def resume(self, link: Link, d: Any) -> None:
        """Take a session up again: what was missed is sent, or INVALID SESSION. Raises Refusal as above."""
        asked = self._trusted(link, d)
        session, seen = self._all.get(str(asked.get("session_id"))), asked.get("seq")
        if session is None:
            link.send(encoded(Op.INVALID_SESSION, False))
            return
        if not isinstance(seen, int) or not 0 <= seen <= session.sequence:
            del self._all[session.id]
            raise Refusal(CloseCode.INVALID_SEQUENCE)
        missed = session.missed(seen)
        if missed is None:
            del self._all[session.id]
            link.send(encoded(Op.INVALID_SESSION, False))
            return
        if session.link is not None:
            session.link.leave(CloseCode.UNKNOWN_ERROR)
        session.link = link
        for frame in missed:
            link.send(frame)
        session.dispatch("RESUMED", {"_trace": []})
        self.resumes += 1
        self._world.changes.happened()

    def announce(self, event: str, data: Json, guild: str | None, intent: str) -> None:
        """Number an event in every session that hears of it; without the intent, content is blank."""
        is_censored = bool(guild) and event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}
        for session in self._all.values():
            if not session.wants(intent, guild):
                continue
            if is_censored and Intent.MESSAGE_CONTENT not in session.intents:
                session.dispatch(event, self._world.censored(data))
            else:
                session.dispatch(event, data)

    def _trusted(self, link: Link, d: Any) -> Json:
        """Return what came with IDENTIFY or RESUME if it bears the token and the link has no session yet."""
        if self.carried_by(link) is not None:
            raise Refusal(CloseCode.ALREADY_AUTHENTICATED)
        if not isinstance(d, dict):
            raise Refusal(CloseCode.DECODE_ERROR)
        if d.get("token") != self._world.token:
            raise Refusal(CloseCode.AUTHENTICATION_FAILED)
        return d

    def _ready(self, session: Session, guilds: Iterable[str], url: str) -> Json:
        return {
            "v": 10,
            "user": self._world.user_payload(self._world.bot_user),
            "guilds": [{"id": guild, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": url,
            "shard": list(session.shard),
            "application": {"id": self._world.application_id, "flags": 0},
        }

    def _reset_token(self) -> None:
        """Do what Discord does to a bot that has used up its session starts: nobody gets in any more."""
        self._world.token = secrets.token_urlsafe(32)
        for session in self._all.values():
            if session.link is not None:
                session.link.leave(CloseCode.AUTHENTICATION_FAILED)
        self.end()
