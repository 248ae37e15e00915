"""The load runs in small: a storm of 429s, bad weather, an outage, two queues; and what counts them."""

import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bots import texts
from bots.demo.assistant import Outcome, ReceivedCall
from bots.demo.slack import Message
from core.clock import SystemClock
from tests.faults.load import count
from tests.faults.load.crowd import Crowd, crowd
from tests.faults.load.evidence import carried_out
from tests.faults.load.fair import Turns, fair
from tests.faults.load.hour import Hour, hour
from tests.faults.load.outage import Outage, breaches, outage
from tests.faults.load.people import Asked, Chat
from tests.faults.load.storm import Storm, storm
from tests.faults.load.watch import Look, Program, look
from tests.faults.load.weather import Weather
from tests.faults.report import Report
from tests.fixtures.sent import watch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BUSY = timedelta(seconds=0.9)  #: for which a call may be on its way where other tests run beside it


def known(here: Crowd) -> None:
    """Hold what is sent to people in a run to our rules; the assistant's journal lacks what it never read."""
    watch(here.workspace, here.world)


async def test_in_a_storm_of_429s_all_is_answered_in_order_and_nothing_is_asked_early(tmp_path: Path) -> None:
    plan = Storm(12, 4, per_second=3, burst=4, patience=90, on_its_way=BUSY)
    found = await storm(plan, tmp_path, "storm", known)
    assert found.faults == []
    assert found.figures["ended as"] == "12 done"
    assert int(found.figures["429s"]) > 0
    assert found.figures["early calls"] == "0"


async def test_in_bad_weather_on_both_platforms_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    plan = Hour(20, seconds=2, thinks=1, share=0.15, patience=90, measures_growth=False, on_its_way=BUSY)
    found = await hour(plan, tmp_path, "hour", known)
    assert found.faults == []
    assert found.figures["lost"] == found.figures["doubled"] == "0"
    assert "Slack" in found.figures["faults met"]
    assert "Discord" in found.figures["faults met"]


async def test_an_outage_costs_few_calls_and_everybody_is_answered_after_it(tmp_path: Path) -> None:
    found = await outage(Outage(15, seconds=60, before=3), tmp_path, "outage", known)
    assert found.faults == []
    assert found.figures["ended as"] == "18 done"
    assert found.figures["calls at once after it"].startswith("1")


async def test_a_short_queue_takes_turns_with_a_long_one(tmp_path: Path) -> None:
    found = await fair(Turns(busy=16, few=3), tmp_path, "fair", known)
    assert found.faults == []
    assert found.figures["ended as"] == "19 done"


# --- what counts them --------------------------------------------------------------------------


def call(number: int, after: float, *, lasts: float = 0.01, limited: bool = False) -> ReceivedCall:
    """Return a chat call that arrived so many seconds after noon."""
    began = NOON + timedelta(seconds=after)
    outcome = Outcome.RATE_LIMITED if limited else Outcome.ANSWERED
    said = (("user", f"who owns q{number:05}z?"),)
    return ReceivedCall(
        number, "POST", "/", {}, "", None, said, b"", {}, began, began + timedelta(seconds=lasts), outcome
    )


def test_a_call_during_a_pause_is_early_unless_it_was_on_its_way() -> None:
    calls = [
        call(1, 0, lasts=0.2),
        call(2, 0.09, limited=True),
        call(3, 0.2),
        call(4, 0.6),
        call(5, 1.2),
    ]
    kept = count.pauses(calls, count.announced(calls, 1))
    assert kept.early == ["early: a call 0.500 s after a 429 of 1 s"]
    assert list(kept.in_flight) == pytest.approx([0.1])
    assert kept.under_way == 1
    assert list(kept.overshoots) == pytest.approx([0.1])


def test_a_call_that_was_on_its_way_at_one_429_is_early_after_another() -> None:
    calls = [call(1, 0, limited=True), call(2, 0.3, limited=True), call(3, 0.6)]
    assert len(count.pauses(calls, count.announced(calls, 1)).early) == 1


def test_no_more_calls_were_on_their_way_at_a_429_than_are_made_at_once() -> None:
    limited, still = call(0, -0.01, limited=True), call(1, -0.5, lasts=5)
    burst = [call(number, 0.1, lasts=5) for number in range(2, 9)]
    kept = count.pauses([still, limited, *burst], count.announced([limited], 5))
    assert (kept.early, len(kept.in_flight)) == ([], 7)
    kept = count.pauses([still, limited, *burst, call(9, 0.2)], count.announced([limited], 5))
    assert kept.early == [
        "early: 9 calls were on their way at a 429 of 5 s, and 8 are made at once",
    ]


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Crowd]:
    """A crowd without a program: what is said to it, the test says."""
    async with crowd(tmp_path, SystemClock()) as here:
        yield here


def says(here: Crowd, asked: Asked, text: str) -> None:
    """Say something in a question's thread, as the program would."""
    bot, ts, thread = here.workspace.bot_user, here.workspace.new_ts(), asked.thread
    here.workspace.keep(Message(thread.channel, ts, bot, text, thread_ts=thread.root))


def faults_of(here: Crowd, state: str = "done", *, may_give_up: bool = True) -> str:
    """Return what the judge finds if every question ended in that state."""
    states = {asked.message: state for asked in here.questions.values()}
    return "; ".join(count.verdict(here, states, may_give_up=may_give_up))


async def test_the_judge_sees_what_is_lost_and_what_is_doubled(quiet: Crowd) -> None:
    asked = await quiet.ask(quiet.newcomer(Chat.SLACK))
    assert "lost: not on disk" in count.verdict(quiet, {})[0]
    assert "lost: done, and no answer can be seen" in faults_of(quiet)
    assert "lost: 1 questions were buried, and 0 notices can be seen" in faults_of(quiet, "buried")
    assert "not settled: asking" in faults_of(quiet, "asking")
    says(quiet, asked, f"`{asked.marker}` is owned by nobody.")
    assert faults_of(quiet) == ""
    says(quiet, asked, f"`{asked.marker}` is owned by nobody.")
    assert "doubled: 2 answers" in faults_of(quiet)


async def test_the_judge_sees_answers_in_a_foreign_thread_and_out_of_order(quiet: Crowd) -> None:
    thread = quiet.newcomer(Chat.SLACK)
    first, second = await quiet.ask(thread), await quiet.ask(thread)
    elsewhere = await quiet.ask(quiet.newcomer(Chat.SLACK))
    says(quiet, second, second.marker)
    says(quiet, first, first.marker)
    says(quiet, first, elsewhere.marker)
    found = faults_of(quiet)
    assert f"{second.marker} was answered before {first.marker}" in found
    assert "said in a foreign place" in found


async def test_a_notice_settles_a_question_that_is_buried(quiet: Crowd) -> None:
    asked = await quiet.ask(quiet.newcomer(Chat.SLACK))
    says(quiet, asked, "I could not get an answer.")
    assert faults_of(quiet, "buried") == ""
    assert "no answer can be seen" in faults_of(quiet)


async def test_the_judge_sees_a_notice_too_many(quiet: Crowd) -> None:
    asked, answered = [await quiet.ask(quiet.newcomer(Chat.SLACK)) for _ in range(2)]
    for _ in range(3):
        says(quiet, asked, "I could not get an answer.")
    says(quiet, answered, answered.marker)
    assert "doubled: 3 messages that are no answer, and 1 questions were buried" in faults_of(quiet, "buried")
    says(quiet, answered, "MicroVisualizer is away.")
    assert "doubled: 1 messages that are no answer, and 0 questions were buried" in faults_of(quiet)


async def test_the_judge_sees_who_is_told_of_one_outage_twice(quiet: Crowd) -> None:
    asked = await quiet.ask(quiet.newcomer(Chat.SLACK))
    says(quiet, asked, asked.marker)
    says(quiet, asked, texts.away("13:00"))
    assert faults_of(quiet) == ""
    says(quiet, asked, texts.queued("13:00"))
    assert faults_of(quiet).startswith("doubled: told 2 times that it takes longer")


async def test_where_all_can_be_answered_giving_up_is_a_fault(quiet: Crowd) -> None:
    asked = await quiet.ask(quiet.newcomer(Chat.SLACK))
    says(quiet, asked, "I could not get an answer.")
    found = faults_of(quiet, "buried", may_give_up=False)
    assert found == "1 questions were given up, and all can be answered"


def test_the_judge_sees_a_crowd_that_rushes_in_after_an_outage() -> None:
    plan, probe = Outage(), call(1, 10, lasts=0.5)
    widening = [probe, call(2, 10.6, lasts=0.5), call(3, 10.7, lasts=0.5)]
    assert breaches(plan, NOON, plan.most_calls, widening, [1, 0]) == []
    rushing = [probe, call(2, 10.1), call(3, 10.6, lasts=0.5), call(4, 10.7), call(5, 10.75, lasts=0.5)]
    assert breaches(plan, NOON, 0, rushing, []) == [
        "2 calls at once when 0 had been answered after the outage"
    ]


def test_the_judge_sees_too_many_calls_during_an_outage_a_late_probe_and_too_many_messages() -> None:
    plan = Outage(seconds=60)
    assert plan.most_calls == 15
    found = breaches(plan, NOON, 16, [call(1, 79)], [1, 2])
    assert [fault.partition(" ")[0] for fault in found] == ["16", "nobody", "somebody"]


async def test_what_a_run_leaves_behind_is_kept_where_something_is_wrong() -> None:
    folders = []

    async def carry_out(folder: Path, seed: str) -> Report:
        folders.append(folder)
        return Report(seed, {}, [] if len(folders) == 1 else ["lost: a question"])

    well = await carried_out("well", "seed-1", carry_out)
    badly = await carried_out("badly", "", carry_out)
    assert (well.name, well.faults) == ("seed-1", [])
    assert badly.name.startswith("badly-")
    assert str(folders[1]) in badly.faults[1]
    assert [folder.exists() for folder in folders] == [False, True]
    folders[1].rmdir()


def test_growth_is_a_slope_over_what_was_done_once_it_is_warm() -> None:
    looks = [Look(done, 100 + (50 if done >= 10 else 0) + done / 100, 20) for done in range(0, 110, 10)]
    watched = Program(1, looks)
    memory, growth = watched.memory(warm=10)
    assert memory == pytest.approx(151)
    assert growth == pytest.approx(10)
    assert watched.files(warm=10) == (20, 20, 0)


def test_a_look_at_a_process_sees_its_memory_and_its_files() -> None:
    own = look(os.getpid(), done=7)
    assert own.done == 7
    assert own.memory > 10
    assert own.files > 2


def test_the_weather_is_the_same_for_the_same_seed() -> None:
    met = []
    for _ in range(2):
        weather = Weather(random.Random("seed"), 0.5)  # noqa: S311 - to be repeated
        for _ in range(200):
            weather.over_slack("chat.postMessage")
            weather.over_discord("POST /channels/{channel}/messages")
            weather.over_assistant()
        met.append(weather.met)
    assert met[0] == met[1]
    assert len(met[0]) == 23
