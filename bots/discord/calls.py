"""What a failed call to Discord means, in core's words, and how long one may take. Makes no calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from math import ceil

import aiohttp
import discord

from core.errors import (
    AccountRefused,
    OutcomeUnknown,
    PostRefused,
    RateLimited,
    ThreadlineError,
    Unreachable,
)

#: Seconds that one call may take with all that discord.py repeats inside it: five tries at a failing
#: server, and waits for a rate limit of under 30 s.
DEADLINE = 60.0

# Discord's JSON error codes (topics/opcodes-and-status-codes).
UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MESSAGE = 10003, 10004, 10008
NO_ACCESS, NO_PERMISSION, NO_DIRECT_MESSAGES = 50001, 50013, 50007
THREAD_ALREADY_THERE, THREAD_LOCKED, TOO_MANY_THREADS, THREAD_ARCHIVED = 160004, 160005, 160006, 50083
# A token that has had its 15 minutes is answered with any of these (discord.py#9578, #9856).
_SPENT = frozenset({50027, 10015, 10062})
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)


class Refused(PostRefused):
    """Discord will not do it. `code` is its JSON error code, 0 for none."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class TicketSpent(PostRefused):
    """The interaction can no longer be answered."""


@asynccontextmanager
async def calling(seconds: float = DEADLINE) -> AsyncIterator[None]:
    """Bound what is awaited inside, and turn whatever discord.py raises into an error of core.errors."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except discord.RateLimited as error:
        raise RateLimited(named_wait(error.retry_after), "Discord asked us to slow down") from error
    except discord.HTTPException as error:
        raise _meaning(error) from error
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(f"Discord cannot be reached: {error.strerror or error}") from error
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise OutcomeUnknown(f"no reply from Discord: {type(error).__name__}") from error
    except discord.LoginFailure as error:
        raise AccountRefused("Discord does not accept the bot token") from error
    except discord.InvalidData as error:  # such as a channel of a type that came after discord.py
        raise Refused(f"not understood: {error}", 0) from error
    except (discord.DiscordException, *_UNREADABLE) as error:
        # discord.py takes every reply for JSON of the right shape: a proxy's page is not.
        raise OutcomeUnknown("unreadable reply from Discord") from error


def _meaning(error: discord.HTTPException) -> ThreadlineError:
    status, code = error.status, error.code
    if status == 429:
        named = error.response.headers.get("Retry-After", "")
        return RateLimited(named_wait(named), "Discord asked us to slow down")
    if code in _SPENT:
        return TicketSpent(f"the interaction can no longer be answered ({status}, {code})")
    if status == 401:
        return AccountRefused("Discord does not accept the bot token (401)")
    if status >= 500:
        return OutcomeUnknown(f"Discord answered {status}")
    return Refused(f"Discord refused ({status}, {code}: {error.text.partition(chr(10))[0][:200]})", code)


def named_wait(named: object) -> timedelta | None:
    """Return a wait as Discord names it, in whole seconds upwards; None for no usable one."""
    try:
        return timedelta(seconds=max(0, ceil(float(str(named)))))
    except (ValueError, OverflowError):
        return None
