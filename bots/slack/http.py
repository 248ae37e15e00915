"""Slack's signed requests as a Starlette route: what is not well signed gets 401, whatever its fault."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.internals import parse_body
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

#: Where Slack sends events, commands and clicks.
PATH = "/slack/events"
_LARGEST = 1024 * 1024  #: bytes; Slack's own requests are far smaller


def route(app: AsyncApp, signing_secret: str) -> Route:
    """Return the route at which the app takes requests.

    Bolt reads a body before it looks at the signature, and fails over one that is not JSON: so the
    signature is looked at here, first.
    """
    bolt = AsyncSlackRequestHandler(app)
    verifier = SignatureVerifier(signing_secret)

    async def endpoint(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return PlainTextResponse("request too large", 413)
        if not _is_signed(verifier, request, body):
            return PlainTextResponse("unsigned request", 401)
        if not _is_shaped(body.decode(), request.headers.get("content-type", "")):
            return PlainTextResponse("not a request of Slack's", 400)
        request._body = body
        return await bolt.handle(request)

    return Route(PATH, endpoint, methods=["POST"])


async def _read(request: Request) -> bytes | None:
    """Return the body, None for one that is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            return None
    return bytes(body)


def _is_signed(verifier: SignatureVerifier, request: Request, body: bytes) -> bool:
    """Tell whether Slack signed this. The verifier raises on numbers that are none, and on other bytes."""
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12 and signature.isascii()):
        return False
    try:
        return verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False


def _is_shaped(body: str, content_type: str) -> bool:
    """Tell whether Bolt can find its way in this: over anything else it would fail, and Slack try again."""
    try:
        parsed: object = parse_body(body, content_type.partition(";")[0].strip())
    except (ValueError, RecursionError):
        return False
    if not isinstance(parsed, dict):
        return False
    event, actions = parsed.get("event"), parsed.get("actions")
    if parsed.get("type") == "event_callback" and not isinstance(event, dict):
        return False
    typed = event is None or (isinstance(event, dict) and isinstance(event.get("type"), str))
    listed = _is_listed(parsed.get("authorizations")) and _is_listed(actions) and actions != []
    return typed and listed and all(map(_is_legible, _parts(parsed)))


def _is_listed(things: object) -> bool:
    return things is None or (isinstance(things, list) and all(isinstance(one, dict) for one in things))


def _parts(parsed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return where Bolt looks for who did something, and where: the body, its event, and messages in that."""
    event = _inner(parsed, "event")
    return [parsed, event, _inner(event, "message"), _inner(event, "previous_message")]


def _inner(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = part.get(name)
    return inner if isinstance(inner, dict) else {}


def _is_legible(part: Mapping[str, Any]) -> bool:
    """Tell whether its names are of a kind that Bolt can look into."""
    return all(isinstance(part.get(name), str | dict | None) for name in ("user", "channel", "team"))
