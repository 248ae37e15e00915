"""The gateway's words: opcodes, close codes, intents, and the reading of a client's frame. No connection."""

import json
from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import Any

MOST_BYTES = 4096
"""What one frame of a client may weigh (Discord's documentation, Gateway, "Sending Events")."""


class Op(IntEnum):
    """What a frame is for."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    VOICE_STATE_UPDATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11
    REQUEST_SOUNDBOARD_SOUNDS = 31


class CloseCode(IntEnum):
    """Why the gateway closes a connection (Discord's documentation, Opcodes and Status Codes)."""

    GOING_AWAY = 1001
    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    SHARDING_REQUIRED = 4011
    INVALID_API_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


ENDS_SESSION = frozenset({CloseCode.AUTHENTICATION_FAILED, CloseCode.INVALID_SEQUENCE, *range(4009, 4015)})
"""Close codes after which the session cannot be resumed."""


class Intent(IntFlag):
    """What a session may ask to hear of (Discord's documentation, Gateway, "List of Intents")."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
_KNOWN = sum(Intent)


class Refusal(Exception):
    """The client broke a rule: its connection is closed with this code."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(reason(code))
        self.code = code


def reason(code: int) -> str:
    """Return the sentence that goes with a close code, "" for one that is not in the table."""
    return next((known.name.replace("_", " ").capitalize() + "." for known in CloseCode if known == code), "")


def encoded(op: Op, d: object = None, *, event: str | None = None, sequence: int | None = None) -> str:
    """Return a frame as it travels."""
    return json.dumps({"op": op, "d": d, "s": sequence, "t": event}, separators=(",", ":"))


def decoded(raw: str | bytes) -> tuple[int, Any]:
    """Return the opcode and `d` of a client's frame; raises Refusal (4002) if it cannot be read."""
    size = len(raw.encode()) if isinstance(raw, str) else len(raw)
    if size > MOST_BYTES:
        raise Refusal(CloseCode.DECODE_ERROR)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refusal(CloseCode.DECODE_ERROR) from None
    match body:
        case {"op": int(op)}:
            return op, body.get("d")
    raise Refusal(CloseCode.DECODE_ERROR)


def requested_intents(number: object, granted: Iterable[str]) -> Intent:
    """Return what an IDENTIFY asks for.

    `granted` names, in lower case, the privileged intents the application has. Raises Refusal: 4013 for what
    is not a sum of intents, 4014 for a privileged intent that was not granted.
    """
    if not isinstance(number, int) or number < 0 or number & ~_KNOWN:
        raise Refusal(CloseCode.INVALID_INTENTS)
    asked = Intent(number)
    allowed = {Intent[name.upper()] for name in granted}
    if any(intent in PRIVILEGED and intent not in allowed for intent in asked):
        raise Refusal(CloseCode.DISALLOWED_INTENTS)
    return asked


def requested_shard(pair: object) -> tuple[int, int]:
    """Return (shard, number of shards) of an IDENTIFY; raises Refusal (4010) if that is no pair of those."""
    match pair:
        case [int(shard), int(count)] if 0 <= shard < count:
            return shard, count
    raise Refusal(CloseCode.INVALID_SHARD)
