"""Slack's signed requests over HTTP: what is not well signed gets 401, whatever its fault."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.request.internals import parse_body
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

#: Where Slack sends events, commands and clicks.
PATH = "/slack/events"
_LARGEST = 1024 * 1024  #: bytes; Slack's own requests are far smaller


def endpoint(app: AsyncApp, signing_secret: str) -> Callable[[Request], Awaitable[Response]]:
    """Return what takes requests for the app.

    Bolt reads a body before it looks at the signature, and fails over one that is not JSON: so the
    signature is looked at here, first, and Bolt is given what was read, as by Socket Mode.
    """
    verifier = SignatureVerifier(signing_secret)

    async def take(request: Request) -> Response:
        raw = await _read(request)
        if raw is None:
            return PlainTextResponse("request too large", 413)
        if not _is_signed(verifier, request, raw):
            return PlainTextResponse("unsigned request", 401)
        body = _shaped(raw.decode(), request.headers.get("content-type", ""))
        if body is None:
            return PlainTextResponse("not a request of Slack's", 400)
        told = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        return Response(told.body, told.status, told.first_headers_without_set_cookie())

    return take


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


def _shaped(raw: str, content_type: str) -> dict[str, Any] | None:
    """Return the request that a body is; None for what Bolt would fail over, and Slack send again."""
    try:
        body: object = parse_body(raw, content_type.partition(";")[0].strip())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and _is_shaped(body) else None


def _is_shaped(body: Mapping[str, Any]) -> bool:
    event, actions = body.get("event"), body.get("actions")
    if body.get("type") == "event_callback" and not isinstance(event, dict):
        return False
    typed = event is None or (isinstance(event, dict) and isinstance(event.get("type"), str))
    listed = _is_listed(body.get("authorizations")) and _is_listed(actions) and actions != []
    return typed and listed and all(map(_is_legible, _parts(body)))


def _is_listed(things: object) -> bool:
    return things is None or (isinstance(things, list) and all(isinstance(one, dict) for one in things))


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return where Bolt looks for who did something, and where: the body, its event, and messages in that."""
    event = _inner(body, "event")
    return [body, event, _inner(event, "message"), _inner(event, "previous_message")]


def _inner(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = part.get(name)
    return inner if isinstance(inner, dict) else {}


def _is_legible(part: Mapping[str, Any]) -> bool:
    """Tell whether its names are of a kind that Bolt can look into."""
    names = (part.get("user"), part.get("channel"), part.get("team"))
    return all(name is None or isinstance(name, str | dict) for name in names)
