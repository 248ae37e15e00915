"""Our rules for calls to Slack and to the project's assistant."""

import json
import re
from collections.abc import Iterable
from typing import Any

from tests.contract.rule import Look, Sent, fits, has_only, named

_TS = re.compile(r"[0-9]{1,11}\.[0-9]{6}")
_BROADCAST = re.compile(r"<!(channel|here|everyone)")
_CHAT = "POST /v1/projects/{projectId}/ai/chat"

# What each method must be told, and may be (docs.slack.dev/reference/methods).
_METHODS = {
    "apps.connections.open": ("", ""),
    "assistant.threads.setStatus": ("channel_id thread_ts status", ""),
    "auth.revoke": ("", ""),
    "auth.test": ("", ""),
    "chat.postMessage": ("channel text", "thread_ts blocks metadata unfurl_links unfurl_media"),
    "chat.update": ("channel ts text", "blocks metadata"),
    "conversations.history": ("channel", "oldest limit cursor inclusive include_all_metadata"),
    "conversations.info": ("channel", ""),
    "conversations.replies": ("channel ts", "oldest limit cursor inclusive include_all_metadata"),
    "oauth.v2.access": ("code redirect_uri", "client_id"),
    "users.conversations": ("team_id", "types limit cursor"),
    "users.info": ("user", ""),
    "views.open": ("view", "trigger_id interactivity_pointer"),
}


def _methods(*methods: str) -> Look:
    def look(sent: Sent) -> Iterable[Any]:
        return (sent.body,) if sent.to == "slack" and sent.route in methods else ()

    return look


def _slack(sent: Sent) -> Iterable[Sent]:
    return (sent,) if sent.to == "slack" else ()


def _assistant(sent: Sent) -> Iterable[Sent]:
    return (sent,) if sent.to == "assistant" else ()


def _chats(sent: Sent) -> Iterable[Any]:
    return (sent.body,) if sent.to == "assistant" and sent.route == _CHAT else ()


def _is_known(sent: Sent) -> bool:
    if sent.route not in _METHODS:
        return False
    required, optional = _METHODS[sent.route]
    return has_only(sent.body, f"{optional} team_id", required)


def _blocks_fit(post: Any) -> bool:
    blocks = post.get("blocks") or []
    most = {"markdown": 12_000, "section": 3_000}
    shown = json.dumps(blocks, ensure_ascii=False)
    return (
        len(blocks) <= 50
        and len(shown) <= 13_200
        and all(fits(_written(block), most.get(block["type"], 3_000)) for block in blocks)
    )


def _written(block: Any) -> str:
    text = block.get("text") or ""
    return str(text.get("text", "")) if isinstance(text, dict) else str(text)


def _marked(post: Any) -> bool:
    mark = post.get("metadata")
    return mark is None or has_only(mark, "", "event_type event_payload")


def _is_form(call: Any) -> bool:
    view = call["view"]
    titles = (view.get(part, {"text": "-"})["text"] for part in ("title", "submit", "close"))
    return (
        has_only(
            view,
            "private_metadata submit close clear_on_close notify_on_close external_id submit_disabled",
            "type callback_id title blocks",
        )
        and view["type"] == "modal"
        and all(fits(title, 24, 1) for title in titles)
        and fits(view["callback_id"], 255, 1)
        and fits(view.get("private_metadata"), 3_000)
        and 1 <= len(view["blocks"]) <= 100
    )


def _is_conversation(body: Any) -> bool:
    turns = body.get("messages") if has_only(body, "", "messages") else None
    return (
        isinstance(turns, list)
        and bool(turns)
        and all(
            has_only(turn, "", "role content")
            and turn["role"] in {"user", "assistant"}
            and turn["content"].strip() != ""
            for turn in turns
        )
    )


RULES = (
    *named(_slack, slack_call_has_the_fields_of_its_method=_is_known),
    *named(
        _methods("chat.postMessage", "chat.update"),
        slack_text_is_there=lambda post: (post.get("text") or "").strip() != "",
        slack_text_fits=lambda post: fits(post.get("text"), 40_000),
        slack_blocks_fit=_blocks_fit,
        slack_message_is_marked_well=_marked,
        slack_calls_nobody_together=lambda post: (
            _BROADCAST.search(json.dumps(post, ensure_ascii=False)) is None
        ),
    ),
    *named(
        _methods(
            "chat.postMessage"
        ),  # a change takes no word on that (docs.slack.dev/reference/methods/chat.update)
        slack_fetches_no_preview=lambda post: (
            post.get("unfurl_links") is False and post.get("unfurl_media") is False
        ),
    ),
    *named(
        _methods("chat.update"), slack_changed_text_fits=lambda change: fits(change.get("text"), 4_000, 1)
    ),
    *named(
        _methods("chat.postMessage", "assistant.threads.setStatus"),
        slack_thread_is_a_time=lambda call: (
            "thread_ts" not in call or _TS.fullmatch(call["thread_ts"]) is not None
        ),
    ),
    *named(_methods("views.open"), slack_form_fits=_is_form),
    *named(
        _assistant,
        assistant_is_only_read_and_asked=lambda sent: (
            sent.route == _CHAT or sent.route.startswith("GET /v1/")
        ),
        assistant_is_read_without_a_body=lambda sent: sent.route == _CHAT or sent.body is None,
    ),
    *named(
        _chats,
        assistant_gets_a_conversation=_is_conversation,
        assistant_is_asked_by_somebody=lambda body: (
            body["messages"][-1:] == [] or body["messages"][-1]["role"] == "user"
        ),
    ),
)
