"""Somebody installs the app with a real browser, and is answered; nobody else can use their way in."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bots.slack.install import INSTALL
from tests.fixtures.many import Many, many, town_of

HOW = (
    "NO CHROMIUM, SO NO BROWSER TEST: apt-get install --no-install-recommends chromium, or name one with "
    "THREADLINE_TEST_CHROMIUM=/path/to/it"
)
# It looks for nothing outside of this machine, and needs neither a sandbox nor a screen.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    named = os.environ.get("THREADLINE_TEST_CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "google-chrome", "chromium-browser"))
    return named or next(filter(None, found), None)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW)
        pytest.skip(HOW)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Many]:
    async with many(tmp_path) as whole:
        yield whole


async def test_a_workspace_installs_the_app_with_a_browser_and_is_answered(
    house: Many, browser: Browser
) -> None:
    second = house.second
    people, channel = town_of(second)
    async with house.run():
        mine, another = await browser.new_context(), await browser.new_context(color_scheme="dark")
        page, stranger = await mine.new_page(), await another.new_page()
        faults: list[str] = []
        for one in (page, stranger):
            one.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
            one.on("pageerror", lambda error: faults.append(str(error)))

        # Denied: told so, with a way to begin again, which is taken.
        await page.goto(house.url + INSTALL)
        assert await page.title() == "Add Threadline to Slack"
        await page.get_by_role("link", name="Add to Slack").click()
        await page.get_by_label("Workspace").select_option(second.team)
        await page.get_by_role("button", name="Deny").click()
        assert await page.get_by_role("heading", level=1).inner_text() == "Not installed"
        assert house.first.rows()["installations"] == 0
        await page.get_by_role("link", name="Begin again").click()

        # Allowed, on the way through Slack; what it sends the browser back to is kept for later.
        await page.get_by_role("link", name="Add to Slack").click()
        await page.get_by_label("Workspace").select_option(second.team)
        async with page.expect_response(lambda reply: "code=" in reply.url) as back:
            await page.get_by_role("button", name="Allow").click()
        address = (await back.value).url
        assert await page.get_by_role("heading", level=1).inner_text() == "Threadline is in Other"
        assert "/invite @Threadline" in await page.get_by_role("main").inner_text()
        assert await mine.cookies() == []

        # The address is worth nothing again, here or in another browser.
        for one in (page, stranger):
            await one.goto(address)
            title = await one.get_by_role("heading", level=1).inner_text()
            assert title == "This link is not for this browser"
        assert house.first.rows()["installations"] == 1

        # And the workspace is answered.
        ts = await second.say(people, channel, f"<@{second.bot_user}> who consumes order.created?")
        await second.until(lambda: len(second.thread(channel, ts)) > 1)
        answer = second.thread(channel, ts)[1]
        assert answer.user == second.bot_user
        assert "billing" in str(answer.blocks[0]["text"])
    refused = "Failed to load resource: the server responded with a status of 400 (Bad Request)"
    assert set(faults) <= {refused}
