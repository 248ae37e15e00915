"""Published descriptions (OpenAPI, JSON Schema) as something to hold JSON against. Prints nothing."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no types
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]  # nor this

_PARAMETER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What a description has against some JSON: where in it, and why."""

    subject: str
    at: str
    why: str

    def __str__(self) -> str:
        return f"{self.subject} at {self.at or '(all)'}: {self.why[:300]}"


class OpenApi:
    """One service's description. Routes are `METHOD /path`, whatever their parameters are called."""

    def __init__(self, path: Path) -> None:
        self._described: Any = _read(path)
        self._bodies: Mapping[str, Any] = dict(self._routes())
        self._validators: dict[str, Draft202012Validator] = {}

    def faults(self, route: str, body: object) -> Iterator[Fault]:
        """Yield what is wrong with a call: an unknown route, or its body."""
        key = _PARAMETER.sub("{}", route)
        if key not in self._bodies:
            yield Fault(route, "", "the description has no such route")
        elif self._bodies[key] is not None:
            yield from self._against(key, self._bodies[key], route, body)
        elif body:
            yield Fault(route, "", "this route takes no body")

    def faults_of(self, schema: str, subject: str, value: object) -> Iterator[Fault]:
        """Yield what is wrong with a value, by the name of a schema."""
        yield from self._against(schema, {"$ref": f"#/components/schemas/{schema}"}, subject, value)

    def _against(self, key: str, schema: Any, subject: str, value: object) -> Iterator[Fault]:
        if key not in self._validators:
            whole = {**schema, "components": self._described["components"]}
            self._validators[key] = Draft202012Validator(whole)
        for error in self._validators[key].iter_errors(value):
            yield Fault(subject, ".".join(map(str, error.absolute_path)), error.message)

    def _routes(self) -> Iterator[tuple[str, Any]]:
        for path, operations in self._described["paths"].items():
            for method in operations.keys() & {"get", "put", "post", "patch", "delete"}:
                content = operations[method].get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema")
                yield f"{method.upper()} {_PARAMETER.sub('{}', path)}", schema


class SlackManifests:
    """The description of Slack's app manifests."""

    def __init__(self, path: Path) -> None:
        self._validator = Draft7Validator(_read(path))

    def faults(self, subject: str, manifest: object) -> Iterator[Fault]:
        """Yield what is wrong with a manifest."""
        for error in self._validator.iter_errors(manifest):
            yield Fault(subject, ".".join(map(str, error.absolute_path)), error.message)


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
