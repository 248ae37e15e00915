"""How the demo draws what a workspace shows."""

import io
from itertools import pairwise

import pytest

from bots.cli.demo_view import View, console
from bots.cli.demo_watch import Watch
from bots.demo.slack import Message, SlackWorkspace
from core.clock import SystemClock


@pytest.fixture
def workspace() -> SlackWorkspace:
    return SlackWorkspace(SystemClock())


def drawn(view: View) -> str:
    stream = view.out.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


@pytest.fixture
def view(workspace: SlackWorkspace) -> View:
    out = console(io.StringIO())
    out.width = 40
    return View(workspace, out)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("*bold*, _italic_ and `code`", "bold, italic and code"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("at <!date^1700000000^{time}|22:13 UTC>", "at 22:13 UTC"),
        ("<https://example.com|here> &lt;b&gt; &amp;", "here <b> &"),
        ("<@U0BOT0001> and <@U0NOBODY>", "@Threadline and @U0NOBODY"),
    ],
)
def test_slacks_markup_is_read(view: View, written: str, read: str) -> None:
    assert view.mrkdwn(written).plain == read


async def test_markdown_is_drawn_behind_the_threads_bar_without_loose_ends(
    workspace: SlackWorkspace, view: View
) -> None:
    table = "| a | b |\n| --- | --- |\n| `x` | [y](https://example.com) |"
    blocks = ({"type": "markdown", "text": f"**Yes**\n\n\n{table}\n\nEnd"}, {"type": "divider"})
    view.message(Message("C1", "2.0", workspace.bot_user, "Yes", blocks=blocks, thread_ts="1.0"))
    lines = drawn(view).splitlines()
    assert lines[:2] == ["  ┃ Threadline", "  ┃ Yes"]
    assert lines[-1] == "  ┃ End"
    assert all(line.startswith("  ┃") for line in lines)
    assert not any(line.endswith("  ") for line in lines)
    assert not any(one == other == "  ┃ " for one, other in pairwise(lines))


async def test_everything_is_news_once_and_threads_are_numbered(workspace: SlackWorkspace) -> None:
    ana, ben = workspace.add_user("ana"), workspace.add_user("ben")
    first, second = workspace.add_channel("one"), workspace.add_channel("two")
    watch = Watch(workspace)
    later = await workspace.say(ana, second, "in two")
    root = await workspace.say(ben, first, "in one")
    workspace.set_status(first, root, "is busy")
    news = watch.news()
    assert [one.text if isinstance(one, Message) else "status" for one in news] == [
        "in two",
        "in one",
        "status",
    ]
    assert watch.news() == []
    assert (watch.number(first, root), watch.number(second, later)) == (1, 2)
    assert watch.thread(2) == (second, later)
    assert watch.thread(0) is watch.thread(3) is None
    assert list(watch.waiting()) == [(1, "is busy")]
    workspace.set_status(first, root, "")
    await workspace.say(ana, first, "a reply", thread=root)
    assert [one.text for one in watch.news() if isinstance(one, Message)] == ["a reply"]
