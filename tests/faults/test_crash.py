"""The program is killed with questions at all nine steps of their life; and the judge sees what is wrong."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.demo.slack import Message
from bots.demo.slack.records import Note
from tests.faults.crash import verdict
from tests.faults.crash.campaign import report
from tests.faults.crash.chat_door import answer
from tests.faults.crash.command_side import CommandSide
from tests.faults.crash.discord_side import DiscordSide
from tests.faults.crash.run import Plan, Toll, Way, run
from tests.faults.crash.side import Asked
from tests.faults.crash.slack_side import SlackSide, Transport
from tests.faults.crash.steps import Step
from tests.faults.crash.town import Town, town
from tests.fixtures.sent import watch


def known(here: Town) -> None:
    """Hold what is sent in a run to our rules."""
    match here.side:
        case SlackSide(workspace=platform) | DiscordSide(world=platform):
            watch(platform, here.assistant)


@pytest.mark.parametrize("way", [Way.HTTP, Way.DISCORD, Way.COMMAND], ids=lambda way: way.name.lower())
async def test_one_kill_meets_all_nine_steps_and_nothing_is_lost_or_doubled(tmp_path: Path, way: Way) -> None:
    toll = await run(Plan("nine steps", way, rounds=1), tmp_path, known=known)
    there = set(Step) - ({Step.COMMITTED} if way is Way.DISCORD else set())
    away = toll.hits[Step.RECEIVED] if way is Way.COMMAND else 0  # Discord itself may have told them so
    assert toll.faults == []
    assert toll.turned_away <= away
    assert min(toll.hits[step] for step in there) >= 2
    assert toll.calls == toll.questions - toll.turned_away + toll.cut_off


@pytest.mark.parametrize("way", [Way.SOCKET, Way.DISCORD], ids=lambda way: way.name.lower())
async def test_killed_at_chance_moments_nothing_is_lost_or_doubled(tmp_path: Path, way: Way) -> None:
    toll = await run(Plan("chance", way, rounds=1, wildness=1.0), tmp_path, known=known)
    assert toll.faults == []
    assert toll.hits.total() > 0
    assert toll.calls == toll.questions + toll.cut_off
    assert report([toll]).figures["lost"] == "0"


def test_a_step_that_was_not_hit_often_enough_is_a_fault_unless_a_run_is_repeated() -> None:
    toll = Toll(Plan("crash-0", Way.HTTP), hits=Counter({step: 3 for step in Step} | {Step.RECEIVED: 2}))
    assert len(report([]).faults) == len(Step)
    assert report([toll], wanted=3).faults == ["step 1 was hit 2 times, and 3 were wanted"]
    assert report([toll], wanted=0).faults == []


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which no program runs: what is said there, the test says."""
    side = SlackSide(Transport.HTTP)
    async with town(tmp_path, side, random.Random(1)) as here:  # noqa: S311 - to be repeated
        yield here


def whole(here: Town, asked: Asked) -> str:
    """Return what the assistant says to a question."""
    return answer(asked.marker, asked.parts, here.paragraph)


async def faults_of(here: Town, *asked: Asked) -> str:
    """Return what the judge finds, beside that nothing is on disk."""
    return "; ".join(fault for fault in verdict.faults(here, asked) if "not on disk" not in fault)


async def test_the_judge_finds_nothing_in_a_whole_answer(quiet: Town) -> None:
    asked = await quiet.ask(parts=3)
    await quiet.side.says(asked, whole(quiet, asked))
    assert await faults_of(quiet, asked) == ""
    assert "lost: not on disk" in verdict.faults(quiet, [asked])[0]


async def test_the_judge_sees_a_part_that_is_missing_doubled_or_too_early(quiet: Town) -> None:
    missing, doubled, early = [await quiet.ask(parts=2) for _ in range(3)]
    for asked, order in ((missing, (0,)), (doubled, (0, 1, 1)), (early, (1, 0))):
        half = whole(quiet, asked).split("\n\n")
        parts = ("\n\n".join(half[:6]), "\n\n".join(half[6:]))
        for number in order:
            await quiet.side.says(asked, parts[number])
    assert "lost: 6 paragraphs" in await faults_of(quiet, missing)
    assert "doubled: 6 paragraphs" in await faults_of(quiet, doubled)
    assert "out of order" in await faults_of(quiet, early)


async def test_the_judge_sees_answers_out_of_order_and_in_a_foreign_thread(quiet: Town) -> None:
    first = await quiet.ask()
    second = await quiet.ask(thread=first)
    elsewhere = await quiet.ask()
    for asked in (second, first, elsewhere):
        await quiet.side.says(first, whole(quiet, asked))
    found = await faults_of(quiet, first, second)
    assert "answered out of order" in found
    assert f"the answer to {elsewhere.marker} of another thread" in found


async def test_the_judge_sees_a_notice_and_a_status_that_was_left(quiet: Town) -> None:
    asked = await quiet.ask()
    await quiet.side.says(asked, "I could not get an answer.")
    assert isinstance(quiet.side, SlackSide)
    quiet.side.workspace.set_status(asked.channel, asked.thread, "is asking …")
    found = await faults_of(quiet, asked)
    assert "1 messages that are no answer" in found
    assert "a status is still shown" in found


async def test_the_judge_sees_what_stands_at_the_top_of_a_channel_or_is_said_to_one_alone(
    quiet: Town,
) -> None:
    asked = await quiet.ask()
    await quiet.side.says(asked, whole(quiet, asked))
    assert await faults_of(quiet, asked) == ""
    assert isinstance(quiet.side, SlackSide)
    workspace = quiet.side.workspace
    for channel in (asked.channel, workspace.direct_channel(asked.user)):
        ts = workspace.new_ts()
        workspace.keep(Message(channel, ts, workspace.bot_user, f"{asked.marker} again"))
    workspace.add_note(Note(asked.channel, asked.user, "for you alone", (), "", workspace.new_ts()))
    found = await faults_of(quiet, asked)
    assert found.count(f"said in a foreign place: '{asked.marker} again'") == 2
    assert "said in a foreign place: 'for you alone'" in found


@pytest.mark.parametrize("kind", [DiscordSide, CommandSide])
async def test_the_judge_sees_what_is_said_in_a_foreign_place_on_discord(kind: type[DiscordSide]) -> None:
    side = kind()
    asked = Asked("q0000z", 1)
    side.add_person(asked)
    asked.channel = side.channels[0]
    assert side.misplaced([asked]) == []
    for channel in (asked.channel, side.world.open_dm(asked.user)):
        await side.world.say(side.world.bot_user, channel, "q0000z again")
    assert [said.text for said in side.misplaced([asked])] == ["q0000z again"] * 2
