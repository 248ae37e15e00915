"""The chat endpoint's contract from the server's side: reads request bodies, writes replies. No sockets."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.demo.assistant.reading import Turn

JSON = "application/json"
ROLES = ("user", "assistant")

_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9-]{6,58}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply, before it meets the wire. `headers` carry neither type nor length."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with one field of a request."""

    field: str
    message: str
    rejected: object = None


class InvalidRequest(Exception):
    """The request breaks the contract in the ways listed in `violations`."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{violation.field} {violation.message}" for violation in violations))
        self.violations = violations


def json_reply(status: int, content: object, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(content, ensure_ascii=False).encode(), headers=headers or {})


def said(content: str, role: str = "assistant") -> Reply:
    """Return the reply of a 200: the assistant's message."""
    return json_reply(200, {"message": {"role": role, "content": content}})


def refused(status: int, code: str, message: str, details: str | None = None) -> Reply:
    """Return the standard error."""
    content = {"status": status, "code": code, "message": message}
    return json_reply(status, content if details is None else {**content, "details": details})


def invalid(error: InvalidRequest) -> Reply:
    """Return a 400 with its violations."""
    violations = [
        {"field": each.field, "message": each.message, "rejectedValue": each.rejected}
        for each in error.violations
    ]
    content = {"status": 400, "code": "validation_failed", "message": "Validation failed"}
    return json_reply(400, {**content, "violations": violations})


def slowed(seconds: int) -> Reply:
    """Return a 429 that names the same whole seconds in header and body."""
    content = {"status": 429, "code": "rate_limited", "message": "Too many requests", "retryAfter": seconds}
    return json_reply(429, content, {"Retry-After": str(seconds)})


def check_project_id(text: str) -> None:
    """Raise InvalidRequest unless the text has the form of a project's id (8 to 60 characters)."""
    if _PROJECT_ID.fullmatch(text) is None:
        raise InvalidRequest(
            Violation("projectId", "must match ^[a-z0-9][a-z0-9-]*[a-z0-9]$, 8 to 60 long", text)
        )


def check_content_type(text: str) -> None:
    """Raise InvalidRequest unless the body is said to be JSON."""
    if text.partition(";")[0].strip().lower() != JSON:
        raise InvalidRequest(Violation("Content-Type", f"must be {JSON}", text))


def turns_of(raw: bytes) -> tuple[Turn, ...]:
    """Return the messages of a request body, oldest first.

    Raises InvalidRequest unless it is `{"messages": [{"role", "content"}…]}` and nothing else, its
    last message by the user.
    """
    messages = _messages(raw)
    violations = [violation for at, message in enumerate(messages) for violation in _faults_of(at, message)]
    if not violations and messages[-1]["role"] != "user":
        violations.append(Violation("messages", "must end with a message by user", messages[-1]["role"]))
    if violations:
        raise InvalidRequest(*violations)
    return tuple((message["role"], message["content"]) for message in messages)


def legible_turns(raw: bytes) -> tuple[Turn, ...]:
    """Return what can be read of a body's messages, for the journal: nothing if it breaks the contract."""
    try:
        return turns_of(raw)
    except InvalidRequest:
        return ()


def _messages(raw: bytes) -> list[Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(Violation("body", "must be JSON")) from error
    if not isinstance(body, dict) or set(body) != {"messages"}:
        raise InvalidRequest(Violation("body", "must be an object with messages and nothing else"))
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest(Violation("messages", "must be a list of at least one message"))
    return messages


def _faults_of(at: int, message: object) -> Iterator[Violation]:
    where = f"messages[{at}]"
    if not isinstance(message, dict) or set(message) != {"role", "content"}:
        yield Violation(where, "must be an object with role and content and nothing else")
        return
    if message["role"] not in ROLES:
        yield Violation(f"{where}.role", "must be user or assistant", message["role"])
    content = message["content"]
    if not isinstance(content, str) or not content.strip():
        yield Violation(f"{where}.content", "must not be blank", content)
