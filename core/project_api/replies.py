"""What a response of the service means: the JSON of a 200, or an error with a name. No I/O."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import (
    BrokenAnswer,
    CreditsSpent,
    EndpointMisplaced,
    KeyRefused,
    ProjectUnknown,
    QuestionRejected,
    RateLimited,
    ThreadlineError,
    Unavailable,
)
from core.project_api import retry_after

_LONGEST_MESSAGE = 500

# The contract gives few of its codes a status, so the code speaks first (components/schemas/ErrorCode).
_BY_CODE: Mapping[str, type[ThreadlineError]] = {
    "rate_limited": RateLimited,
    "insufficient_ai_credits": CreditsSpent,
    "payment_required": CreditsSpent,
    "unauthorized": KeyRefused,
    "forbidden": KeyRefused,
    "project_not_found": ProjectUnknown,
    "not_found": ProjectUnknown,
    "validation_failed": QuestionRejected,
    "bad_request": QuestionRejected,
    "conflict": QuestionRejected,
    "internal_error": Unavailable,
}
_BY_STATUS: Mapping[int, type[ThreadlineError]] = {
    401: KeyRefused,
    402: CreditsSpent,
    403: KeyRefused,
    404: ProjectUnknown,
    408: Unavailable,
    429: RateLimited,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response whose body is in hand. `headers` are looked up in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


def content_of(reply: Reply, *, now: datetime, unsaid: Iterable[str] = ()) -> Any:
    """Return the JSON of a 200; raise what any other reply means.

    `unsaid` are texts no error message may repeat, though the service may quote them: the key, the
    questions. A Retry-After beside a 5xx is not heeded: only a 429, or the code rate_limited, pauses
    a whole lane. Raises RateLimited, Unavailable, BrokenAnswer, or any Permanent that a reply can mean.
    """
    if reply.status == 200:
        return _content(reply)
    if 300 <= reply.status < 400:
        raise EndpointMisplaced(
            f"The address redirects elsewhere ({reply.status}); redirects are not followed."
        )
    if reply.status < 400:
        raise BrokenAnswer(f"The assistant answered with status {reply.status}, which says nothing.")
    raise _error(reply, now, unsaid)


def writable(text: str) -> str:
    """Return the text without halves of characters ("\\ud83d"), which must not reach a database."""
    return text.encode("utf-8", "replace").decode()


def _content(reply: Reply) -> Any:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BrokenAnswer("The answer does not say that it is JSON.")
    try:
        return _strict_json(reply.body)
    except (ValueError, RecursionError) as error:
        # No detail: a decoding error carries the document, which is the answer's text.
        raise BrokenAnswer(f"The answer is not valid JSON ({type(error).__name__}).") from None


def _error(reply: Reply, now: datetime, unsaid: Iterable[str]) -> ThreadlineError:
    problem = _problem(reply.body)
    code = problem.get("code")
    if reply.status == 404 and not isinstance(code, str):
        return EndpointMisplaced("The address answers 404, but not in the assistant's way.")
    fallback = Unavailable if reply.status >= 500 else QuestionRejected
    kind = _BY_CODE.get(str(code)) or _BY_STATUS.get(reply.status, fallback)
    message = _message(reply.status, problem, unsaid)
    if kind is RateLimited:
        wait = retry_after.wanted(reply.headers.get("retry-after"), problem.get("retryAfter"), now)
        return RateLimited(wait, message)
    return kind(message)


def _problem(body: bytes | bytearray) -> Mapping[str, Any]:
    """Return the error's fields, none if it is not written in the contract's way."""
    try:
        problem = _strict_json(body)
    except (ValueError, RecursionError):
        return {}
    return problem if isinstance(problem, dict) else {}


def _message(status: int, problem: Mapping[str, Any], unsaid: Iterable[str]) -> str:
    """Return what the operator should read, in one bounded line; `rejectedValue` is the question's text."""
    said = [problem.get("code"), problem.get("message"), problem.get("details"), *_violations(problem)]
    words = " · ".join([f"status {status}", *(part for part in said if isinstance(part, str))])
    for secret in unsaid:
        if len(secret.strip()) > 3:  # shorter ones are everyday words, which give nothing away
            words = words.replace(secret.strip(), "[…]")
    words = " ".join(writable(words).split())
    return words if len(words) <= _LONGEST_MESSAGE else words[: _LONGEST_MESSAGE - 1] + "…"


def _violations(problem: Mapping[str, Any]) -> list[str]:
    match problem.get("violations"):
        case [*violations]:
            return [
                f"{field}: {message}"
                for violation in violations
                for field, message in _field_and_message(violation)
            ]
        case _:
            return []


def _field_and_message(violation: object) -> list[tuple[str, str]]:
    match violation:
        case {"field": str(field), "message": str(message)}:
            return [(field, message)]
        case _:
            return []


def _strict_json(body: bytes | bytearray) -> Any:
    """Parse UTF-8 JSON in which no key is doubled; raises ValueError, or RecursionError if too deep."""
    return json.loads(body.decode("utf-8"), object_pairs_hook=_no_doubles, parse_constant=_no_constant)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key occurs twice")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
