"""Faults a test or the demo can queue for a Web API method, beside those that every platform may have."""

from dataclasses import dataclass

from bots.demo.faults import Delay, Hold, Reset


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Answer 429 with Retry-After, in whole seconds, without doing the deed."""

    retry_after: int = 30


@dataclass(frozen=True, slots=True)
class HttpError:
    """Answer with that status; `after=True` does the deed first and hides its result."""

    status: int = 500
    after: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer `ok: false` with that error code."""

    error: str


Fault = RateLimited | HttpError | Reset | Delay | Refuse | Hold
