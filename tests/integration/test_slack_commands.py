"""`/threadline`: who may do what, and what is said to whom."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from bots.demo.slack import HttpError, RateLimited, Refuse
from bots.demo.slack.courier import Interaction
from core.model import ProjectId
from tests.fixtures.signed import FORM, send
from tests.fixtures.walk import SHOP, Walk

MEDIA = ProjectId("media-demo-4k9p1")


async def said(town: Walk, text: str, *, user: str | None = None, channel: str | None = None) -> str:
    """Run the command and return the reply, having looked that only its author sees it."""
    who = user or town.ana
    interaction: Interaction = await town.workspace.command(who, channel or town.general, "/threadline", text)
    assert interaction.status == 200
    await town.workspace.until(lambda: interaction.replies)
    assert not interaction.replies[0].in_channel
    assert town.workspace.ephemerals(who)[-1].text == interaction.text
    return interaction.text


async def test_an_admin_links_and_unlinks_a_channel(town: Walk) -> None:
    async with town.run():
        assert "the default of this installation" in await said(town, "status")
        assert f"This channel now asks `{MEDIA}`" in await said(town, f"link {MEDIA}")
        assert f"This channel asks `{MEDIA}` (linked" in await said(town, "status", user=town.ben)
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        assert "link is gone" in await said(town, "unlink")
        assert "had no link" in await said(town, "UNLINK")
    assert town.assistant.journal[0].project == MEDIA


async def test_a_workspace_has_a_default_that_a_channel_goes_before(town: Walk) -> None:
    random = town.workspace.add_channel("random")
    async with town.run():
        assert "This workspace's channels" in await said(town, f"link {MEDIA} workspace")
        assert "the workspace's default" in await said(town, "status", channel=random)
        await said(town, f"link {SHOP}")
        assert "This channel asks" in await said(town, "status")
        assert "This workspace's link is gone" in await said(town, "unlink workspace")
        assert "of this installation" in await said(town, "status", channel=random)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "mention me with a question"),
        ("   ", "mention me with a question"),
        ("help", "mention me with a question"),
        ("dance `now`", "I do not know `dance`"),
        ("`x`", "I do not know `'x'`"),
        ("link", "Which project?"),
        ("link Not_A_Project", "`Not_A_Project` is not a project id"),
        (f"link {SHOP} everywhere now", "I do not know `everywhere now`"),
        ("unlink elsewhere", "I do not know `elsewhere`"),
    ],
)
async def test_what_is_not_understood_is_explained(town: Walk, text: str, words: str) -> None:
    async with town.run():
        assert words in await said(town, text)
    assert town.calls("users.info") == []  # nobody's rights matter for that


async def test_only_admins_and_those_on_the_list_may_link(town: Walk) -> None:
    carl = town.workspace.add_user("carl")
    town.settings = replace(town.settings, admins=frozenset({carl}))
    async with town.run():
        assert "Only workspace admins" in await said(town, f"link {SHOP}", user=town.ben)
        assert "Only workspace admins" in await said(town, "unlink", user=town.ben)
        assert "now asks" in await said(town, f"link {SHOP}", user=carl)


@pytest.mark.parametrize(
    "fault", [Refuse("missing_scope"), HttpError(500), RateLimited(30)], ids=["scope", "500", "429"]
)
async def test_if_slack_does_not_say_who_somebody_is_nothing_is_changed(
    town: Walk, fault: Refuse | HttpError | RateLimited
) -> None:
    town.workspace.faults.add("users.info", fault)
    async with town.run():
        assert "did not work" in (reply := await said(town, f"link {SHOP}"))
        assert "Nothing was changed" in reply
        assert "of this installation" in await said(town, "status")


async def test_a_database_that_is_away_is_told_too(town: Walk) -> None:
    async with town.run():
        town.sql("ALTER TABLE links RENAME TO gone")
        assert "did not work" in await said(town, f"link {SHOP}")
        town.sql("ALTER TABLE gone RENAME TO links")


async def test_a_reply_that_cannot_be_given_harms_nothing(town: Walk) -> None:
    async with town.run():
        command = {
            "command": "/threadline",
            "text": "help",
            "team_id": town.workspace.team,
            "channel_id": town.general,
            "user_id": town.ana,
            "response_url": "http://127.0.0.1:1/gone",
        }
        assert (await send(town.events_url, urlencode(command).encode(), kind=FORM))[0] == 200
        assert "mention me" in await said(town, "help")
