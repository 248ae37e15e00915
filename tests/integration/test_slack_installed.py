"""Workspaces that have installed the app: each is answered as itself, and nothing of one reaches another."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots import texts
from bots.demo.slack import Refuse
from core.store.secrets import Cipher
from tests.fixtures.many import Many, answered, ask, taken, town_of
from tests.fixtures.signed import send
from tests.fixtures.walk import SHOP


async def test_each_workspace_is_answered_with_its_own_token_and_no_text_crosses(house: Many) -> None:
    """Both have the same ids of people and channels: only the workspace tells them apart."""
    first, second = house.first.workspace, house.second
    people, channel = town_of(second)
    second.add_user("ben")
    assert channel != house.first.general or second.team != first.team
    async with house.run():
        for workspace in (first, second):
            page = await house.install(workspace.team)
            assert page.status == 200
            assert f"Threadline is in {workspace.name}" in page.text
        assert first.bot_token != second.bot_token
        one = await house.first.mention("who consumes order.created?")
        other = await ask(second, "who owns billing?", user=people, channel=channel)
        assert len(await house.first.answers(one)) == 1
        assert len(await answered(second, channel, other)) == 1
        await taken(first)
        await taken(second)
    asked = [call.messages[-1][1] for call in house.first.assistant.journal]
    assert sorted(asked) == ["who consumes order.created?", "who owns billing?"]
    assert {call.outcome for workspace in (first, second) for call in workspace.calls} <= {"ok"}
    posted = {
        workspace.team: [c.arguments["channel"] for c in workspace.calls if c.method == "chat.postMessage"]
        for workspace in (first, second)
    }
    assert posted == {first.team: [house.first.general], second.team: [channel]}
    assert all(len(call.messages) == 1 for call in house.first.assistant.journal)


async def test_links_and_names_of_one_workspace_are_not_another_s(house: Many) -> None:
    house.settings = replace(house.settings, default_project=None)
    first, second = house.first.workspace, house.second
    people, channel = town_of(second)
    async with house.run():
        await house.install(first.team)
        await house.install(second.team)
        done = await first.command(
            house.first.ana, house.first.general, "/threadline", f"link {SHOP} workspace"
        )
        await first.until(lambda: done.replies)
        asked = await second.command(people, channel, "/threadline", "status")
        await second.until(lambda: asked.replies)
        assert SHOP not in asked.text
        ts = await ask(second, "who owns billing?", user=people, channel=channel)
        await second.until(lambda: [m for m in second.thread(channel, ts) if m.user == second.bot_user])
        assert house.first.assistant.journal == []
        assert [call.arguments["user"] for call in second.calls if call.method == "users.info"] == []
    assert house.first.sql("SELECT workspace FROM links") == [(first.team,)]


async def test_an_event_from_where_nobody_has_installed_us_is_taken_and_ignored(house: Many) -> None:
    people, channel = town_of(house.second)
    house.second.installed = True
    with capture_logs() as logs:
        async with house.run():
            await ask(house.second, "who owns billing?", user=people, channel=channel)
            await taken(house.second)
            said = await house.second.command(people, channel, "/threadline", "status")
            assert (said.status, said.text) == (200, texts.NOT_INSTALLED)
    assert house.first.assistant.journal == []
    assert house.first.rows()["deliveries"] == 0
    ignored = [line for line in logs if line["event"] == "not installed there: ignored"]
    assert {line["workspace"] for line in ignored} == {house.second.team}


async def test_a_workspace_s_id_cannot_be_forged_without_the_app_s_signature(house: Many) -> None:
    async with house.run():
        await house.install(house.first.workspace.team)
        await house.install(house.second.team)
        await house.first.mention("who owns billing?")
        await taken(house.first.workspace)
        (envelope,) = [
            one for one in house.first.workspace.events.values() if one["event"]["type"] == "app_mention"
        ]
        forged = {**envelope, "team_id": house.second.team, "event_id": "Ev1", "authorizations": None}
        status, _ = await send(house.url + "/slack/events", forged, headers={"X-Slack-Signature": "v0=1"})
        assert status == 401
        # Slack's own word, who hears of it, goes before where it happened.
        shared = {**envelope, "team_id": house.second.team, "event_id": "Ev2"}
        assert (await send(house.url + "/slack/events", shared))[0] == 200
    assert {team for (team,) in house.first.sql("SELECT workspace FROM deliveries")} == {
        house.first.workspace.team
    }


async def test_a_workspace_that_removes_us_is_forgotten_alone_and_comes_back_anew(house: Many) -> None:
    first, second = house.first.workspace, house.second
    people, channel = town_of(second)
    async with house.run():
        await house.install(first.team)
        await house.install(second.team)
        kept = await house.first.mention("who consumes order.created?")
        await house.first.answers(kept)
        ts = await ask(second, "who owns billing?", user=people, channel=channel)
        await answered(second, channel, ts)
        await taken(second)
        before = list(second.events)
        await second.uninstall()
        await taken(second)
        left = [event for event in second.events if event not in before]
        assert house.first.sql("SELECT workspace FROM installations") == [(first.team,)]
        assert house.first.sql("SELECT DISTINCT workspace FROM conversations") == [(first.team,)]
        assert house.first.sql("SELECT workspace FROM departures") == [(second.team,)]
    async with house.run():  # what is known of who left outlives the process
        await house.install(second.team)
        for event in [*before, *left]:
            assert [one.acked for one in await second.repeat_event(event, 1)] == [True]
        assert house.first.sql("SELECT DISTINCT workspace FROM conversations") == [(first.team,)]
        again = await ask(second, "who owns shipping?", user=people, channel=channel)
        await answered(second, channel, again)
    assert house.first.rows()["installations"] == 2


async def test_over_socket_mode_each_workspace_is_answered_too(house: Many) -> None:
    people, channel = town_of(house.second)
    assert house.settings.slack is not None
    socket = SecretStr(house.first.workspace.app_token)
    slack = replace(house.settings.slack, signing_secret=None, app_token=socket)
    house.settings = replace(house.settings, slack=slack)
    async with house.run():
        assert house.slack.socket_connections == 1
        assert (await house.install(house.second.team)).status == 200
        ts = await ask(house.second, "who owns billing?", user=people, channel=channel)
        await answered(house.second, channel, ts)
        assert {one.transport.value for one in house.second.deliveries} == {"socket"}


async def test_what_was_asked_while_nobody_listened_is_found_in_each_workspace_and_in_no_other(
    house: Many,
) -> None:
    first, second = house.first.workspace, house.second
    people, channel = town_of(second)
    async with house.run():
        await house.install(first.team)
        await house.install(second.team)
    house.slack.send_events_to("")
    one = await house.first.mention("who consumes order.created?")
    other = await ask(second, "who owns billing?", user=people, channel=channel)
    first.faults.add("users.conversations", Refuse("account_inactive"))  # the other one's look goes on
    async with house.run():
        await answered(second, channel, other)
        await first.until(lambda: not first.faults.waiting("users.conversations"))
    async with house.run():
        assert len(await house.first.answers(one)) == 1
    assert len(house.first.assistant.journal) == 2
    kept = house.first.sql("SELECT workspace, channel FROM conversations ORDER BY workspace")
    assert kept == [(first.team, house.first.general), (second.team, channel)]


async def test_while_the_database_is_away_an_event_is_not_taken_and_comes_again(house: Many) -> None:
    people, channel = town_of(house.second)
    async with house.run():
        await house.install(house.second.team)
    async with house.run():
        house.first.sql("ALTER TABLE installations RENAME TO moved")
        await ask(house.second, "who owns billing?", user=people, channel=channel)
        await house.second.until(lambda: [d for d in house.second.deliveries if d.failure])
        house.first.sql("ALTER TABLE moved RENAME TO installations")
        for event in list(house.second.events):
            assert [one.acked for one in await house.second.repeat_event(event, 1)] == [True]
        await house.second.until(lambda: house.first.assistant.journal)


async def test_a_token_that_slack_refuses_is_looked_up_again_and_a_new_one_used(house: Many) -> None:
    """As where another process has taken the new installation in."""
    people, channel = town_of(house.second)
    async with house.run():
        await house.install(house.second.team)
        ts = await ask(house.second, "who owns billing?", user=people, channel=channel)
        await answered(house.second, channel, ts)
        elsewhere = await _kept_elsewhere(house, "xoxb-new")
        house.second.bot_token = "xoxb-new"
        house.second.faults.add("chat.postMessage", Refuse("token_revoked"))
        first_use = await house.second.command(people, channel, "/threadline", f"link {SHOP}")
        await house.second.until(lambda: first_use.replies)
        done = await house.second.command(people, channel, "/threadline", f"link {SHOP}")
        await house.second.until(lambda: done.replies)
        assert elsewhere
        assert "linked" in done.text.lower() or SHOP in done.text


async def _kept_elsewhere(house: Many, token: str) -> bool:
    sealed = Cipher([key.get_secret_value() for key in house.settings.secret_keys]).seal(token)
    path = house.settings.database_url.removeprefix("sqlite:///")

    def write() -> bool:
        with closing(sqlite3.connect(path)) as database:
            done = database.execute(
                "UPDATE installations SET token = ?, since = '2030-01-01 00:00:00.000000'", (sealed,)
            )
            database.commit()
            return done.rowcount == 1

    return await asyncio.to_thread(write)


@pytest.mark.parametrize("own", [True, False])
async def test_an_operator_is_warned_that_whoever_installs_asks_under_the_installations_key(
    house: Many, own: bool
) -> None:
    people, channel = town_of(house.second)
    if not own:
        house.settings = replace(house.settings, chat=replace(house.settings.chat, key=None))
    with capture_logs() as logs:
        async with house.run():
            await house.install(house.second.team)
            ts = await ask(house.second, "who owns billing?", user=people, channel=channel)
            await house.second.until(lambda: len(house.second.thread(channel, ts)) > 1)
    warned = [line for line in logs if "asks under MICROVISUALIZER_API_KEY" in str(line["event"])]
    assert len(warned) == own
    assert len(house.first.assistant.journal) == own
