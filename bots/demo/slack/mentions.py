"""Reads Slack's mention syntax: what pings, and how typed text becomes a rich_text block. Pure functions."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bots.demo.slack.records import Json

LIVE = re.compile(r"<(?:!(?:channel|here|everyone)|!subteam\^|@[UW]|#[CG])[^>]*>")
_LINK = re.compile(r"(<[^<>]+>)")


def live_mentions(text: str, blocks: Iterable[Json]) -> list[str]:
    """Return every mention in the fallback text or the blocks that Slack would bring to life."""
    return [*LIVE.findall(text), *(found for block in blocks for found in _in_block(block))]


def _in_block(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _in_block(item)
    elif isinstance(node, dict):
        if node.get("type") in {"mrkdwn", "markdown"}:
            yield from LIVE.findall(str(node.get("text", "")))
        elif (mention := _rich_mention(node)) is not None:
            yield mention
        elif node.get("type") != "plain_text":
            yield from _in_block(list(node.values()))


def _rich_mention(element: Json) -> str | None:
    match element:
        case {"type": "user", "user_id": user}:
            return f"<@{user}>"
        case {"type": "usergroup", "usergroup_id": group}:
            return f"<!subteam^{group}>"
        case {"type": "broadcast", "range": everyone}:
            return f"<!{everyone}>"
        case {"type": "channel", "channel_id": channel}:
            return f"<#{channel}>"
        case _:
            return None


def rich_text(text: str, block_id: str) -> Json:
    """Return the block Slack's composer would have made of what a person typed."""
    elements = [_element(part) for part in _LINK.split(text) if part]
    section: Json = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}


def _element(part: str) -> Json:
    if not (part.startswith("<") and part.endswith(">") and len(part) > 2):
        return {"type": "text", "text": part}
    target, _, label = part[1:-1].partition("|")
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!" if target.startswith("!subteam^"):
            return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
        case _:
            return {"type": "link", "url": target} | ({"text": label} if label else {})
