"""The projects that are offered while somebody types."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.choices import Choices
from bots.discord.keys import DISCORD
from core.errors import KeyRefused, RateLimited, ThreadlineError, Unreachable
from core.model import ChannelKey, Project, ProjectId, WorkspaceId
from core.testing import SettableClock

HERE, THERE = (ChannelKey(DISCORD, WorkspaceId(guild)) for guild in ("1", "2"))
SHOP = Project(ProjectId("shop-demo-7f3k2"), "Shop")


class Shelf:
    """Gives what it was told to, and remembers what it was asked for."""

    def __init__(self, *projects: Project) -> None:
        self.projects_there = projects
        self.error: ThreadlineError | None = None
        self.asked: list[str] = []

    async def projects(self, _: ChannelKey, query: str) -> Sequence[Project]:
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return self.projects_there


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(SHOP)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def choices(shelf: Shelf, clock: SettableClock) -> Choices:
    return Choices(shelf.projects, clock)


async def test_a_project_is_shown_by_its_name_and_id_and_chosen_by_its_id(choices: Choices) -> None:
    (choice,) = await choices.offer(HERE, "sho")
    assert (choice.name, choice.value) == ("Shop (shop-demo-7f3k2)", "shop-demo-7f3k2")


async def test_a_project_named_by_its_id_is_not_told_twice(shelf: Shelf, choices: Choices) -> None:
    shelf.projects_there = (Project(SHOP.id, SHOP.id),)
    (choice,) = await choices.offer(HERE, "sho")
    assert choice.name == SHOP.id


async def test_no_more_are_offered_than_discord_shows_and_the_best_ones(
    shelf: Shelf, choices: Choices
) -> None:
    shelf.projects_there = tuple(Project(ProjectId(f"project-{n:03}"), f"P{n}") for n in range(100))
    assert [choice.name for choice in await choices.offer(HERE, "")] == [
        f"P{n} (project-{n:03})" for n in range(25)
    ]


@given(st.text(max_size=300), st.from_regex(r"[a-z0-9][a-z0-9-]{6,58}[a-z0-9]", fullmatch=True))
async def test_whatever_a_project_is_called_discord_takes_it_and_it_tells_its_id(name: str, id_: str) -> None:
    (choice,) = await Choices(Shelf(Project(ProjectId(id_), name)).projects, SettableClock()).offer(HERE, "")
    assert 1 <= len(choice.name) <= 100
    assert id_ in choice.name
    assert choice.value == id_


@pytest.mark.parametrize("error", [Unreachable, RateLimited, KeyRefused])
async def test_where_the_catalogue_does_not_say_nothing_is_offered_and_nothing_breaks(
    shelf: Shelf, choices: Choices, clock: SettableClock, error: type[ThreadlineError]
) -> None:
    shelf.error = error()
    assert await choices.offer(HERE, "sho") == []
    shelf.error = None
    assert await choices.offer(HERE, "sho") == []  # it is left alone for a while
    clock.advance(31)
    assert [choice.value for choice in await choices.offer(HERE, "sho")] == [SHOP.id]


async def test_of_those_one_may_name_only_these_are_offered_also_without_the_catalogue(
    shelf: Shelf, choices: Choices
) -> None:
    assert [choice.value for choice in await choices.offer(HERE, "", {SHOP.id})] == [SHOP.id]
    shelf.error = Unreachable()
    offered = await choices.offer(HERE, "demo", {SHOP.id})
    assert [(choice.name, choice.value) for choice in offered] == [(SHOP.id, SHOP.id)]
    assert await choices.offer(HERE, "media", {SHOP.id}) == []


async def test_the_same_letters_are_asked_for_once_a_minute(
    shelf: Shelf, choices: Choices, clock: SettableClock
) -> None:
    for typed in ("sho", "shop", "sho", " sho ", "shop"):
        await choices.offer(HERE, typed)
    assert shelf.asked == ["sho", "shop"]
    clock.advance(59)
    shelf.error = Unreachable()
    assert len(await choices.offer(HERE, "sho")) == 1
    clock.advance(1)
    shelf.error = None
    await choices.offer(HERE, "sho")
    assert shelf.asked == ["sho", "shop", "sho"]


async def test_that_nothing_fits_is_remembered_too(shelf: Shelf, choices: Choices) -> None:
    shelf.projects_there = ()
    assert await choices.offer(HERE, "zzz") == []
    assert await choices.offer(HERE, "zzz") == []
    assert shelf.asked == ["zzz"]


async def test_a_long_text_is_asked_for_by_its_beginning(shelf: Shelf, choices: Choices) -> None:
    await choices.offer(HERE, "x" * 6_000)
    assert shelf.asked == ["x" * 100]


async def test_what_is_remembered_is_bounded(shelf: Shelf, choices: Choices) -> None:
    for number in range(1_001):
        await choices.offer(HERE, f"p{number}")
    await choices.offer(HERE, "p1000")
    assert len(shelf.asked) == 1_001
    await choices.offer(HERE, "p0")
    assert len(shelf.asked) == 1_002


async def test_what_one_server_was_offered_and_its_troubles_are_not_another_ones(
    shelf: Shelf, choices: Choices
) -> None:
    assert len(await choices.offer(HERE, "sho")) == 1
    shelf.projects_there = ()
    assert await choices.offer(THERE, "sho") == []
    shelf.error = RateLimited()
    assert await choices.offer(HERE, "shop") == []
    shelf.error, shelf.projects_there = None, (SHOP,)
    assert await choices.offer(HERE, "shop") == []
    assert len(await choices.offer(THERE, "shop")) == 1


async def test_the_troubles_that_are_remembered_are_bounded_too(shelf: Shelf, choices: Choices) -> None:
    shelf.error = Unreachable()
    for number in range(1_001):
        await choices.offer(ChannelKey(DISCORD, WorkspaceId(str(number))), "")
    shelf.error = None
    assert len(await choices.offer(ChannelKey(DISCORD, WorkspaceId("7")), "")) == 1
