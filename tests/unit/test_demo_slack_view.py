"""How Slack's markup is read, and what people in a workspace see."""

import pytest

from bots.cli.demo.seen import Chat, Spot
from bots.cli.demo.slack_window import SlackWindow
from bots.cli.demo.slack_words import escaped, mrkdwn
from bots.demo.slack import Message, Note, SlackWorkspace
from core.clock import SystemClock


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("*bold*, _italic_ and `code`", "bold, italic and code"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("at <!date^1700000000^{time}|22:13 UTC>", "at 22:13 UTC"),
        ("<https://example.com|here> &lt;b&gt; &amp;", "here <b> &"),
        ("<@U1> and <@U2>", "@ana and @U2"),
    ],
)
def test_slacks_markup_is_read(written: str, read: str) -> None:
    assert mrkdwn(written, lambda user: {"U1": "ana"}.get(user, user)).plain == read


def test_what_is_typed_is_shown_as_typed() -> None:
    typed = "<@U1> & <b>"
    assert mrkdwn(escaped(typed), str).plain == typed


def test_messages_threads_and_notes_are_seen() -> None:
    workspace = SlackWorkspace(SystemClock())
    ana, channel = workspace.add_user("ana"), workspace.add_channel("shop")
    workspace.keep(Message(channel, "1.000001", ana, "a *question*"))
    markdown = ({"type": "markdown", "text": "**Yes**"}, {"type": "divider"})
    workspace.keep(
        Message(channel, "2.000000", workspace.bot_user, "Yes", blocks=markdown, thread_ts="1.000001")
    )
    workspace.add_note(Note(channel, ana, "psst", (), "", "3.000000"))
    question, answer, note = SlackWindow(workspace).said()
    thread = Spot(Chat.SLACK, channel, "1.000001")
    assert (question.who, question.words, question.is_app) == ("ana", "a *question*", False)
    assert str(question.draw()) == "a question"
    assert question.conversation == answer.spot == answer.conversation == thread
    assert (answer.who, answer.words, answer.is_app) == ("Threadline", "**Yes**", True)
    assert (note.words, note.only, str(note.draw())) == ("psst", "ana", "psst")
    assert question.at < answer.at < note.at


def test_places_are_named() -> None:
    workspace = SlackWorkspace(SystemClock())
    ana, channel = workspace.add_user("ana"), workspace.add_channel("shop")
    window = SlackWindow(workspace)
    assert window.where(channel) == "#shop"
    assert window.where(workspace.direct_channel(ana)) == "@Threadline"
