"""Stories of too many questions, and of workspaces that take turns."""

from datetime import timedelta

from core.errors import RateLimited
from core.model import Outcome, State
from core.services.allowances import Allowances
from tests.fixtures.world import ANA, BEN, World


async def test_a_person_who_has_asked_too_much_is_told_three_times_and_then_left_alone() -> None:
    world = World(allowances=Allowances(person=2))
    outcomes = [await world.ask(f"q{number}", thread=f"t{number}") for number in range(7)]
    assert outcomes == [Outcome.ACCEPTED] * 5 + [Outcome.REFUSED] * 2
    assert await world.ask("mine", thread="t-ben", author=BEN) is Outcome.ACCEPTED
    await world.settle()
    assert len(world.posted) == 3
    assert world.notices == ["person_spent"] * 3
    world.clock.advance(3601)
    assert await world.ask("again", thread="t-again") is Outcome.ACCEPTED


async def test_what_was_refused_is_not_asked_when_it_comes_again() -> None:
    world = World(ceiling=1)
    await world.ask("1")
    await world.ask("2")
    refused = world.question("3")
    assert await world.asking.accept(refused) is Outcome.REFUSED
    world.clock.advance(3601)
    assert await world.asking.accept(refused) is Outcome.DUPLICATE
    await world.settle()
    assert world.posted == ["Answer to: 1"]
    assert world.notices == ["too_many"]
    assert await world.states() == [State.BURIED, State.DONE, State.REFUSED] or State.REFUSED in (
        await world.states()
    )


async def test_a_channel_has_its_allowance_and_other_channels_theirs() -> None:
    world = World(allowances=Allowances(channel=1, person=None))
    assert await world.ask("1", thread="t1") is Outcome.ACCEPTED
    for number in range(20):
        assert await world.ask("more", thread=f"more{number}") is Outcome.ACCEPTED
    assert await world.ask("too much", thread="too much") is Outcome.REFUSED
    assert await world.ask("there", thread="t3", place="elsewhere") is Outcome.ACCEPTED
    await world.settle()
    assert sorted(world.posted) == ["Answer to: 1", "Answer to: there"]
    assert world.notices == ["channel_spent"] * 20


async def test_a_workspace_has_a_bounded_queue_and_honest_refusals() -> None:
    world = World(allowances=Allowances(waiting=2))
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("1", thread="t1")
    await world.settle()
    assert await world.ask("2", thread="t2") is Outcome.ACCEPTED
    assert await world.ask("3", thread="t3") is Outcome.ACCEPTED
    assert await world.ask("theirs", thread="t4", workspace="other") is Outcome.ACCEPTED
    await world.settle()
    assert world.notices == ["queue_full"]
    await world.later(31)
    assert sorted(world.posted) == ["Answer to: 1", "Answer to: 2", "Answer to: theirs"]
    assert await world.ask("4", thread="t5") is Outcome.ACCEPTED


async def test_without_allowances_everything_is_taken() -> None:
    world = World(allowances=Allowances(thread=None, person=None, channel=None, waiting=None))
    outcomes = {await world.ask(f"q{number}") for number in range(70)}
    assert outcomes == {Outcome.ACCEPTED}


async def test_workspaces_under_one_key_take_turns_however_much_one_of_them_asks() -> None:
    world = World(concurrency=1)
    for number in range(20):
        await world.ask(f"busy {number}", thread=f"b{number}", author=ANA)
    for number in range(3):
        await world.ask(f"quiet {number}", thread=f"q{number}", workspace="other", author=BEN)
    await world.settle()
    asked = [turns[-1].text for _, turns in world.chat.asked]
    assert len(asked) == 23
    assert [asked.index(f"quiet {number}") for number in range(3)] == [1, 3, 5]


async def test_who_comes_late_does_not_catch_up_on_turns_that_were_not_theirs() -> None:
    world = World(concurrency=1)
    world.chat.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("first", thread="t0")
    await world.settle()
    for number in range(5):
        await world.ask(f"old {number}", thread=f"o{number}")
    world.clock.advance(30)
    for _ in range(3):
        await world.delivering.take_due()
        await world.until(lambda: not world.leases.tasks(), step=0)
    for number in range(5):
        await world.ask(f"new {number}", thread=f"n{number}", workspace="other")
    await world.settle()
    asked = [turns[-1].text for _, turns in world.chat.asked][4:]
    assert [text.split()[0] for text in asked[:6]] in (["old", "new"] * 3, ["new", "old"] * 3)


async def test_stop_works_also_beyond_an_allowance_and_then_without_a_word() -> None:
    world = World(allowances=Allowances(person=3))
    for number in range(8):
        await world.ask(f"q{number}")
    assert await world.ask("stop") is Outcome.STOPPED
    await world.settle()
    assert world.chat.asked == []
    assert "stopped" not in world.notices


async def test_a_clock_that_was_ahead_locks_nobody_out_once_it_is_set_right() -> None:
    world = World(allowances=Allowances(person=5))
    right = world.clock.now()
    world.clock.set(right + timedelta(days=1))
    for number in range(10):
        await world.ask(f"q{number}", thread=f"t{number}")
        await world.later(3600)
    await world.restart(right + timedelta(hours=10))
    assert await world.ask("again", thread="x") is Outcome.ACCEPTED
    await world.settle()
    assert world.notices == []
