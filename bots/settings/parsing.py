"""One text → one value, or what is wrong with it. Knows no names of settings."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.errors import InvalidProjectId
from core.model import ProjectId, project_id

# Slack's member ids, and Discord's snowflakes: 64 bits in decimal.
_USER_ID = re.compile(r"[UW][A-Z0-9]+|[0-9]{15,20}")
# Slack's workspaces and organisations, Discord's servers, and the place of all its direct messages.
_WORKSPACE_ID = re.compile(r"[TE][A-Z0-9]+|[0-9]{15,20}|@me")
#: In the place of ids: whoever comes.
ALL = "*"


class Wrong(Exception):
    """A value cannot be used. Holds what is wrong, and the remedy."""


def matching(pattern: str, problem: str, remedy: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise Wrong(problem, remedy)
        return text

    return parse


def secret(kind: str, prefix: str = "") -> Callable[[str], SecretStr]:
    parse = matching(rf"{prefix}[!-~]+", f"is not {kind}", "Copy it again: printable ASCII, no spaces.")
    return lambda text: SecretStr(parse(text))


def keys(text: str) -> tuple[SecretStr, ...]:
    """Return the keys that a text lists; each is as Fernet makes them, 32 bytes in URL-safe base64."""
    listed = [key.strip() for key in text.split(",")]
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{43}=", key) for key in listed):
        remedy = "Each has 44 characters, separated by commas, newest first: `threadline secret` makes one."
        raise Wrong("holds something that is no key", remedy)
    return tuple(map(SecretStr, listed))


_DATABASES = "Use sqlite:///FILE or postgresql://USER@HOST/DATABASE."
_file = matching(r"sqlite:///(?!:memory:)[^?#]*[^?#/]", "does not name an SQLite file", _DATABASES)
_server = matching(
    r"(postgresql(\+psycopg)?|postgres)://[^/?#\s]*/[^/?#\s]+(\?[^#\s]*)?",
    "does not name a PostgreSQL database",
    _DATABASES,
)


def database(text: str) -> str:
    """Return the URL of a file, or of a database on a server; its password may be in it."""
    if text.startswith("postgres"):
        return _server(text)
    if text.startswith("sqlite"):
        return _file(text)
    raise Wrong("names neither an SQLite file nor a PostgreSQL database", _DATABASES)


host = matching(
    r"[A-Za-z0-9._:%-]+", "is not a host name or IP address", "Use a bare one, such as 127.0.0.1."
)


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text) is None or not least <= int(text) <= most:
            raise Wrong("is out of range or not a whole number", f"Use a number from {least} to {most}.")
        return int(text)

    return parse


def allowance(least: int, most: int) -> Callable[[str], int | None]:
    """Return a parser of a number, or "off" for as many as come."""
    number = whole(least, most)

    def parse(text: str) -> int | None:
        try:
            return None if text.lower() == "off" else number(text)
        except Wrong as wrong:
            problem, remedy = wrong.args
            raise Wrong(problem, f"{remedy.rstrip('.')}, or off.") from None

    return parse


def flag(text: str) -> bool:
    match text.lower():
        case "on" | "true" | "yes" | "1":
            return True
        case "off" | "false" | "no" | "0":
            return False
        case _:
            raise Wrong("is neither on nor off", "Use on or off.")


def _located(secure: str, plain: str) -> Callable[[str], str]:
    remedy = (
        f"Use {secure}://HOST without user name, query or fragment ({plain} only to this machine itself)."
    )

    def parse(text: str) -> str:
        try:
            url = urlsplit(text)
            named, _ = url.hostname or "", url.port
        except ValueError:
            raise Wrong("is not a URL", remedy) from None  # the cause repeats the address
        if not named or not text.isprintable() or " " in text:
            raise Wrong("is not a URL", remedy)
        if "@" in url.netloc or "?" in text or "#" in text:
            raise Wrong("has more than a host and a path", remedy)
        if url.scheme != secure and not (url.scheme == plain and _is_loopback(named)):
            raise Wrong(f"is not {secure}", remedy)
        return text

    return parse


address = _located("https", "http")
gateway = _located("wss", "ws")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def project(text: str) -> ProjectId:
    try:
        return project_id(text)
    except InvalidProjectId as wrong:
        raise Wrong("is not a project id", str(wrong)) from wrong


def proxy(text: str) -> str:
    try:
        url = urlsplit(text)
        reachable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port is not None
    except ValueError:
        reachable = False
    if not reachable:
        raise Wrong("is not a proxy's address", "Use http://HOST:PORT.")
    return text


def workspaces(text: str) -> frozenset[str]:
    found = _listed(text)
    if ALL in found and len(found) > 1:
        raise Wrong("names all (*), and some besides", "Name those that are meant, or * alone for all.")
    if found != {ALL} and not all(map(_WORKSPACE_ID.fullmatch, found)):
        remedy = "Use Slack's T… or E…, a Discord server's number, @me for its direct messages; or * for all."
        raise Wrong("holds something that is no workspace's id", remedy)
    return found


def ids(text: str) -> frozenset[str]:
    found = _listed(text)
    if any(_USER_ID.fullmatch(one) is None for one in found):
        remedy = "In Slack: profile, Copy member ID (U…). In Discord, with Developer Mode on: Copy User ID."
        raise Wrong("holds something that is no user id", remedy)
    return found


def _listed(text: str) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[,\s]+", text)))
