"""What a failed call to Slack means, in core's words. Translates errors; makes no calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError

from core.errors import (
    AccountRefused,
    OutcomeUnknown,
    Permanent,
    PostRefused,
    RateLimited,
    ThreadlineError,
    Unavailable,
    Unreachable,
)

log = structlog.get_logger(__name__)

# Error codes of the Web API's methods (docs.slack.dev/reference/methods), by what we may do about them.
_ACCOUNT = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "org_login_required"}
)
_BUSY = frozenset({"service_unavailable", "team_added_to_org", "accesslimited"})
_UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout"})

#: What Slack answers when it cannot take a message's blocks or their size.
UNSHOWABLE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})


class TokenRefused(Permanent):
    """Slack does not accept a token that we begin with."""


class Forbidden(PostRefused):
    """The app lacks a scope for this call."""


class Unshowable(PostRefused):
    """Slack will not show these blocks."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever slack_sdk raises inside into an error of core.errors."""
    try:
        yield
    except SlackApiError as error:
        raise _meaning(error) from error
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(f"Slack cannot be reached: {error.strerror or error}") from error
    except (aiohttp.ClientError, SlackClientError, TimeoutError) as error:
        raise OutcomeUnknown(f"no reply from Slack: {type(error).__name__}") from error
    except (AttributeError, UnicodeDecodeError) as error:
        # slack_sdk stumbles over a 200 whose body is no JSON object: a proxy's page, for one.
        raise OutcomeUnknown("unreadable reply from Slack") from error


def refuses_token(error: SlackApiError) -> bool:
    """Tell whether Slack does not accept the token of a call."""
    return isinstance(_meaning(error), AccountRefused)


class TokenWatch:
    """Says once that Slack refuses our token, however many calls meet that, until it accepts it again."""

    def __init__(self) -> None:
        self._told = False

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Do what the function of this name does, and watch."""
        try:
            with translated():
                yield
        except AccountRefused as error:
            if not self._told:
                log.error("slack refuses our token", said=str(error))  # noqa: TRY400 its words are enough
            self._told = True
            raise
        self._told = False


def _meaning(error: SlackApiError) -> ThreadlineError:
    response: Any = error.response
    # slack_sdk hands over its own response, or aiohttp's where the reply was not JSON.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 200)
    code = _code(response)
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return RateLimited(_retry_after(response), "Slack asked us to slow down")
    if status >= 500:
        return OutcomeUnknown(f"Slack answered {status}")
    return _by_code(code)


def _code(response: Any) -> str:
    """Return Slack's error code; a reply that was not JSON has none."""
    body = getattr(response, "data", None)
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _by_code(code: str) -> ThreadlineError:
    if code in _ACCOUNT:
        return AccountRefused(f"Slack does not accept the token ({code})")
    if code in _BUSY:
        return Unavailable(f"Slack is not available ({code})")
    if code in _UNSURE or not code:
        return OutcomeUnknown(f"Slack failed ({code or 'unreadable reply'})")
    if code == "missing_scope":
        return Forbidden("Slack says that the app lacks a scope (missing_scope)")
    if code in UNSHOWABLE:
        return Unshowable(f"Slack would not show it ({code})")
    return PostRefused(f"Slack refused ({code})")


def _retry_after(response: Any) -> timedelta | None:
    try:
        return timedelta(seconds=max(0, ceil(float(response.headers.get("Retry-After", "")))))
    except (ValueError, OverflowError):
        return None
