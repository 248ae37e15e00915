"""Published descriptions (OpenAPI, JSON Schema, Slack's SDK) as something to hold JSON against."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no types
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]  # nor this
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

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


class SlackMethods:
    """Slack's methods as its own SDK, the one installed, describes them. What forms and blocks say, too."""

    def faults(self, method: str, body: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield what is wrong with a call: an unknown method, its arguments, or what is shown."""
        described = getattr(AsyncWebClient, method.replace(".", "_"), None)
        if described is None:
            yield Fault(method, "", "the SDK has no such method")
            return
        arguments = inspect.signature(described).parameters.values()
        named = {one.name: one.default is one.empty for one in arguments if one.kind is one.KEYWORD_ONLY}
        for name in sorted(body.keys() - named.keys()):
            yield Fault(method, name, "the method has no such argument")
        for name in sorted(name for name, is_required in named.items() if is_required and name not in body):
            yield Fault(method, name, "the method needs this argument")
        yield from self._shown(method, body)

    @staticmethod
    def _shown(method: str, body: Mapping[str, Any]) -> Iterator[Fault]:
        view = body.get("view")
        parts: list[tuple[str, JsonObject]] = [] if view is None else [("view", View(**view))]
        blocks = body.get("blocks") if view is None else view["blocks"]
        parts += [("blocks", block) for block in Block.parse_all(blocks or [])]
        for at, part in parts:
            try:
                part.validate_json()
            except SlackObjectFormationError as error:
                yield Fault(method, at, str(error))


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
