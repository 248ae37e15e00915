"""Reads the arguments of a Web API call, and names the refusal Slack answers with. No methods live here."""

import json
from collections.abc import Mapping
from typing import Any

from bots.demo.slack.records import Json


class Refused(Exception):
    """The call is answered `ok: false`."""

    def __init__(self, error: str, *, messages: tuple[str, ...] = (), **more: str) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages
        self.more = more

    def body(self) -> Json:
        """Return the answer's JSON."""
        body: Json = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            body["errors"] = list(self.messages)
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


class Arguments(Mapping[str, Any]):
    """Arguments as they came, from a query, a form or JSON; forms carry structures as JSON text."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)

    def __getitem__(self, name: str) -> Any:
        return self._given[name]

    def __iter__(self) -> Any:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def text(self, name: str, default: str = "") -> str:
        """Return the argument as text, `default` if absent or null."""
        value = self._given.get(name)
        return default if value is None else str(value)

    def required(self, *names: str) -> str:
        """Return the first of these that is there and not empty, or refuse the call."""
        for name in names:
            if self.text(name):
                return self.text(name)
        raise Refused("invalid_arguments", messages=(f"missing required field: {names[0]}",))

    def flag(self, name: str) -> bool:
        """Return a boolean however it was spelled."""
        return self.text(name).lower() in {"1", "true"}

    def whole(self, name: str, default: int, most: int) -> int:
        """Return a whole number between 1 and `most`, or refuse."""
        value = self.text(name) or str(default)
        if not value.isascii() or not value.isdigit() or not 0 < int(value) <= most:
            raise Refused("invalid_limit")
        return int(value)

    def structure(self, name: str, error: str) -> Any:
        """Return a list or object, parsed if it came as text; refuse with `error` if broken."""
        value = self._given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as fault:
            raise Refused(error) from fault
