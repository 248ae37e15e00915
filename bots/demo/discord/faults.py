"""Faults a test or the demo can queue for a REST route, beside those that every platform may have."""

from dataclasses import dataclass

from bots.demo.faults import Delay, Hold, Reset


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Answer 429 without doing the deed; `via=False` looks like a ban by the proxy in front of Discord."""

    retry_after: float = 0.3
    is_global: bool = False
    via: bool = True


@dataclass(frozen=True, slots=True)
class HttpError:
    """Answer with that status and code; `after=True` does the deed first and hides its result."""

    status: int = 502
    code: int = 0
    message: str = "something went wrong"
    after: bool = False


Fault = RateLimited | HttpError | Reset | Delay | Hold
