"""Commands as we define them ↔ commands as Discord has them, over REST. Opens no gateway."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import structlog

from bots.discord.calls import named_wait
from core.errors import BrokenAnswer, OutcomeUnknown, Permanent, RateLimited, Unavailable, Unreachable

log = structlog.get_logger(__name__)

Json = dict[str, Any]

_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
# Discord asks for the form "DiscordBot (url, version)" (developers/reference, User Agent).
_USER_AGENT = "DiscordBot (https://microvisualizer.com, threadline)"

# What a field means where it is absent or null (developers/interactions/application-commands). All else that
# Discord adds (ids, version, dm_permission, …) is its own.
_TEXTS: Json = {"description": "", "name_localizations": {}, "description_localizations": {}}
_COMMAND: Json = _TEXTS | {
    "options": [],
    "default_member_permissions": None,
    "nsfw": False,
    "integration_types": [0, 1],
    "contexts": [0, 1, 2],
}
_OPTION: Json = _TEXTS | {
    "type": None,
    "required": False,
    "autocomplete": False,
    "choices": [],
    "channel_types": [],
    "min_value": None,
    "max_value": None,
    "min_length": None,
    "max_length": None,
    "options": [],
}
_CHOICE: Json = {"name": None, "value": None, "name_localizations": {}}
_SETS = ("integration_types", "contexts", "channel_types")
_CHAT_INPUT = 1


class TokenRefused(Permanent):
    """Discord does not accept the bot token."""


class CommandsRefused(Permanent):
    """Discord will not take our commands, or not show them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which Discord has a command other than we do.

    `place` is a path such as `options.question.required`, empty for the whole command; `ours` and `theirs`
    are JSON, None for a command that only the other side has.
    """

    command: str
    place: str = ""
    ours: object = None
    theirs: object = None

    def __str__(self) -> str:
        if not self.place:
            return (
                f"{self.command} is {'at Discord, but not ours' if self.ours is None else 'not at Discord'}"
            )
        ours, theirs = (json.dumps(value, ensure_ascii=False) for value in (self.ours, self.theirs))
        return f"{self.command}: {self.place} is {theirs} at Discord, and should be {ours}"


def compare(ours: Sequence[Json], theirs: Sequence[Json]) -> list[Difference]:
    """Return in what two lists of global commands differ, once Discord's defaults are filled in.

    The order of commands does not matter; that of options and choices does, as people see it.
    """
    wanted, there = _by_name(ours), _by_name(theirs)
    found: list[Difference] = []
    for key, command in wanted.items():
        if key in there:
            found += _differences(_shown(key), "", command, there[key])
        else:
            found.append(Difference(_shown(key), ours=command))
    return found + [Difference(_shown(key), theirs=there[key]) for key in there if key not in wanted]


async def sync(
    token: str, api_url: str, commands: Sequence[Json], *, apply: bool, proxy: str | None = None
) -> list[Difference]:
    """Return in what Discord's global commands differ from `commands`; with `apply`, then set them right.

    Nothing is written where nothing differs: Discord limits how many commands are created in a day. Raises
    TokenRefused, CommandsRefused, RateLimited, Unreachable, OutcomeUnknown, Unavailable, BrokenAnswer.
    """
    headers = {"Authorization": f"Bot {token}", "User-Agent": _USER_AGENT}
    async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers) as session:
        rest = _Rest(session, api_url.rstrip("/"), proxy)
        application = (await rest.call("GET", "/oauth2/applications/@me", dict))["id"]
        route = f"/applications/{application}/commands"
        there = await rest.call("GET", f"{route}?with_localizations=true", list)
        differences = compare(commands, there)
        if apply and differences:
            # One request for all of them: deleting and creating one by one could end half-way.
            taken = await rest.call("PUT", route, list, body=commands)
            if still := compare(commands, taken):
                log.warning("Discord reads the commands otherwise", differences=[str(one) for one in still])
    return differences


class _Rest:
    """Makes single calls: whoever runs the command may run it again.

    (What aiohttp itself repeats, after a connection that broke, may be repeated: reads, and a whole list.)
    """

    def __init__(self, session: aiohttp.ClientSession, api_url: str, proxy: str | None) -> None:
        self._session = session
        self._api_url = api_url
        self._proxy = proxy

    async def call(self, method: str, route: str, shape: type, *, body: object = None) -> Any:
        """Return the JSON of a reply, of the expected shape."""
        try:
            async with self._session.request(
                method, self._api_url + route, json=body, proxy=self._proxy, allow_redirects=False
            ) as response:
                status, retry_after, raw = (
                    response.status,
                    response.headers.get("Retry-After"),
                    await response.read(),
                )
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"Discord cannot be reached: {error.strerror or error}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutcomeUnknown(f"no reply from Discord: {type(error).__name__}") from error
        said = _json(raw)
        _raise_for(status, retry_after, said)
        if not isinstance(said, shape):
            raise BrokenAnswer("Discord answered with something unreadable; is DISCORD_API_URL right?")
        return said


def _json(raw: bytes) -> object:
    try:
        found: object = json.loads(raw)
    except ValueError:
        return None
    return found


def _raise_for(status: int, retry_after: str | None, said: object) -> None:
    """Raise what a reply other than a success means."""
    if 200 <= status < 300:
        return
    if status == 401:
        raise TokenRefused("Discord does not accept the bot token: copy DISCORD_TOKEN again, from Bot.")
    if status == 429:
        wait = _seconds(retry_after, said)
        when = "in a while" if wait is None else f"in {wait.total_seconds():.0f} seconds"
        raise RateLimited(wait, f"Discord asks us to slow down: try again {when}")
    if status >= 500:
        raise Unavailable(f"Discord is not available (HTTP {status}); try again")
    reasons = "; ".join(_reasons(said)) or "is DISCORD_API_URL right?"
    raise CommandsRefused(f"Discord refused (HTTP {status}): {reasons}")


def _seconds(retry_after: str | None, said: object) -> timedelta | None:
    named = said.get("retry_after") if isinstance(said, dict) else None
    return named_wait(retry_after if named is None else named)


def _reasons(said: object) -> Iterator[str]:
    """Yield Discord's message, and each field's, as `0.options.1.name: …` (developers/reference)."""
    if not isinstance(said, dict):
        return
    if isinstance(said.get("message"), str):
        yield said["message"]
    yield from _field_reasons(said.get("errors"), ())


def _field_reasons(errors: object, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(errors, dict):
        return
    for name, below in errors.items():
        if name == "_errors" and isinstance(below, list):
            yield from (f"{'.'.join(path)}: {one.get('message')}" for one in below if isinstance(one, dict))
        else:
            yield from _field_reasons(below, (*path, str(name)))


def _by_name(commands: Sequence[Json]) -> dict[tuple[int, str], Json]:
    """Index commands by what makes them one: type and name."""
    return {(one.get("type") or _CHAT_INPUT, one["name"]): _normal(one, _COMMAND) for one in commands}


def _shown(key: tuple[int, str]) -> str:
    kind, name = key
    return f"/{name}" if kind == _CHAT_INPUT else f"“{name}”"


def _normal(given: Mapping[str, Any], defaults: Json) -> Json:
    """Return what we compare of a command or option: null and absent are the default."""
    normal = {
        field: default if given.get(field) is None else given[field] for field, default in defaults.items()
    }
    for field in _SETS:
        if field in normal:
            normal[field] = sorted(normal[field])
    if normal.get("default_member_permissions") is not None:
        normal["default_member_permissions"] = str(normal["default_member_permissions"])  # sent as a number
    if "choices" in normal:
        normal["choices"] = [_normal(one, _CHOICE) for one in normal["choices"]]
    if "options" in normal:
        normal["options"] = {one["name"]: _normal(one, _OPTION) for one in normal["options"]}
    return normal


def _differences(command: str, place: str, ours: Json, theirs: Json) -> Iterator[Difference]:
    for field, wanted in ours.items():
        there, where = theirs[field], f"{place}.{field}".lstrip(".")
        if field != "options":
            if wanted != there:
                yield Difference(command, where, wanted, there)
        elif list(wanted) != list(there):
            yield Difference(command, where, list(wanted), list(there))
        else:
            for name in wanted:
                yield from _differences(command, f"{where}.{name}", wanted[name], there[name])
