"""Stories of lanes that close at an unlucky moment: for long lines, parts, marks, probes, sick projects."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from core.clock import SystemClock
from core.errors import (
    AccountRefused,
    CreditsSpent,
    OutcomeUnknown,
    RateLimited,
    StoreUnavailable,
    Unavailable,
    Unreachable,
)
from core.model import (
    Account,
    Address,
    Amendment,
    AnswerPart,
    AssistantAway,
    Delivery,
    Lane,
    LaneId,
    Mark,
    Notice,
    ProjectId,
    QueuedUntil,
    Turn,
    Working,
    posting_lane,
)
from core.project_api.replies import Reply, content_of
from core.services.reviewing import Reviewing
from core.services.showing import Showing
from core.services.terms import Terms
from core.testing import RecordingPoster, ScriptedChat, SettableClock
from tests.fixtures.world import CHAT, LANE, TEAM, World

POST = posting_lane(CHAT, TEAM)
SICK = ProjectId("sick-demo-7f3k2")


async def _close(world: World, lane: LaneId, seconds: float) -> None:
    now = world.clock.now()
    until = now + timedelta(seconds=seconds)
    await world.store(lambda uow: uow.lanes.save(uow.lanes.get(lane).pause(now, until, busy=1)))


async def test_an_answer_that_was_taken_to_be_posted_waits_for_a_pause_stored_meanwhile(world: World) -> None:
    world.poster.script = [Unreachable()]
    await world.ask("Who?")
    await world.settle()
    world.clock.advance(5)
    assert await world.delivering.take_due() == 1
    await _close(world, POST, 30)
    await world.settle()
    assert world.posted == []
    await world.later(30)
    assert world.posted == ["Answer to: Who?"]
    assert len(world.chat.asked) == 1


async def _long_line(world: World, many: int) -> None:
    """Have one question asked for half an hour while others stand in line behind it, in an open lane."""
    world.chat.hold = asyncio.Event()
    await world.ask("slow", thread="slow")
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    for number in range(many):
        await world.ask(f"q{number}", thread=f"t{number}")
    world.clock.advance(31 * 60)
    world.chat.hold.set()
    await world.settle()


@pytest.mark.parametrize("trouble", [[RateLimited(timedelta(seconds=1))], [Unavailable()] * 5])
async def test_what_was_never_tried_is_not_given_up_over_a_moments_trouble(trouble: list[Exception]) -> None:
    world = World(concurrency=1)
    world.chat.script = ["ok", *trouble]
    await _long_line(world, 10)
    for _ in range(120):
        await world.later(1)
    assert world.notices == []
    assert len(world.posted) == 11


async def test_the_notice_that_an_edit_is_too_long_survives_a_passing_fault() -> None:
    world = World(budget=100)
    await world.store(lambda uow: uow.lanes.save(Lane(LANE, paused_before=90_000.0)))  # 25 h in all its life
    await world.ask("short?", message="m")
    edit = world.question("x" * 200, message="m")
    assert await world.amending.edited(edit) is Amendment.TAKEN
    world.poster.script = [Unavailable()]
    await world.settle()
    await world.later(600)
    assert world.notices == ["too_long"]


class Marked(RecordingPoster):
    """Meets a bug of ours in one thread, and a 429 elsewhere as often as is said."""

    def __init__(self) -> None:
        super().__init__()
        self.tried: list[str] = []
        self.refusals = 0

    async def mark(self, to: Address, part: AnswerPart, mark: Mark) -> None:
        self.tried.append(to.thread.thread)
        if to.thread.thread == "bug":
            raise KeyError
        if self.refusals:
            self.refusals -= 1
            raise RateLimited(timedelta(seconds=50))
        await super().mark(to, part, mark)


async def _marked(world: World, *threads: str) -> Marked:
    """Have questions answered whose answers are then to be marked."""
    poster = Marked()
    world.poster.mark = poster.mark  # type: ignore[method-assign]  # the rest of the poster stays the world's
    for thread in threads:
        await world.ask("q", thread=thread, message=f"m {thread}")
    await world.settle()
    for thread in threads:
        await world.amending.edited(world.question("new", thread=thread, message=f"m {thread}"))
    return poster


async def test_a_mark_that_meets_a_bug_of_ours_holds_up_no_other(world: World) -> None:
    poster = await _marked(world, "bug", "fine")
    await world.settle()
    await world.later(600)
    assert [to.thread.thread for to, _, _ in poster.marks] == ["fine"]
    assert poster.tried.count("bug") == 1


async def test_a_mark_that_meets_a_database_that_is_away_is_made_later(world: World) -> None:
    await _marked(world, "t")
    world.poster.mark = RecordingPoster.mark.__get__(world.poster)  # type: ignore[method-assign]  # its own again
    world.poster.mark_error = StoreUnavailable()
    await world.settle()
    world.poster.mark_error = None
    await world.later(60)
    assert [mark for _, _, mark in world.poster.marks] == [Mark.EDITED]


async def test_nothing_is_shown_on_a_platform_that_is_not_configured_any_more(world: World) -> None:
    await world.ask("q")
    found = await world.store(_held)
    await Showing({}, world.clock).show(found[0], Working.IDLE)
    assert world.poster.states == []


async def test_a_beat_that_dies_ends_the_loop_with_its_reason(world: World) -> None:
    async def sweep() -> int:
        raise RuntimeError("a bug of ours")

    world.leases.sweep = sweep  # type: ignore[method-assign]  # no other way to have a bug there
    running = asyncio.create_task(world.delivering.run())
    await world.until(running.done, step=0.5)
    with pytest.raises(RuntimeError, match="a bug of ours"):
        running.result()


async def test_marks_wait_for_the_end_of_their_lanes_pause(world: World) -> None:
    poster = await _marked(world, "t")
    await _close(world, POST, 3600)
    await world.later(1)
    assert poster.tried == []
    await world.later(3600)
    assert len(poster.marks) == 1


async def test_a_429_to_a_mark_holds_up_the_next_one_there(world: World) -> None:
    poster = await _marked(world, "a", "b", "c")
    poster.refusals = 1
    await world.settle()
    assert len(poster.tried) == 1
    await world.later(120)
    await world.later(120)
    assert len(poster.marks) == 3


async def test_no_part_is_posted_into_a_pause_that_began_meanwhile(world: World) -> None:
    world.poster.limit = 5
    world.poster.hold = asyncio.Event()
    world.chat.script = ["aaaaabbbbbccccc"]
    await world.ask("q")
    await world.delivering.take_due()
    await world.until(world.poster.reached.is_set)
    await _close(world, POST, 60)
    world.poster.hold.set()
    await world.settle()
    assert world.posted == ["aaaaa"]
    await world.later(61)
    assert world.posted == ["aaaaa", "bbbbb", "ccccc"]


async def test_after_a_posting_pause_one_post_goes_as_a_probe(world: World) -> None:
    now = world.clock.now()
    await world.store(lambda uow: uow.lanes.save(uow.lanes.get(POST).failed(now, 0, trips_at=1)))
    await world.later(6)
    world.poster.hold = asyncio.Event()
    for number in range(8):
        await world.ask(f"q{number}", thread=f"t{number}")
    await world.delivering.take_due()
    await world.until(lambda: len(world.leases.tasks()) == 1)
    world.poster.hold.set()
    await world.settle()
    assert len(world.posted) == 8


class Sick(ScriptedChat):
    """One project's assistant is away."""

    async def ask(self, account: Account | None, project: ProjectId, turns: Sequence[Turn]) -> str:
        self.asked.append((project, tuple(turns)))
        self.under.append(account)
        if project == SICK:
            raise Unavailable
        return "fine"


async def test_a_sick_project_holds_up_a_healthy_one_for_a_probe_and_no_longer(world: World) -> None:
    world.chat.ask = Sick().ask  # type: ignore[method-assign]  # the rest of the chat stays the world's
    for number in range(40):
        await world.ask(f"s{number}", thread=f"s{number}", project=SICK)
    for _ in range(120):
        await world.later(1)
    await world.ask("healthy", thread="h")
    waited = 0
    while world.posted != ["fine"] and waited < 120:
        await world.later(1)
        waited += 1
    assert waited <= 75


async def test_yesterdays_outage_is_not_told_this_morning(world: World) -> None:
    world.chat.script = [Unavailable()] * 1000
    await world.ask("evening", thread="e")
    for _ in range(40):
        await world.later(60)
    world.chat.script = []
    world.poster.states.clear()
    await world.later(9 * 3600)
    world.chat.hold = asyncio.Event()
    await world.ask("a", thread="a")
    await world.ask("b", thread="b")
    await world.delivering.take_due()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not [state for _, state in world.poster.states if isinstance(state, AssistantAway)]
    world.chat.hold.set()
    await world.settle()
    assert len(world.posted) == 2


async def test_a_renewed_token_is_tried_at_once_after_a_start(world: World) -> None:
    world.poster.script = [AccountRefused()]
    await world.ask("q")
    await world.settle()
    assert world.posted == []
    await world.restart(world.clock.now() + timedelta(seconds=20))
    await world.ask("next", thread="t2")
    await world.settle()
    assert world.posted == ["Answer to: next"]
    await world.later(900)
    assert world.posted == ["Answer to: next", "Answer to: q"]


async def test_what_an_operator_revives_is_taken_up_whatever_their_clock_shows(world: World) -> None:
    world.chat.script = [CreditsSpent()]
    await world.ask("q")
    await world.settle()
    ahead = SettableClock(world.clock.now() + timedelta(hours=1))
    await Reviewing(world.store, ahead, Terms(LANE), wake=lambda: None).post_again(world.id(1))
    await world.later(1)
    assert world.posted == ["Answer to: q"]


async def test_a_429_to_a_question_that_was_stopped_meanwhile_closes_its_lane(world: World) -> None:
    await world.ask("q")
    await world.delivering.take_due()
    (held,) = await world.store(_held)
    await world.ask("stop")
    await asyncio.gather(*world.leases.tasks(), return_exceptions=True)
    with pytest.raises(Exception, match="holder"):
        await world.answering.failed(held, RateLimited(timedelta(seconds=90)))
    lane = await world.store(lambda uow: uow.lanes.get(LANE))
    assert lane.is_paused(world.clock.now() + timedelta(seconds=89))


def _held(uow):  # type: ignore[no-untyped-def]  # a unit of work, as in the line above
    (one,) = (uow.deliveries.get(World.id(1)),)
    assert isinstance(one, Delivery)
    return [one]


def test_a_date_in_retry_after_is_measured_by_the_wall_clock_that_others_see() -> None:
    wall, passed = [1_800_003_600.0], [0.0]
    clock = SystemClock(wall=lambda: wall[0], passed=lambda: passed[0])
    wall[0] -= 3600  # it was an hour ahead at the start, and is set right
    date = datetime.fromtimestamp(wall[0] + 60, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    reply = Reply(429, httpx.Headers({"retry-after": date}), bytearray(b"{}"))
    with pytest.raises(RateLimited) as caught:
        content_of(reply, now=clock.wall(clock.now()))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= timedelta(seconds=59)


async def test_who_loses_the_lease_while_looking_for_a_post_posts_nothing(world: World) -> None:
    looked = RecordingPoster.find.__get__(world.poster)

    async def find(to: Address, piece: AnswerPart | Notice) -> str | None:
        world.poster.find = looked  # type: ignore[method-assign]  # only this once
        world.clock.advance(11)
        later = world.clock.now() + timedelta(seconds=1)
        assert await world.store(lambda uow: uow.deliveries.release_expired(later, ())) == 1
        return None

    world.poster.script = [OutcomeUnknown()]
    await world.ask("q")
    await world.settle()
    world.poster.find = find  # type: ignore[method-assign]  # the rest of the poster stays the world's
    await world.later(5)
    assert world.posted == ["Answer to: q"]


async def test_a_429_pauses_its_lane_also_while_it_is_still_being_shown_that_its_question_is_worked_on(
    world: World,
) -> None:
    """A platform that is slow to show it must not have others call into the pause."""
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    world.chat.hold, world.poster.state_hold = asyncio.Event(), asyncio.Event()
    await world.ask("1", thread="t1")
    await world.delivering.take_due()
    await world.chat.reached.wait()
    world.clock.advance(1)  # it is shown what takes longer than a moment
    await world.ask("2", thread="t2")
    world.chat.hold.set()
    for _ in range(10):
        await asyncio.sleep(0)
    lane = await world.store(lambda uow: uow.lanes.get(LANE))
    assert lane.is_paused(world.clock.now())
    assert await world.delivering.take_due() == 0
    world.poster.state_hold.set()
    await world.settle()
    assert [type(state) for _, state in world.poster.states] == [Working, QueuedUntil]
