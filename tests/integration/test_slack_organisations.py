"""An organisation installs the app for all its workspaces: each is answered, and each can be shut out."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bots.demo.slack import HttpError, SlackWorkspace
from bots.slack.shortcut import ASK_ABOUT
from tests.fixtures.commands import invoke
from tests.fixtures.many import Many, many, town_of
from tests.fixtures.program import environment
from tests.fixtures.walk import SHOP

ORG = "E0GROUP1"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Many]:
    async with many(tmp_path) as whole:
        whole.second.enterprise = ORG  # beside the third; the first is of nobody's
        yield whole


async def ask(workspace: SlackWorkspace, user: str, channel: str, words: str) -> str:
    return await workspace.say(user, channel, f"<@{workspace.bot_user}> {words}")


async def answered(workspace: SlackWorkspace, channel: str, ts: str) -> str:
    await workspace.until(lambda: len(workspace.thread(channel, ts)) > 1)
    return str(workspace.thread(channel, ts)[1].blocks[0]["text"])


async def taken(workspace: SlackWorkspace) -> None:
    await workspace.until(
        lambda: {one.event_id for one in workspace.deliveries if one.acked} >= set(workspace.events)
    )


def installed(house: Many) -> list[tuple[str, ...]]:
    return house.first.sql("SELECT workspace, organisation FROM installations ORDER BY workspace")


async def test_one_installation_serves_each_of_its_workspaces_as_itself(house: Many) -> None:
    places = {one.team: town_of(one) for one in (house.second, house.third)}
    async with house.run():
        page = await house.install(ORG)
        assert page.status == 200
        assert house.second.bot_token == house.third.bot_token
        for workspace in (house.second, house.third):
            user, channel = places[workspace.team]
            ts = await ask(workspace, user, channel, f"who owns billing at {workspace.name}?")
            await answered(workspace, channel, ts)
            done = await workspace.command(user, channel, "/threadline", f"link {SHOP}")
            await workspace.until(partial(getattr, done, "replies"))
            assert SHOP in done.text
        assert installed(house) == [(ORG, ORG), (house.third.team, ORG), (house.second.team, ORG)]
    async with house.run():  # what is known of workspaces outlives the process, as for what is posted later
        user, channel = places[house.third.team]
        ts = await ask(house.third, user, channel, "who owns shipping?")
        await answered(house.third, channel, ts)
        looked = [call for call in house.third.calls if call.method == "users.conversations"]
        assert {call.arguments["team_id"] for call in looked} == {house.third.team}
    asked = [call.messages[-1][1] for call in house.first.assistant.journal]
    assert len(asked) == 3
    assert {team for (team,) in house.first.sql("SELECT DISTINCT workspace FROM links")} == set(places)


async def test_a_workspace_that_is_shut_out_is_forgotten_alone_and_may_come_back(house: Many) -> None:
    places = {one.team: town_of(one) for one in (house.second, house.third)}
    async with house.run():
        await house.install(ORG)
        for workspace in (house.second, house.third):
            ts = await ask(workspace, *places[workspace.team], "who owns billing?")
            await answered(workspace, places[workspace.team][1], ts)
            await taken(workspace)
        event = house.third.publish({"type": "team_access_revoked", "team_ids": [house.third.team]})
        await taken(house.third)
        assert house.first.sql("SELECT DISTINCT workspace FROM conversations") == [(house.second.team,)]
        assert installed(house) == [(ORG, ORG), (house.second.team, ORG)]
        # Let in again, and used; the old event, told once more, changes nothing.
        house.first.sql("UPDATE departures SET left_at = '2020-01-01 00:00:00.000000'")
        old = house.third.events[event]
        old["event_time"] -= 5
        ts = await ask(house.third, *places[house.third.team], "and who owns shipping?")
        await answered(house.third, places[house.third.team][1], ts)
        assert [one.acked for one in await house.third.repeat_event(event, 1)] == [True]
        assert len(house.first.sql("SELECT DISTINCT workspace FROM conversations")) == 2


async def test_an_organisation_that_removes_us_is_forgotten_with_all_its_workspaces_and_nobody_else(
    house: Many,
) -> None:
    places = {one.team: town_of(one) for one in (house.second, house.third)}
    async with house.run():
        await house.install(house.first.workspace.team)
        await house.install(ORG)
        ts = await house.first.mention("who consumes order.created?")
        await house.first.answers(ts)
        for workspace in (house.second, house.third):
            ts = await ask(workspace, *places[workspace.team], "who owns billing?")
            await answered(workspace, places[workspace.team][1], ts)
            await taken(workspace)
        house.third.installed = False
        await house.second.uninstall()
        await taken(house.second)
        first = house.first.workspace.team
        assert installed(house) == [(first, "")]
        assert house.first.sql("SELECT DISTINCT workspace FROM conversations") == [(first,)]


async def test_a_workspace_with_an_installation_of_its_own_is_not_shut_out_by_its_organisation(
    house: Many,
) -> None:
    user, channel = town_of(house.third)
    async with house.run():
        await house.install(ORG)
        await house.install(house.third.team)
        ts = await ask(house.third, user, channel, "who owns billing?")
        await answered(house.third, channel, ts)
        await taken(house.third)
        assert house.third.publish({"type": "team_access_revoked", "team_ids": [house.third.team]})
        await taken(house.third)
        assert installed(house) == [(ORG, ORG), (house.third.team, ORG)]
        assert house.first.rows()["conversations"] == 1


async def test_what_is_asked_by_a_form_is_asked_in_the_workspace_in_which_it_was_opened(house: Many) -> None:
    user, channel = town_of(house.second)
    async with house.run():
        await house.install(ORG)
        ts = await house.second.say(user, channel, "order.created is late again")
        await house.second.shortcut(user, channel, ts, callback_id=ASK_ABOUT)
        view = await house.second.until(lambda: house.second.view(user))
        words = {"question": {"question": {"type": "plain_text_input", "value": "who consumes it?"}}}
        assert (await house.second.submit_view(user, view.id, values=words)).status == 200
        await house.second.until(lambda: len(house.second.thread(channel, ts)) > 2)
        assert house.first.sql("SELECT DISTINCT workspace FROM conversations") == [(house.second.team,)]


@pytest.mark.usefixtures("elsewhere")
async def test_what_an_operator_purges_of_an_organisation_leaves_none_of_its_workspaces(house: Many) -> None:
    """Also those that have installed the app by themselves; others stay."""
    every = (house.first.workspace, house.second, house.third)
    places = {one.team: town_of(one) for one in every}
    async with house.run():
        for team in (house.first.workspace.team, ORG, house.third.team):
            await house.install(team)
        for workspace in every:
            user, channel = places[workspace.team]
            await answered(workspace, channel, await ask(workspace, user, channel, "who owns billing?"))
            await taken(workspace)
    done = await invoke("purge", "slack", ORG, "--yes", env=installing(house))
    assert done.stderr == ""
    assert [one.installed for one in every] == [True, False, False]
    assert f"0 links and 2 conversations of slack {ORG} deleted" in done.stdout
    assert installed(house) == [(house.first.workspace.team, "")]
    assert house.first.sql("SELECT workspace FROM conversations") == [(house.first.workspace.team,)]


@pytest.mark.usefixtures("elsewhere")
async def test_a_slack_that_is_away_keeps_nobody_from_purging(house: Many) -> None:
    async with house.run():
        await house.install(house.second.team)
    house.second.faults.add("auth.revoke", HttpError(503))
    done = await invoke("purge", "slack", house.second.team, "--yes", env=installing(house))
    assert (done.exit_code, "Slack was not told" in done.stderr) == (0, True)
    assert house.second.bot_token not in done.stdout + done.stderr
    assert installed(house) == []


@pytest.mark.usefixtures("elsewhere")
async def test_a_token_that_does_not_open_keeps_nobody_from_purging_and_is_told(house: Many) -> None:
    async with house.run():
        await house.install(house.second.team)
    env = installing(house) | {"THREADLINE_SECRET_KEY": Fernet.generate_key().decode()}
    done = await invoke("purge", "slack", house.second.team, "--yes", env=env)
    assert (done.exit_code, "is not opened by any key" in done.stderr) == (0, True)
    assert installed(house) == []


@pytest.mark.usefixtures("elsewhere")
async def test_a_purge_without_the_apps_settings_revokes_nothing_and_says_so(house: Many) -> None:
    async with house.run():
        await house.install(house.second.team)
    env = {name: value for name, value in installing(house).items() if not name.startswith("SLACK_")}
    done = await invoke("purge", "slack", house.second.team, "--yes", env=env)
    assert (done.exit_code, "No token was revoked" in done.stderr) == (0, True)
    assert house.second.installed
    assert installed(house) == []


@pytest.mark.usefixtures("elsewhere")
async def test_who_has_taken_the_app_out_already_is_purged_without_a_word(house: Many) -> None:
    async with house.run():
        await house.install(house.second.team)
    house.second.installed = False
    done = await invoke("purge", "slack", house.second.team, "--yes", env=installing(house))
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.usefixtures("elsewhere")
async def test_a_purge_while_it_runs_takes_the_app_out_and_nothing_comes_back(house: Many) -> None:
    user, channel = town_of(house.second)
    async with house.run():
        await house.install(house.second.team)
        await answered(house.second, channel, await ask(house.second, user, channel, "who owns billing?"))
        await taken(house.second)
        done = await invoke("purge", "slack", house.second.team, "--yes", env=installing(house))
        assert "1 conversation of slack" in done.stdout
        await taken(house.second)
        assert (house.second.installed, installed(house), house.first.rows()["conversations"]) == (
            False,
            [],
            0,
        )


def installing(house: Many) -> dict[str, str]:
    """Return the environment of an operator whose app many workspaces install."""
    return {
        **environment(house.first),
        "SLACK_BOT_TOKEN": "",
        "SLACK_CLIENT_ID": house.slack.oauth.client_id,
        "SLACK_CLIENT_SECRET": house.slack.oauth.client_secret,
        "THREADLINE_PUBLIC_URL": house.url,
        "THREADLINE_SECRET_KEY": house.settings.secret_keys[0].get_secret_value(),
    }
