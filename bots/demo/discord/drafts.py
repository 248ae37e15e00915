"""Reads the body of a message to be sent or edited, and refuses what Discord refuses. It stores nothing.

Limits: discord.com/developers/docs/resources/message#create-message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.demo.discord.components import check_components
from bots.demo.discord.mentions import BY_BOT, Allowed, read_allowed
from bots.demo.discord.records import Flags, Json
from bots.demo.discord.refusals import Refused, bad_length, invalid, too_long

MOST_CONTENT = 2_000
MOST_NONCE = 25
MOST_EMBEDS = 10
MOST_EMBED_TEXT = 6_000
MOST_FILES = 10
MOST_FILE_BYTES = 10 * 1024 * 1024
_EMBED_LIMITS = {"title": 256, "description": 4096}
_SETTABLE = Flags.SUPPRESS_EMBEDS | Flags.EPHEMERAL | Flags.SUPPRESS_NOTIFICATIONS | Flags.COMPONENTS_V2


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is about to be sent."""

    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    """What the body says of its attachments: kept ones by id, new ones by their number."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """New files by name, in order."""
    flags: Flags = Flags.NONE
    allowed: Allowed = field(default_factory=Allowed)
    reference: Json | None = None
    nonce: str | int | None = None
    enforce_nonce: bool = False


def read_draft(body: Json, files: Mapping[str, bytes], default: Allowed = BY_BOT) -> Draft:
    """Return the message a body describes; raise Refused if Discord would not take it."""
    draft = read_fields(body, files, default)
    check_shape(draft)
    return draft


def read_fields(body: Json, files: Mapping[str, bytes], default: Allowed, flags: Flags = Flags.NONE) -> Draft:
    """Return what a body says, each field judged by itself; `flags` are set already."""
    flags |= Flags(int(body.get("flags") or 0)) & _SETTABLE
    return Draft(
        content=read_content(body),
        embeds=_embeds(body),
        components=_components(body, flags),
        attachments=tuple(body.get("attachments") or ()),
        files=_checked_files(files),
        flags=flags,
        allowed=read_allowed(body, default),
        reference=body.get("message_reference"),
        nonce=_nonce(body),
        enforce_nonce=bool(body.get("enforce_nonce")),
    )


def check_shape(draft: Draft) -> None:
    """Refuse an empty message, and text or embeds beside the newer components."""
    if Flags.COMPONENTS_V2 in draft.flags:
        for name in ("content", "embeds"):
            if getattr(draft, name):
                message = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
                raise invalid(
                    name, code="MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message=message
                )
    if not (draft.content.strip() or draft.embeds or draft.components or draft.files or draft.attachments):
        raise Refused(50006)


def read_content(body: Json) -> str:
    """Return the body's text; Refused over 2000 characters."""
    content = body.get("content")
    if content is None:
        return ""
    if not isinstance(content, str | int):
        raise invalid("content", code="STRING_TYPE_CONVERT", message="Could not interpret as string.")
    if len(str(content)) > MOST_CONTENT:
        raise too_long("content", most=MOST_CONTENT)
    return str(content)


def _embeds(body: Json) -> tuple[Json, ...]:
    embeds = body.get("embeds") or []
    if len(embeds) > MOST_EMBEDS:
        raise bad_length("embeds", least=0, most=MOST_EMBEDS)
    for index, embed in enumerate(embeds):
        for name, most in _EMBED_LIMITS.items():
            if len(embed.get(name) or "") > most:
                raise too_long("embeds", index, name, most=most)
    if sum(_embed_size(embed) for embed in embeds) > MOST_EMBED_TEXT:
        message = f"Embed size exceeds maximum size of {MOST_EMBED_TEXT}"
        raise invalid("embeds", code="MAX_EMBED_SIZE_EXCEEDED", message=message)
    return tuple({"type": "rich"} | embed for embed in embeds)


def _embed_size(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [text for one in embed.get("fields") or () for text in (one.get("name"), one.get("value"))]
    return sum(len(text or "") for text in texts)


def _components(body: Json, flags: Flags) -> tuple[Json, ...]:
    components: Any = body.get("components")
    return check_components(components, is_v2=Flags.COMPONENTS_V2 in flags) if components else ()


def _checked_files(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    if len(files) > MOST_FILES:
        raise bad_length("attachments", least=0, most=MOST_FILES)
    if any(len(content) > MOST_FILE_BYTES for content in files.values()):
        raise Refused(40005, status=413, message="Request entity too large")
    return files


def _nonce(body: Json) -> str | int | None:
    nonce: str | int | None = body.get("nonce")
    if nonce is not None and len(str(nonce)) > MOST_NONCE:
        raise too_long("nonce", most=MOST_NONCE)
    return nonce
