"""Which of Slack's events tell that a question was edited or deleted, and what it is then."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.amendments import Deletion, Edit, to_amendment
from bots.slack.inbound import to_question, uninstalled_from, written_at
from bots.slack.stop_button import pressed, with_stop
from core.model import ChannelKey, Reason, ThreadKey, WorkspaceId

BOT = "U0BOT0001"
TS, LATER, EDITED = "1772442000.000100", "1772442060.000200", "1772442090.000300"
HELLO = f"<@{BOT}> who calls billing?"


def message(**changes: Any) -> dict[str, Any]:
    """What stands in a channel; keyword arguments change it, None takes a key away."""
    said = {"type": "message", "user": "U1", "ts": TS, "text": HELLO} | changes
    return {name: value for name, value in said.items() if value is not None}


def body(**event: Any) -> dict[str, Any]:
    around = {"type": "message", "channel": "C1", "channel_type": "channel", "ts": EDITED}
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev2", "event": around | event}


def changed(before: str | None = "before", *, channel_type: str = "channel", **after: Any) -> Any:
    previous = None if before is None else message(text=before)
    event = body(
        subtype="message_changed",
        message=message(**after),
        previous_message=previous,
        channel_type=channel_type,
    )
    return to_amendment(event, bot_user=BOT)


def deleted(**before: Any) -> Any:
    event = body(subtype="message_deleted", deleted_ts=TS, previous_message=message(**before))
    return to_amendment(event, bot_user=BOT)


def test_an_edit_is_the_question_as_if_it_had_been_sent_so() -> None:
    edit = changed(text=f"<@{BOT}> who owns billing?", edited={"user": "U1", "ts": EDITED})
    sent = {
        **body(),
        "event": message(text=f"<@{BOT}> who owns billing?", channel="C1", channel_type="channel"),
    }
    assert isinstance(edit, Edit)
    assert replace(edit.question, edited_at=None) == to_question(sent, bot_user=BOT)
    assert edit.question.text == "who owns billing?"
    assert (edit.question.message, edit.question.event) == (TS, "Ev2")
    assert edit.question.asked_at == written_at(TS)
    assert edit.question.edited_at == written_at(EDITED)
    assert not edit.offered


def test_an_edit_in_a_thread_belongs_to_that_thread_and_needs_no_mention() -> None:
    edit = changed(ts=LATER, thread_ts=TS, text="and who owns it?")
    assert (edit.question.thread.thread, edit.question.message) == (TS, LATER)
    assert (edit.question.text, edit.question.addressed) == ("and who owns it?", False)


def test_a_direct_message_is_for_us_after_its_edit_too() -> None:
    assert changed(text="who owns billing?", channel_type="im").question.addressed


@pytest.mark.parametrize("subtype", ["thread_broadcast", "file_share"])
def test_a_reply_shown_in_the_channel_and_a_text_with_a_file_are_edited_like_any(subtype: str) -> None:
    edit = changed(ts=LATER, thread_ts=TS, subtype=subtype, text=f"<@{BOT}> who?")
    assert (edit.question.text, edit.question.thread.thread) == ("who?", TS)


@pytest.mark.parametrize(
    "after",
    [
        {"text": "who calls billing?"},
        {"text": "<@U2> who calls billing?", "ts": LATER, "thread_ts": TS},
        {"text": "", "ts": LATER, "thread_ts": TS},
        {"text": None, "ts": LATER, "thread_ts": TS},
    ],
    ids=["no mention", "somebody else", "empty", "no text"],
)
def test_what_is_not_for_us_any_more_is_taken_back_and_never_taken_in(after: dict[str, Any]) -> None:
    question = changed(HELLO, **after).question
    assert question.text == ""
    assert not question.addressed
    assert question.asked_at == datetime.fromtimestamp(0, UTC)
    assert question.message == after.get("ts", TS)


def test_an_edit_that_names_us_beside_somebody_else_is_for_us() -> None:
    assert changed(text=f"<@U2> ask <@{BOT}>!").question.addressed


def test_an_edit_keeps_what_is_objected_to() -> None:
    event = body(subtype="message_changed", message=message()) | {"is_ext_shared_channel": True}
    edit = to_amendment(event, bot_user=BOT)
    assert isinstance(edit, Edit)
    assert edit.question.objection is Reason.EXTERNAL


def test_a_preview_is_no_edit() -> None:
    assert changed(HELLO, attachments=[{"from_url": "https://example.org"}]) is None


@pytest.mark.parametrize(
    "after",
    [
        {"bot_id": "B2"},
        {"user": BOT},
        {"user": "USLACKBOT"},
        {"user": None},
        {"subtype": "bot_message"},
        {"subtype": "channel_topic"},
        {"ts": "now"},
    ],
)
def test_what_nobody_wrote_is_not_edited(after: dict[str, Any]) -> None:
    assert changed(**after) is None
    assert changed(None, **after) is None


def test_a_mention_is_offered_again_when_it_is_edited() -> None:
    event = message(type="app_mention", channel="C1", edited={"user": "U1", "ts": "1772442090.000000"})
    edit = to_amendment({**body(), "event": event}, bot_user=BOT)
    assert isinstance(edit, Edit)
    assert edit.offered
    assert (edit.question.text, edit.question.edited_at) == (
        "who calls billing?",
        written_at("1772442090.000000"),
    )
    odd = to_amendment({**body(), "event": event | {"edited": True}}, bot_user=BOT)
    assert isinstance(odd, Edit)
    assert odd.question.edited_at == written_at(TS)


def test_new_messages_are_no_amendments() -> None:
    for kind in ("message", "app_mention"):
        assert to_amendment({**body(), "event": message(type=kind, channel="C1")}, bot_user=BOT) is None


def test_a_deleted_message_is_what_it_was_to_us() -> None:
    gone = deleted()
    assert gone == Deletion(ChannelKey("slack", "T1", "C1"), TS, gone.question)  # type: ignore[arg-type]  # plain texts
    assert gone.question.text == "who calls billing?"
    assert deleted(text="lunch?").question is None
    assert deleted(text="why?", thread_ts=LATER).question.thread.thread == LATER


def test_a_deletion_that_does_not_say_of_what_is_taken_all_the_same() -> None:
    gone = to_amendment(body(subtype="message_deleted", deleted_ts=TS), bot_user=BOT)
    assert isinstance(gone, Deletion)
    assert (gone.message, gone.question) == (TS, None)


def test_a_tombstone_is_a_deletion() -> None:
    grave = message(subtype="tombstone", user="USLACKBOT", text="This message was deleted.")
    event = body(subtype="message_changed", message=grave, previous_message=message())
    gone = to_amendment(event, bot_user=BOT)
    assert isinstance(gone, Deletion)
    assert gone.question is not None
    assert (gone.message, gone.question.text) == (TS, "who calls billing?")


@pytest.mark.parametrize("before", [{"bot_id": "B2"}, {"user": BOT}])
def test_what_a_bot_takes_back_is_none_of_our_business(before: dict[str, Any]) -> None:
    assert deleted(**before) is None


@pytest.mark.parametrize(
    "around", [{"deleted_ts": "now"}, {"deleted_ts": 5}, {"channel": ""}, {"channel": {}}]
)
def test_a_deletion_without_its_place_is_none(around: dict[str, Any]) -> None:
    event = body(subtype="message_deleted", deleted_ts=TS, previous_message=message())
    event["event"] |= around
    assert to_amendment(event, bot_user=BOT) is None


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([TS, "tombstone", BOT]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["ts", "user", "text", "subtype", "bot_id", "id"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)
KEYS = ["type", "subtype", "channel", "message", "previous_message", "deleted_ts", "edited", "user", "tokens"]


@given(
    st.dictionaries(st.sampled_from(KEYS), junk),
    junk,
    st.sampled_from(["message_changed", "message_deleted"]),
)
def test_no_body_whatever_raises(event: dict[str, Any], team: Any, subtype: str) -> None:
    for whole in (body(**({"subtype": subtype} | event)), body(**event) | {"team_id": team}, {"event": team}):
        to_amendment(whole, bot_user=BOT)
        uninstalled_from(whole)


@given(st.dictionaries(st.sampled_from(["team", "user", "container", "message"]), junk))
def test_no_press_whatever_raises(body: dict[str, Any]) -> None:
    pressed(body)


def test_uninstalling_and_revoking_a_bots_token_are_told_apart_from_a_persons() -> None:
    def told(**event: Any) -> WorkspaceId | None:
        return uninstalled_from({"team_id": "T1", "event": event})

    assert told(type="app_uninstalled") == "T1"
    assert told(type="tokens_revoked", tokens={"oauth": [], "bot": [BOT]}) == "T1"
    assert told(type="tokens_revoked", tokens={"oauth": ["U1"], "bot": []}) is None
    assert told(type="tokens_revoked", tokens={"oauth": ["U1"]}) is None
    assert told(type="tokens_revoked") is None
    assert uninstalled_from({"event": {"type": "app_uninstalled"}}) is None


PRESS: dict[str, Any] = {
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "container": {"channel_id": "C1", "message_ts": LATER},
    "message": {"ts": LATER, "thread_ts": TS},
    "actions": [{"action_id": "threadline_stop", "value": "C2 1772442000.000999"}],
}


def test_a_press_counts_where_slack_says_that_it_was_made() -> None:
    here = ThreadKey("slack", "T1", "C1", TS)  # type: ignore[arg-type]  # plain texts
    assert pressed(PRESS) == (here, "U1")
    container = PRESS["container"] | {"thread_ts": TS}
    assert pressed(PRESS | {"message": {"ts": LATER}, "container": container}) == (here, "U1")
    alone = pressed(PRESS | {"message": {"ts": LATER}})
    assert alone is not None
    assert alone[0].thread == LATER


@pytest.mark.parametrize("part", ["team", "user", "container", "message"])
def test_a_press_of_which_slack_does_not_say_where_and_by_whom_is_none(part: str) -> None:
    assert pressed(PRESS | {part: None}) is None


def test_the_button_carries_no_value() -> None:
    (button,) = with_stop("wait")[1]["elements"]
    assert "value" not in button
