"""Stories of which project a question is asked of, and of channels where every new thread is one."""

from dataclasses import replace
from datetime import timedelta

from core.errors import RateLimited
from core.model import Amendment, ChannelKey, Notice, Outcome, ProjectId, Reason, State
from tests.fixtures.world import ANA, BEN, CHAT, SHOP, TEAM, World, channel

MEDIA = ProjectId("media-demo-4p9x1")


async def test_an_unlinked_channel_is_told_how_to_link_and_answered_once_it_is() -> None:
    world = World(default=None)
    assert await world.ask("Who calls billing?") is Outcome.UNLINKED
    assert await world.ask("And who calls web?", author=BEN) is Outcome.UNLINKED
    await world.settle()
    assert world.notices == ["not_linked"]
    assert await world.linking.link(channel(), SHOP, BEN) == 2
    await world.settle()
    assert [turns[-1].text for _, turns in world.chat.asked] == [
        "Who calls billing?",
        "Speaker 2: And who calls web?",
    ]
    assert await world.states() == [State.DONE, State.DONE]


async def test_a_question_that_nobody_links_for_is_told_after_a_day() -> None:
    world = World(default=None)
    await world.ask("Who?")
    await world.settle()
    await world.later(24 * 3600 - 60)
    assert world.notices == ["not_linked"]
    await world.later(61)
    assert world.notices == ["not_linked", "link_expired"]
    assert await world.states() == [State.BURIED]


async def test_of_two_that_nobody_links_for_the_second_waits_until_the_first_is_told() -> None:
    world = World(default=None)
    await world.ask("Who?")
    await world.ask("And why?", author=BEN)
    await world.settle()
    world.poster.script = [RateLimited(timedelta(minutes=3))]
    await world.later(24 * 3600 + 1)
    assert world.notices == ["not_linked"]
    edited = replace(world.last_question, text="x" * 100_000)  # it is not asked any more, however it reads
    assert await world.amending.edited(edited) is Amendment.UNCHANGED
    await world.later(4 * 60)
    assert world.notices == ["not_linked", "link_expired", "link_expired"]
    assert await world.states() == [State.BURIED, State.BURIED]


async def test_a_thread_that_began_unlinked_is_bound_by_the_next_question_that_finds_a_project() -> None:
    world = World(default=None)
    await world.ask("first")
    await world.ask("elsewhere", thread="t9")
    await world.settle()
    world.set_default(SHOP)
    assert await world.ask("second", addressed=False) is Outcome.ACCEPTED
    await world.settle()
    assert [turns[-1].text for _, turns in world.chat.asked] == ["first", "second"]
    assert (await world.states()).count(State.UNLINKED) == 1


async def test_a_thread_that_began_with_a_hint_keeps_the_project_of_its_first_question() -> None:
    world = World(default=None)
    await world.ask("")
    await world.settle()
    await world.linking.link(channel(), SHOP, BEN)
    await world.ask("first", addressed=False)
    await world.linking.link(channel(), MEDIA, BEN)
    await world.ask("second", addressed=False)
    await world.settle()
    assert [project for project, _ in world.chat.asked] == [SHOP, SHOP]


async def test_a_named_project_binds_a_new_thread_whatever_its_channel_is_linked_to(world: World) -> None:
    await world.linking.link(channel(), SHOP, BEN)
    assert await world.ask("first", project=MEDIA) is Outcome.ACCEPTED
    assert await world.ask("second", addressed=False) is Outcome.ACCEPTED
    assert await world.ask("third", project=MEDIA) is Outcome.ACCEPTED
    await world.settle()
    assert [project for project, _ in world.chat.asked] == [MEDIA] * 3


async def test_a_named_project_needs_no_link_at_all() -> None:
    world = World(default=None)
    assert await world.ask("Who?", project=MEDIA) is Outcome.ACCEPTED
    await world.settle()
    assert [project for project, _ in world.chat.asked] == [MEDIA]


async def test_another_project_in_a_bound_thread_is_told_of_the_threads_own(world: World) -> None:
    await world.ask("first")
    assert await world.ask("second", project=MEDIA) is Outcome.ACCEPTED
    assert await world.ask("", project=MEDIA) is Outcome.ACCEPTED
    await world.ask("third", addressed=False)
    await world.settle()
    assert [notice for _, notice in world.poster.notices] == [Notice(Reason.OTHER_PROJECT, SHOP)] * 2
    assert [project for project, _ in world.chat.asked] == [SHOP, SHOP]
    assert "second" not in [turn.text for _, turns in world.chat.asked for turn in turns]
    assert await world.states() == [State.DONE] * 4


async def test_what_the_adapter_objects_to_goes_before_another_project(world: World) -> None:
    await world.ask("first")
    await world.ask("", project=MEDIA, objection=Reason.UNREADABLE)
    await world.settle()
    assert world.notices == ["unreadable"]
    assert await world.states() == [State.DONE, State.DONE]


async def test_a_thread_that_waits_for_a_link_is_bound_by_a_named_project_and_keeps_it() -> None:
    world = World(default=None)
    await world.ask("first")
    await world.settle()
    assert await world.ask("second", project=MEDIA) is Outcome.ACCEPTED
    assert await world.linking.link(channel(), SHOP, BEN) == 0
    await world.ask("third", addressed=False)
    await world.settle()
    assert [(project, turns[-1].text) for project, turns in world.chat.asked] == [
        (MEDIA, "first"),
        (MEDIA, "second"),
        (MEDIA, "third"),
    ]


async def test_in_a_channel_that_answers_all_whatever_begins_a_thread_is_a_question(world: World) -> None:
    await world.linking.link(channel(), MEDIA, ANA, answers_all=True)
    assert await world.ask("Who?", addressed=False, begins=True) is Outcome.ACCEPTED
    assert await world.ask("And who else?", addressed=False) is Outcome.ACCEPTED
    assert await world.ask("deep in a strangers' thread", thread="t2", addressed=False) is Outcome.IGNORED
    await world.settle()
    assert [project for project, _ in world.chat.asked] == [MEDIA, MEDIA]


async def test_only_a_channels_own_link_makes_it_answer_all(world: World) -> None:
    assert await _begin(world, "no link") is Outcome.IGNORED
    await world.linking.link(ChannelKey(CHAT, TEAM), SHOP, ANA, answers_all=True)
    await world.linking.link(channel("other"), SHOP, ANA, answers_all=True)
    assert await _begin(world, "under the workspace's") is Outcome.IGNORED
    await world.linking.link(channel(), SHOP, ANA)
    assert await _begin(world, "a link that does not") is Outcome.IGNORED
    await world.linking.link(channel(), SHOP, ANA, answers_all=True)
    assert await _begin(world, "one that does") is Outcome.ACCEPTED
    await world.linking.link(channel(), SHOP, ANA)
    assert await _begin(world, "no longer", thread="t2") is Outcome.IGNORED


async def _begin(world: World, text: str, thread: str = "t1") -> Outcome:
    return await world.ask(text, thread=thread, addressed=False, begins=True)


async def test_one_can_ask_which_project_a_thread_is_about_or_would_be() -> None:
    world = World(default=None)
    thread = world.question("first").thread
    assert await world.asking.project_of(thread) is None
    await world.linking.link(channel(), SHOP, ANA)
    assert await world.asking.project_of(thread) == SHOP
    await world.ask("first")
    await world.linking.unlink(channel())
    assert await world.asking.project_of(thread) == SHOP
