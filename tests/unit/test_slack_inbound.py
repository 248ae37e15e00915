"""Which of Slack's events are questions to us, and which are none of our business."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.inbound import happened_at, to_question, to_ts, written_at
from core.model import Reason

BOT = "U0BOT0001"
TS, LATER = "1772442000.000100", "1772442060.000200"


def body(**changes: Any) -> dict[str, Any]:
    """A channel message that mentions us; keyword arguments change the event, None takes a key away."""
    event = {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "U1",
        "ts": TS,
        "text": f"<@{BOT}> who calls billing?",
    }
    event = {name: value for name, value in (event | changes).items() if value is not None}
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}


def asked(**changes: Any) -> Any:
    return to_question(body(**changes), bot_user=BOT)


@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_a_mention_is_a_question_to_us(kind: str) -> None:
    question = asked(type=kind)
    assert (question.text, question.author, question.addressed) == ("who calls billing?", "U1", True)
    assert (question.event, question.message, question.thread.thread) == ("Ev1", TS, TS)
    assert (question.thread.platform, question.thread.workspace, question.thread.channel) == (
        "slack",
        "T1",
        "C1",
    )
    assert question.asked_at == datetime(2026, 3, 2, 9, 0, 0, 100, tzinfo=UTC)
    assert not question.has_files
    assert question.objection is None


def test_a_mention_in_a_thread_belongs_to_that_thread() -> None:
    question = asked(ts=LATER, thread_ts=TS)
    assert (question.message, question.thread.thread, question.addressed) == (LATER, TS, True)


def test_a_reply_without_a_mention_counts_only_where_the_thread_is_ours() -> None:
    assert asked(ts=LATER, thread_ts=TS, text="and who publishes it?").addressed is False


def test_a_channel_message_without_a_mention_is_not_for_us() -> None:
    assert asked(text="lunch?") is None
    assert asked(text="lunch?", thread_ts=TS) is None  # the root, as history shows it


def test_people_who_address_each_other_in_a_thread_are_left_alone() -> None:
    assert asked(ts=LATER, thread_ts=TS, text="<@U2> do you know?") is None
    assert asked(ts=LATER, thread_ts=TS, text=f"<@U2> ask <@{BOT}>!").addressed is True


def test_every_direct_message_is_for_us() -> None:
    question = asked(channel="D1", channel_type="im", text="who calls billing?")
    assert (question.addressed, question.thread.thread) == (True, TS)
    assert asked(channel="D1", channel_type="im", ts=LATER, thread_ts=TS, text="why?").thread.thread == TS


@pytest.mark.parametrize(
    "changes",
    [
        {"bot_id": "B2"},
        {"user": BOT},
        {"user": "USLACKBOT"},
        {"user": None},
        {"subtype": "bot_message"},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "group_join"},
        {"subtype": "channel_topic"},
        {"subtype": "tombstone"},
    ],
)
def test_bots_edits_and_joins_are_no_questions(changes: dict[str, Any]) -> None:
    assert asked(**changes) is None


@pytest.mark.parametrize("subtype", ["", "thread_broadcast", "file_share"])
def test_a_reply_shown_in_the_channel_and_a_text_with_a_file_are_somebodys_words(subtype: str) -> None:
    assert asked(subtype=subtype).text == "who calls billing?"


def test_files_and_attachments_are_noted() -> None:
    assert asked(subtype="file_share", files=[{"id": "F1"}]).has_files
    assert asked(attachments=[{"text": "forwarded"}]).has_files
    assert asked(text=f"<@{BOT}>", files=[{"id": "F1"}]).text == ""
    assert asked(ts=LATER, thread_ts=TS, text="", files=[{"id": "F1"}]).has_files


def test_a_bare_mention_is_for_us_and_an_empty_reply_is_not() -> None:
    assert asked(text=f"<@{BOT}>").text == ""
    assert asked(ts=LATER, thread_ts=TS, text=" ") is None
    assert asked(ts=LATER, thread_ts=TS, text=None) is None


def test_a_channel_shared_with_strangers_is_objected_to() -> None:
    shared = body() | {"is_ext_shared_channel": True}
    question = to_question(shared, bot_user=BOT)
    assert question is not None
    assert question.objection is Reason.EXTERNAL


def test_a_text_that_cannot_be_sent_on_is_made_fit() -> None:
    assert asked(text=f"<@{BOT}> a\x00b \ud800 \u202ec").text.encode()


@pytest.mark.parametrize("key", ["ts", "channel", "type"])
@pytest.mark.parametrize("value", [None, 5, [], {}, ""])
def test_an_event_without_what_every_message_has_is_no_question(key: str, value: Any) -> None:
    assert asked(**{key: value}) is None


@pytest.mark.parametrize("ts", ["now", "1772442000", "1.2.3", "-1.000000", "9" * 30 + ".000000", "1.٣"])
def test_a_time_that_is_none_makes_no_question(ts: str) -> None:
    assert asked(ts=ts) is None


@pytest.mark.parametrize("key", ["team_id", "event_id", "event"])
@pytest.mark.parametrize("value", [None, 5, []])
def test_an_envelope_without_its_keys_is_no_question(key: str, value: Any) -> None:
    broken = body() | {key: value}
    assert to_question(broken, bot_user=BOT) is None
    del broken[key]
    assert to_question(broken, bot_user=BOT) is None


@pytest.mark.parametrize("changes", [{"user": 5}, {"user": {}}, {"subtype": ["x"]}, {"thread_ts": 7}])
def test_values_of_another_kind_are_no_question(changes: dict[str, Any]) -> None:
    assert asked(**changes) is None


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([TS, "message", "im"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
KEYS = ["type", "channel", "channel_type", "user", "ts", "thread_ts", "text", "subtype", "bot_id", "files"]


@given(st.dictionaries(st.sampled_from(KEYS), junk), st.dictionaries(st.sampled_from(["team_id"]), junk))
def test_no_body_whatever_raises(event: dict[str, Any], around: dict[str, Any]) -> None:
    whole = body(**event)
    to_question(whole | around, bot_user=BOT)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 bounds are naive in hypothesis
)
def test_a_time_survives_the_way_to_slack_and_back(at: datetime) -> None:
    assert written_at(to_ts(at)) == at


def test_a_ts_with_fewer_digits_is_read_all_the_same() -> None:
    assert written_at("1772442000.5") == datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(seconds=0.5)


@pytest.mark.parametrize(
    ("told", "heard", "latest"),
    [
        (1_772_442_000, 1_772_442_000.25, 1_772_442_000.25),
        (1_772_442_000, 1_772_442_300, 1_772_442_001),
        (1_772_442_000, 1_772_441_000, 1_772_442_000),
        (None, 1_772_442_300, 1_772_442_300),
        ("1772442000", 1_772_442_300, 1_772_442_300),
        (10**30, 1_772_442_300, 1_772_442_300),
    ],
    ids=["at once", "late", "by a slow clock", "untold", "a text", "too large"],
)
def test_an_event_happened_within_the_second_that_slack_tells(
    told: object, heard: float, latest: float
) -> None:
    at = happened_at({"event_time": told}, datetime.fromtimestamp(heard, UTC))
    assert at == datetime.fromtimestamp(latest, UTC)
