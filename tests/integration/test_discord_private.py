"""Private answers: seen by their asker alone, by whatever way is left, and never in a channel."""

from pathlib import Path
from typing import Any

import pytest

from bots.demo.assistant import faults
from bots.demo.discord import HttpError, Interaction
from tests.fixtures.guild import ADD, EDIT, FOLLOW_UP, POST, SHOP, GuildWalk, guild_walk

LONG = "\n\n".join(f"Paragraph {number} of a long answer. " * 15 for number in range(9)).strip()
VERY_LONG = "\n\n".join([LONG] * 8)


async def _asked(town: GuildWalk, **options: Any) -> Interaction:
    return await town.ask("who consumes order.created?", private=True, **options)


async def test_a_private_answer_takes_the_place_of_thinking(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            asked = await _asked(town, user=town.ben)
            (answer,) = await town.whispers(1, user=town.ben)
        assert "billing" in answer
        assert asked.original is not None
        assert asked.original.ephemeral
        assert town.world.messages(town.general) == []
        assert town.world.calls_of(POST) == []
        assert town.states() == ["done"]


async def test_one_goes_on_in_private_by_the_button(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            asked = await _asked(town)
            await town.whispers(1)
        async with town.run():
            assert asked.original is not None
            await town.go_on_from(asked.original, "and who publishes it?")
            assert "order-service" in (await town.whispers(2))[-1]
            assert town.turns() == ["user", "assistant", "user"]
            assert town.world.messages(town.general) == []


async def test_a_long_one_comes_in_parts_that_only_its_asker_sees(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(LONG))
        async with town.run():
            asked = await _asked(town)
            parts = await town.whispers(3)
            assert "".join("".join(parts).split()) == "".join(LONG.split())
            await town.world.until(lambda: len(asked.followups) == 2)
            assert all(one.ephemeral for one in asked.followups)
            assert asked.followups[-1].components
        assert town.states() == ["done"]


async def test_a_very_long_one_comes_with_a_file(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(VERY_LONG))
        async with town.run():
            asked = await _asked(town)
            await town.world.until(lambda: any(one.attachments for one in asked.followups))
        (call,) = [one for one in town.world.calls_of(ADD) if one.files]
        assert call.files == {"answer.md": VERY_LONG.encode()}


async def test_after_its_token_has_ended_it_comes_by_direct_message(tmp_path: Path) -> None:
    for dead in (50027, 10015, 10062):
        folder = tmp_path / str(dead)
        folder.mkdir()
        async with guild_walk(folder) as town:
            town.world.expired_as, town.leaves_thinking = dead, True
            held = faults.hold()
            town.assistant.faults.add(held)
            async with town.run():
                asked = await _asked(town)
                town.world.expire(asked)
                held.release()
                direct = town.world.open_dm(town.ana)
                assert "billing" in (await town.answers(direct))[0]
                await town.go_on(direct, "and who publishes it?")
                await town.whispers(1)
                assert town.turns() == ["user", "assistant", "user"]
            assert town.world.messages(town.general) == []
            assert town.states() == ["done", "done"]


async def test_where_direct_messages_are_closed_it_is_kept_until_it_is_fetched(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True
        town.world.refuse_dms(town.ana)
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            town.world.expire(await _asked(town))
            held.release()
            await town.called(POST, 403)
        assert town.states() == ["kept"]
        async with town.run():
            above, answer = await _fetched(town, 1)
            assert above == "1 private answer:"
            assert "billing" in answer
            assert "nothing" in (await _fetched(town))[0]
        assert town.world.messages(town.general) == []
        assert len(town.assistant.journal) == 1


async def test_what_is_kept_is_handed_over_with_its_files_and_a_few_at_a_time(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True
        town.world.refuse_dms(town.ana)
        held = faults.hold(faults.says(VERY_LONG))
        town.assistant.faults.add(*[held] * 6)
        async with town.run():
            for _ in range(6):
                town.world.expire(await _asked(town))
            held.release()
            await town.called(POST, 403, 6)
        assert town.states() == ["kept"] * 6
        async with town.run():
            assert (await _fetched(town, 20))[0] == "6 private answers (the first 5; type it again for more):"
            assert (await _fetched(town, 4))[0] == "1 private answer:"
            calls = [one for one in town.world.calls_of(ADD) if one.files]
            assert [one.files for one in calls] == [{"answer.md": VERY_LONG.encode()}] * 6


async def test_a_private_notice_that_cannot_be_shown_is_kept_too(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True
        town.world.refuse_dms(town.ana)
        held = faults.hold(faults.status(402, code="insufficient_ai_credits"))
        town.assistant.faults.add(held)
        async with town.run():
            town.world.expire(await _asked(town))
            held.release()
            await town.called(POST, 403)
        assert town.states() == ["kept"]
        async with town.run():
            assert "no AI credits" in (await _fetched(town, 1))[1]


async def test_without_a_project_the_notice_is_private_and_so_is_the_answer(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        async with town.run():
            asked = await _asked(town)
            assert "has no project yet" in (await town.whispers(1))[0]
            await town.slash("threadline link", project=SHOP)
            assert asked.original is not None
            await town.world.until(lambda: asked.original and "billing" in asked.original.content)
        assert town.world.messages(town.general) == []


async def test_a_long_wait_is_told_in_private(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.rate_limited("300"))
        async with town.run():
            await _asked(town)
            assert "I will try again at <t:" in (await town.whispers(1))[0]
        assert town.world.messages(town.general) == []
        assert town.states() == ["accepted"]


@pytest.mark.parametrize("project", [SHOP, "MEDIA"])
async def test_privately_one_may_ask_where_the_bot_may_not_write(tmp_path: Path, project: str) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.world.deny(town.general, "send_messages", "send_messages_in_threads")
        await _asked(town, project=project)
        assert ("billing" in (await town.whispers(1))[0]) is (project == SHOP)


async def test_a_first_part_whose_reply_was_lost_is_only_said_once_more(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(EDIT, HttpError(503, after=True))
        async with town.run():
            asked = await _asked(town)
            await town.called(EDIT)
        assert asked.original is not None
        assert "billing" in asked.original.content
        assert asked.followups == []
        assert town.states() == ["done"]


async def test_a_further_part_whose_reply_was_lost_is_kept_rather_than_shown_twice(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(LONG))
        town.world.faults.add(ADD, HttpError(503, after=True))
        async with town.run():
            asked = await _asked(town)
            await town.called(ADD, 503)
            town.clock.advance(60)
            while "nothing" in (above := (await _fetched(town))[0]):
                pass
            assert above == "1 private answer:"
            assert len(asked.followups) == 1


async def test_the_form_of_a_private_answer_belongs_to_whoever_fills_it_in(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        asked = await _asked(town)
        await town.whispers(1)
        assert asked.original is not None
        pressed = await town.world.press(town.ana, town.general, asked.original.id, FOLLOW_UP)
        more = await town.world.submit(town.ana, pressed, question="and who publishes it?")
        await town.whispers(2)
        assert more.original is not None
        assert more.original.ephemeral


async def _fetched(town: GuildWalk, pieces: int = 0) -> list[str]:
    """Use `/threadline answers`, and return all that it shows: a line, and so many messages."""
    done = await town.world.slash(town.ana, town.general, "threadline answers")
    await town.world.until(lambda: done.original is not None and not done.original.is_loading)
    await town.world.until(lambda: len(done.followups) >= pieces)
    assert done.original is not None
    assert all(one.ephemeral for one in [done.original, *done.followups])
    return [done.original.content, *(one.content for one in done.followups)]


async def test_a_long_wait_that_can_be_told_nowhere_is_only_waited_for(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True
        town.assistant.faults.add(held := faults.hold(faults.rate_limited("300")))
        async with town.run():
            await _asked(town)
            town.clock.advance(901)
            held.release()
            await town.assistant.wait_for_finished(1)
            await town.until_later(lambda: town.said(town.world.open_dm(town.ana)))
        assert town.world.messages(town.general) == []
        assert len(town.assistant.journal) == 2
