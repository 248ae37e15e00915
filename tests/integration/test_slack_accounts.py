"""`/threadline account` in Slack: the form, what is wrong with it, and what is asked under whose key."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.demo.assistant import faults, media_demo
from bots.demo.slack import HttpError, View
from bots.demo.slack.courier import Interaction
from core.errors import SealUnbroken
from core.model import ProjectId
from tests.fixtures.walk import SHOP, Walk

MEDIA = ProjectId("media-demo-4p9x1")
OURS = "a-key-of-the-workspace-a1b2"


def sealing(town: Walk, *, own: bool = True) -> Walk:
    """Have the installation keep workspaces' keys; not `own`: it has none itself."""
    secret = SecretStr(Fernet.generate_key().decode())
    chat = town.settings.chat if own else replace(town.settings.chat, key=None)
    town.settings = replace(town.settings, secret_keys=(secret,), chat=chat)
    town.assistant.add_key(OURS, [media_demo()])
    return town


async def command(town: Walk, text: str, *, user: str | None = None) -> str:
    done = await town.workspace.command(user or town.ana, town.general, "/threadline", text)
    await town.workspace.until(lambda: done.replies)
    return done.replies[0].text


async def form(town: Walk) -> View:
    before = town.workspace.view(town.ana)
    await town.workspace.command(town.ana, town.general, "/threadline", "account")

    def opened() -> View | None:
        seen = town.workspace.view(town.ana)
        return seen if before is None or seen is None or seen.id != before.id else None

    return await town.workspace.until(opened)


async def submit(town: Walk, view: View, *, user: str | None = None, **fields: str | None) -> Interaction:
    written = {field: fields.get(field) for field in ("key", "projects", "person", "channel", "waiting")}
    values: Mapping[str, Mapping[str, Any]] = {
        field: {field: {"type": "plain_text_input", "value": text}} for field, text in written.items()
    }
    done = await town.workspace.submit_view(user or town.ana, view.id, values=values)
    assert done.status == 200
    return done


def said(view: View) -> str:
    return str(view.body["blocks"][0]["text"]["text"])


def shown(view: View) -> dict[str, str]:
    return {block["block_id"]: block["element"].get("initial_value", "") for block in view.body["blocks"]}


async def test_a_workspace_sets_its_key_asks_under_it_and_takes_it_away(town: Walk) -> None:
    sealing(town)
    with capture_logs() as logs:
        async with town.run():
            view = await form(town)
            await submit(town, view, key=f" {OURS} ", projects=MEDIA, person="7", waiting="90")
            now = await town.workspace.until(lambda: town.workspace.view(town.ana))
            assert said(now).startswith("MicroVisualizer accepts the key.")
            assert "`a1b2`" in said(now)
            assert "not on the list" in await command(town, f"link {SHOP}")
            assert "now asks" in await command(town, f"link {MEDIA}")
            status = await command(town, "status")
            assert f"(it ends in `a1b2`), about `{MEDIA}` only, set by <@{town.ana}>" in status
            assert "At most 90 may wait." in status
            await town.answers(await town.mention("who publishes video.uploaded?"))
            again = await form(town)
            assert shown(again) == {
                "key": "",
                "projects": MEDIA,
                "person": "7",
                "channel": "",
                "waiting": "90",
            }
            assert OURS not in str(again.body)
            assert "own API key is gone" in await command(town, "account remove")
            assert "no API key of its own" in await command(town, "account Remove")
            assert "under" not in await command(town, "status")
    chats = [(call.key, call.project) for call in town.assistant.journal if call.method == "POST"]
    assert chats == [(OURS, MEDIA)]
    assert OURS not in str(logs)


async def test_the_key_is_nowhere_in_the_database_as_it_was_written(town: Walk) -> None:
    sealing(town)
    async with town.run():
        await submit(town, await form(town), key=OURS)
        ((sealed,),) = town.sql("SELECT sealed FROM accounts")
        path = town.settings.database_url.removeprefix("sqlite:///")
        for end in ("", "-wal"):
            with open(path + end, "rb") as file:  # noqa: ASYNC230 a moment's look
                assert OURS.encode() not in file.read()
    assert sealed != OURS


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"key": "unknown"}, {"key": "does not accept this key"}),
        ({"key": OURS, "projects": f"{MEDIA}, {SHOP}"}, {"projects": f"does not see `{SHOP}`"}),
        ({"key": OURS, "person": "many"}, {"person": "whole number"}),
        ({"key": OURS, "projects": "Not_One"}, {"projects": "no project id"}),
        ({}, {"key": "Give a key"}),
        ({"key": "two words"}, {"key": "does not accept this key"}),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(
    town: Walk, fields: dict[str, str], errors: dict[str, str]
) -> None:
    sealing(town)
    async with town.run():
        done = await submit(town, await form(town), **fields)
        assert done.body["response_action"] == "errors"
        assert done.body["errors"].keys() == errors.keys()
        for field, words in errors.items():
            assert words in done.body["errors"][field]
        assert town.sql("SELECT * FROM accounts") == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.rate_limited("60"), "come back later"),
        (faults.status(503), "does not answer as it should"),
    ],
    ids=["429", "503"],
)
async def test_an_endpoint_that_is_away_is_said_to_be_so(town: Walk, fault: Any, words: str) -> None:
    sealing(town)
    async with town.run():
        view = await form(town)
        town.assistant.faults.add(fault)
        done = await submit(town, view, key=OURS)
        assert words in done.body["errors"]["key"]
        assert (await submit(town, view, key=OURS)).body["response_action"] == "update"


async def test_only_who_may_link_may_set_a_key(town: Walk) -> None:
    sealing(town)
    async with town.run():
        assert "Only workspace admins" in await command(town, "account", user=town.ben)
        assert "Only workspace admins" in await command(town, "account remove", user=town.ben)
        view = await form(town)
        done = await submit(town, view, user=town.ben, key=OURS)
        assert "Only workspace admins" in done.body["errors"]["key"]
        assert "may only be `remove`" in await command(town, "account please")
        assert town.sql("SELECT * FROM accounts") == []


async def test_a_database_or_a_slack_that_is_away_is_said_to_be_so(town: Walk) -> None:
    sealing(town)
    async with town.run():
        view = await form(town)
        town.sql("ALTER TABLE accounts RENAME TO gone")
        done = await submit(town, view, key=OURS)
        assert "database is not available" in done.body["errors"]["key"]
        town.sql("ALTER TABLE gone RENAME TO accounts")
        town.workspace.faults.add("views.open", HttpError(500))
        assert "did not work" in await command(town, "account")


async def test_without_a_secret_key_the_operator_is_named(town: Walk) -> None:
    async with town.run():
        assert "THREADLINE_SECRET_KEY" in await command(town, "account")
    assert town.calls("views.open") == []


async def test_without_a_key_of_its_own_nor_the_installations_a_question_waits_for_one(town: Walk) -> None:
    sealing(town, own=False)
    async with town.run():
        assert "But there is no API key" in await command(town, f"link {MEDIA}")
        assert "There is no API key to ask with here" in await command(town, "status")
        ts = await town.mention("who publishes video.uploaded?")
        (told,) = await town.answers(ts)
        assert "There is no MicroVisualizer API key" in told
        assert "`/threadline account`" in told
        await submit(town, await form(town), key=OURS)
        answer = (await town.answers(ts, 2))[1]
        assert "upload-api" in answer
        assert "There is no API key to ask with here" in await command(town, "account remove")


async def test_whose_own_key_is_refused_asks_their_own_admin(town: Walk) -> None:
    sealing(town)
    async with town.run():
        await submit(town, await form(town), key=OURS)
        await command(town, f"link {MEDIA}")
        town.assistant.revoke(OURS)
        (told,) = await town.answers(await town.mention("who publishes video.uploaded?"))
        assert "A workspace admin has to set a valid one with `/threadline account`" in told
        assert "MICROVISUALIZER_API_KEY" not in told


async def test_without_the_key_that_sealed_what_is_kept_it_does_not_start_and_nothing_is_lost(
    town: Walk,
) -> None:
    sealing(town)
    async with town.run():
        await submit(town, await form(town), key=OURS)
        await command(town, f"link {MEDIA}")
        held = faults.hold()
        town.assistant.faults.add(held)
        ts = await town.mention("who publishes video.uploaded?")
        await town.acknowledged()
    right = town.settings.secret_keys
    for wrong in ((SecretStr(Fernet.generate_key().decode()),), ()):
        town.settings = replace(town.settings, secret_keys=wrong)
        with pytest.raises(SealUnbroken, match=rf"1 of .* of slack {town.workspace.team}, .* secret reseal"):
            async with town.run():
                pass
    town.settings = replace(town.settings, secret_keys=right)
    async with town.run():
        assert "upload-api" in (await town.answers(ts))[-1]
