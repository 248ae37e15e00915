"""Judges Block Kit as Slack does when a message or modal is sent: limits and shapes, no rendering.

Limits: docs.slack.dev/reference/block-kit/blocks; the 13,200 of a whole message is undocumented and comes
from reports of `msg_blocks_too_long`; one markdown block becomes several, and more than 50 are refused.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bots.demo.slack.arguments import Refused
from bots.demo.slack.records import Json

MOST_BLOCKS = 50
MOST_VIEW_BLOCKS = 100
MOST_SECTION = 3_000
MOST_MARKDOWN = 12_000
MOST_MESSAGE = 13_200

_KNOWN = frozenset(
    {
        "actions",
        "alert",
        "card",
        "carousel",
        "container",
        "context",
        "context_actions",
        "data_table",
        "data_visualization",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "plan",
        "rich_text",
        "section",
        "table",
        "task_card",
        "video",
    }
)
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[`~]*\s*$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^\|.*\n\|[-:| ]+\|[ \t]*(?:\n\|.*)*", re.MULTILINE)
_OWN_LINE = re.compile(r"^(?:#{1,6} .*|(?:-{3,}|\*{3,}|_{3,})\s*|!\[.*)$", re.MULTILINE)


def check_blocks(blocks: Any) -> tuple[Json, ...]:
    """Return a message's blocks if Slack would take them; raise Refused with Slack's code if not."""
    checked = _shaped(blocks, most=MOST_BLOCKS)
    if sum(_expanded(block) for block in checked) > MOST_BLOCKS:
        raise _invalid("no more than 50 items allowed after markdown is expanded [json-pointer:/blocks]")
    if any(block["type"] == "input" for block in checked):
        raise _invalid("unsupported type: input [json-pointer:/blocks]")
    if sum(len(text) for block in checked for text in texts(block)) > MOST_MESSAGE:
        raise Refused("msg_blocks_too_long")
    return checked


def check_view(view: Any) -> Json:
    """Return a modal or home tab if Slack would open it; raise Refused("invalid_arguments") if not."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        raise _bad_view("missing or unknown type [json-pointer:/view/type]")
    try:
        blocks = _shaped(view.get("blocks"), most=MOST_VIEW_BLOCKS)
    except Refused as refusal:
        raise _bad_view(*refusal.messages) from refusal
    if view["type"] == "modal":
        _check_title(view)
        if any(block["type"] == "input" for block in blocks) and "submit" not in view:
            raise _bad_view("submit is required when there are input blocks [json-pointer:/view]")
    return view


def texts(node: Any) -> Iterator[str]:
    """Yield every text a reader would see inside a block."""
    if isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts(value)


def _shaped(blocks: Any, *, most: int) -> tuple[Json, ...]:
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if len(blocks) > most:
        raise _invalid(f"no more than {most} items allowed [json-pointer:/blocks]")
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)):
        raise _invalid("block_id already exists [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        fault = _fault(block)
        if fault:
            raise _invalid(f"{fault} [json-pointer:/blocks/{index}]")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MOST_MARKDOWN:
        raise _invalid("markdown blocks must be less than 12001 characters together [json-pointer:/blocks]")
    return tuple(blocks)


def _fault(block: Any) -> str:
    if not isinstance(block, dict) or block.get("type") not in _KNOWN:
        return f"unsupported type: {block.get('type') if isinstance(block, dict) else block}"
    check = _CHECKS.get(block["type"])
    return check(block) if check is not None else ""


def _section_fault(block: Json) -> str:
    fields = block.get("fields")
    if isinstance(fields, list) and 0 < len(fields) <= 10:
        faults = [_text_fault(field, most=2_000) for field in fields]
        return next(filter(None, faults), "")
    return _text_fault(block.get("text"), most=MOST_SECTION)


def _text_fault(text: Any, *, most: int, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> str:
    if not isinstance(text, dict) or text.get("type") not in kinds or not isinstance(text.get("text"), str):
        return "missing required field: text"
    if not text["text"]:
        return "must be more than 0 characters"
    return f"must be less than {most + 1} characters" if len(text["text"]) > most else ""


def _elements_fault(block: Json, *, most: int) -> str:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 0 < len(elements) <= most:
        return f"must have 1 to {most} elements"
    return (
        "" if all(isinstance(element, dict) and "type" in element for element in elements) else "bad element"
    )


def _input_fault(block: Json) -> str:
    if not isinstance(block.get("element"), dict):
        return "missing required field: element"
    return _text_fault(block.get("label"), most=2_000, kinds=("plain_text",))


def _header_fault(block: Json) -> str:
    return _text_fault(block.get("text"), most=150, kinds=("plain_text",))


def _filled(name: str, kind: type) -> Callable[[Json], str]:
    def check(block: Json) -> str:
        value = block.get(name)
        return "" if isinstance(value, kind) and value else f"missing required field: {name}"

    return check


_CHECKS: dict[str, Callable[[Json], str]] = {
    "section": _section_fault,
    "header": _header_fault,
    "input": _input_fault,
    "markdown": _filled("text", str),
    "rich_text": _filled("elements", list),
    "table": _filled("rows", list),
    "context": partial(_elements_fault, most=10),
    "actions": partial(_elements_fault, most=25),
    "context_actions": partial(_elements_fault, most=5),
}


def _check_title(view: Json) -> None:
    for name, required in (("title", True), ("submit", False), ("close", False)):
        if required or name in view:
            fault = _text_fault(view.get(name), most=24, kinds=("plain_text",))
            if fault:
                raise _bad_view(f"{fault} [json-pointer:/view/{name}]")


def _expanded(block: Json) -> int:
    """Estimate how many blocks Slack makes of one: headings, tables, rules, images and fences stand alone."""
    if block["type"] != "markdown":
        return 1
    rest = _FENCE.sub("\n---\n", block["text"])
    rest = _TABLE.sub("\n---\n", rest)
    prose = sum(1 for run in _OWN_LINE.split(rest) if run.strip())
    return max(1, len(_OWN_LINE.findall(rest)) + prose)


def _invalid(*messages: str) -> Refused:
    return Refused("invalid_blocks", messages=messages)


def _bad_view(*messages: str) -> Refused:
    return Refused("invalid_arguments", messages=messages)
