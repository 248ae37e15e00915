"""Workspaces install the app: what the browser shows, what is kept of it, and what is refused."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.demo.slack import HttpError
from bots.slack.install import INSTALL, REDIRECT, SCOPES
from core.errors import SealUnbroken
from tests.fixtures.many import COOKIE, Browser, Many, answered, ask, town_of
from tests.fixtures.program import environment, program

AGAIN = "Begin again"


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


async def _granted(house: Many, browser: Browser) -> str:
    async with house.run():
        return await house.allowed(browser, house.second.team)
