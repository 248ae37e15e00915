"""Workspaces install the app, each is answered as itself, and nothing of one reaches another."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots import texts
from bots.demo.slack import HttpError, Refuse, SlackWorkspace
from bots.slack.install import INSTALL, REDIRECT, SCOPES
from core.errors import SealUnbroken
from core.store.secrets import Cipher
from tests.fixtures.many import COOKIE, Browser, Many, many, town_of
from tests.fixtures.program import environment, program
from tests.fixtures.signed import send
from tests.fixtures.walk import SHOP

AGAIN = "Begin again"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Many]:
    async with many(tmp_path) as whole:
        yield whole


async def ask(workspace: SlackWorkspace, words: str, *, user: str, channel: str, thread: str = "") -> str:
    return await workspace.say(user, channel, f"<@{workspace.bot_user}> {words}", thread=thread or None)


async def answered(workspace: SlackWorkspace, channel: str, ts: str, many_: int = 1) -> list[str]:
    def said() -> list[str]:
        thread = workspace.thread(channel, ts)
        return [str(one.blocks[0]["text"]) for one in thread if one.user == workspace.bot_user and one.blocks]

    await workspace.until(lambda: len(said()) >= many_)
    return said()


async def taken(workspace: SlackWorkspace) -> None:
    await workspace.until(
        lambda: {one.event_id for one in workspace.deliveries if one.acked} >= set(workspace.events)
    )


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


async def test_tokens_and_secrets_are_neither_in_the_database_nor_in_the_log(
    house: Many, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        async with house.run():
            page = await house.install(house.second.team)
    token = house.second.bot_token
    assert token not in page.text
    written = _all_of(tmp_path)
    assert token.encode() not in written
    assert house.second.team.encode() in written
    assert token not in str(logs)
    assert house.slack.oauth.client_secret not in str(logs)
    assert next(line for line in logs if line["event"] == "installed")["workspace"] == house.second.team


def _all_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


async def test_after_a_restart_it_is_still_installed_and_another_key_refuses_to_start(house: Many) -> None:
    people, channel = town_of(house.second)
    async with house.run():
        await house.install(house.second.team)
    async with house.run():
        ts = await ask(house.second, "who owns billing?", user=people, channel=channel)
        await answered(house.second, channel, ts)
    key = SecretStr(Fernet.generate_key().decode())
    new_first = (key, *house.settings.secret_keys)
    house.settings = replace(house.settings, secret_keys=(key,))
    with pytest.raises(SealUnbroken, match="THREADLINE_SECRET_KEY"):
        async with house.run():
            pass
    house.settings = replace(house.settings, secret_keys=new_first)
    async with house.run():
        ts = await ask(house.second, "and who publishes it?", user=people, channel=channel)
        await answered(house.second, channel, ts)


async def test_a_state_counts_once_and_in_the_browser_in_which_it_began(house: Many) -> None:
    async with house.run():
        browser = Browser()
        back = await house.allowed(browser, house.second.team)
        cookies = dict(browser.cookies)
        assert list(cookies) == [COOKIE]
        stranger = await Browser().get(back)
        assert (stranger.status, "not for this browser" in stranger.text) == (400, True)
        assert not house.second.installed
        assert (await browser.get(back)).status == 200
        assert browser.cookies == {}
        assert (await browser.get(back)).status == 400
        replayed = await Browser(cookies).get(back)
        assert (replayed.status, "was used" in replayed.text) == (401, True)
        assert AGAIN in replayed.text
        assert len([call for call in house.first.workspace.calls if call.method == "oauth.v2.access"]) == 1


@pytest.mark.parametrize("query", ["", "?state=x", "?code=y", "?state=x&code=y"])
async def test_who_comes_with_nothing_of_ours_is_shown_the_door(house: Many, query: str) -> None:
    async with house.run():
        page = await Browser({COOKIE: "x"}).get(house.url + REDIRECT + query)
    assert page.status in {400, 401}
    assert AGAIN in page.text


async def test_a_code_that_is_missing_wrong_or_refused_is_told_and_can_be_begun_again(house: Many) -> None:
    async with house.run():
        browser = Browser()
        back = await house.allowed(browser, house.second.team)
        page = await browser.get(back.replace("code=", "edoc="))
        assert (page.status, "not complete" in page.text) == (401, True)
        back = await house.allowed(browser, house.second.team)
        with capture_logs() as logs:
            page = await browser.get(back.replace("code=", "code=forged"))
        assert (page.status, "invalid_code" in page.text) == (502, True)
        assert "forged" not in str(logs)
        house.first.workspace.faults.add("oauth.v2.access", HttpError(503))
        back = await house.allowed(browser, house.second.team)
        page = await browser.get(back)
        assert (page.status, "a few minutes" in page.text) == (503, True)
        assert browser.cookies == {}
        assert (await house.install(house.second.team)).status == 200


async def test_who_says_no_is_told_that_nothing_was_changed(house: Many) -> None:
    async with house.run():
        browser = Browser()
        back = await house.allowed(browser, house.second.team, "deny")
        page = await browser.get(back)
        assert (page.status, "Not installed" in page.text) == (200, True)
        assert not house.second.installed
        odd = await browser.get(house.url + REDIRECT + "?error=%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script" not in odd.text
        assert "unknown" in odd.text
        known = await browser.get(house.url + REDIRECT + "?error=invalid_team_for_non_distributed_app")
        assert "invalid_team_for_non_distributed_app" in known.text


async def test_pages_load_nothing_keep_nothing_and_are_framed_by_nobody(house: Many) -> None:
    async with house.run():
        browser = Browser()
        page = await browser.get(house.url + INSTALL + "?team=T1%26user_scope=admin")
        assert "admin" not in page.text
        assert all(scope in page.text for scope in SCOPES)
        for shown in (page, await house.install(house.second.team), await browser.get(house.url + REDIRECT)):
            policy = shown.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert shown.headers["cache-control"] == "no-store"
            assert shown.headers["referrer-policy"] == "no-referrer"
            assert '<html lang="en">' in shown.text
            assert "src=" not in shown.text
        cookie = page.headers["set-cookie"]
        assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=lax", "Max-Age=600"))


async def test_what_cannot_be_kept_is_not_installed_and_can_be_tried_again(house: Many) -> None:
    async with house.run():
        house.first.sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON installations BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
        page = await house.install(house.second.team)
        assert page.status == 503
        house.first.sql("DROP TRIGGER refuse")
        assert (await house.install(house.second.team)).status == 200
    assert house.first.rows()["installations"] == 1


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


async def test_the_program_itself_is_installed_by_its_environment_and_says_no_secret(
    house: Many, tmp_path: Path
) -> None:
    people, channel = town_of(house.second)
    env = {
        **environment(house.first),
        "SLACK_BOT_TOKEN": "",
        "SLACK_SIGNING_SECRET": house.first.workspace.signing_secret,
        "SLACK_CLIENT_ID": house.slack.oauth.client_id,
        "SLACK_CLIENT_SECRET": house.slack.oauth.client_secret,
        "THREADLINE_PUBLIC_URL": house.url,
        "THREADLINE_HTTP_PORT": house.url.rpartition(":")[2],
        "THREADLINE_SECRET_KEY": house.settings.secret_keys[0].get_secret_value(),
        "THREADLINE_TRUSTED_WORKSPACES": house.second.team,
    }
    async with program("run", env=env, folder=str(tmp_path)) as child:
        await house.first.workspace.until(lambda: house.slack.socket_connections)
        assert (await house.install(house.second.team)).status == 200
        ts = await ask(house.second, "who owns billing?", user=people, channel=channel)
        await answered(house.second, channel, ts)
        child.send_signal(signal.SIGTERM)
        _, said = await child.communicate()
        assert child.returncode == 0
    secrets = (house.second.bot_token, house.slack.oauth.client_secret, env["THREADLINE_SECRET_KEY"])
    assert all(secret not in said.decode() for secret in secrets)
    assert b"Traceback" not in said
    (running,) = [line for line in said.decode().splitlines() if '"event": "running"' in line]
    assert f'"install_at": "{house.url}{INSTALL}"' in running


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


async def test_an_app_without_a_bot_is_not_installed(house: Many) -> None:
    house.second.bot_user = ""
    house.second.users[""] = house.second.users["U0BOT0002"]
    async with house.run():
        page = await house.install(house.second.team)
    assert (page.status, "gave no bot token" in page.text) == (502, True)
    assert house.first.rows()["installations"] == 0


async def test_the_simulated_slack_sends_nobody_elsewhere_and_gives_a_token_for_a_code_once(
    house: Many,
) -> None:
    oauth, api, browser = house.slack.oauth, house.slack.api_url, Browser()
    page = house.slack.api_url.removesuffix("api/") + "oauth/v2/authorize"
    known = f"?client_id={oauth.client_id}&redirect_uri="
    assert (await browser.get(page + "?client_id=1.2")).status == 400
    assert (await browser.get(page + known + "https://elsewhere.example")).status == 400
    form = {"redirect_uri": "https://elsewhere.example", "choice": "allow", "team": "T", "state": "s"}
    assert (await browser.get(page, **form)).status == 400
    app = {"client_id": oauth.client_id, "client_secret": oauth.client_secret, "code": "none"}
    app |= {"redirect_uri": "https://elsewhere.example"}
    for given, error in (
        (app | {"client_id": "1.2"}, "invalid_client_id"),
        (app | {"client_secret": "none"}, "bad_client_secret"),
        (app, "invalid_code"),
    ):
        assert error in (await browser.get(api + "oauth.v2.access", **given)).text
    back = (await _granted(house, browser)).partition("code=")[2].partition("&")[0]
    assert "bad_redirect_uri" in (await browser.get(api + "oauth.v2.access", **app | {"code": back})).text


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


async def _granted(house: Many, browser: Browser) -> str:
    async with house.run():
        return await house.allowed(browser, house.second.team)


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
