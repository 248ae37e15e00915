"""What every `Transact` promises of installations, departures, and of what counts once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.model import Installation, Platform, WorkspaceId
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import ANA, CHAT, NOW, TEAM, at

OTHER = Platform("other")
ONE = Installation(CHAT, TEAM, "Team", "B1", "U1", ANA, NOW, token="sealed", organisation="E1")
TWO = replace(ONE, workspace=WorkspaceId("a-team"), token="", organisation="")


def _put(one: Installation) -> Callable[[UnitOfWork], None]:
    return lambda uow: uow.installations.put(one)


def _leave(when: datetime) -> Callable[[UnitOfWork], None]:
    return lambda uow: uow.installations.leave(CHAT, TEAM, when)


async def test_an_installation_is_kept_replaced_and_told_apart(begin: Transact) -> None:
    assert await begin(lambda uow: uow.installations.get(CHAT, TEAM)) is None
    for installation in (ONE, TWO, replace(ONE, platform=OTHER), again := replace(ONE, token="new")):
        await begin(_put(installation))
    assert await begin(lambda uow: uow.installations.get(CHAT, TEAM)) == again
    assert await begin(lambda uow: uow.installations.all(CHAT)) == [TWO, again]
    assert [one.platform for one in await begin(lambda uow: uow.installations.all(OTHER))] == [OTHER]


async def test_a_newer_installation_is_not_removed_for_an_older_ones_sake(begin: Transact) -> None:
    await begin(lambda uow: uow.installations.put(replace(ONE, since=at(10))))
    assert not await begin(lambda uow: uow.installations.remove(CHAT, TEAM, at(9)))
    assert not await begin(lambda uow: uow.installations.remove(OTHER, TEAM))
    assert await begin(lambda uow: uow.installations.remove(CHAT, TEAM, at(10)))
    assert not await begin(lambda uow: uow.installations.remove(CHAT, TEAM))
    await begin(lambda uow: uow.installations.put(ONE))
    assert await begin(lambda uow: uow.installations.remove(CHAT, TEAM))
    assert await begin(lambda uow: uow.installations.all(CHAT)) == []


async def test_a_token_is_sealed_otherwise_only_while_it_is_as_it_was(begin: Transact) -> None:
    assert not await begin(lambda uow: uow.installations.reseal(ONE, "anew"))
    for installation in (ONE, TWO):
        await begin(_put(installation))
    assert await begin(lambda uow: uow.installations.reseal(ONE, "anew"))
    assert not await begin(lambda uow: uow.installations.reseal(ONE, "too late"))
    assert await begin(lambda uow: uow.installations.all(CHAT)) == [TWO, replace(ONE, token="anew")]


async def test_the_latest_departure_is_remembered_and_an_old_one_forgotten(begin: Transact) -> None:
    assert await begin(lambda uow: uow.installations.left(CHAT, TEAM)) is None
    for seconds in (5, 20, 10):
        await begin(_leave(at(seconds)))
    assert await begin(lambda uow: uow.installations.left(CHAT, TEAM)) == at(20)
    assert await begin(lambda uow: uow.installations.left(OTHER, TEAM)) is None
    week = 7 * 24 * 3600
    await begin(lambda uow: uow.installations.leave(CHAT, TWO.workspace, at(20 + week)))
    assert await begin(lambda uow: uow.installations.left(CHAT, TEAM)) == at(20)
    await begin(lambda uow: uow.installations.leave(CHAT, TWO.workspace, at(21 + week)))
    assert await begin(lambda uow: uow.installations.left(CHAT, TEAM)) is None
    assert await begin(lambda uow: uow.installations.left(CHAT, TWO.workspace)) == at(21 + week)


async def test_what_counts_once_is_used_once_and_forgotten_when_it_would_not_count_any_more(
    begin: Transact,
) -> None:
    assert await begin(lambda uow: uow.spent.spend("one", at(10), NOW))
    assert await begin(lambda uow: uow.spent.spend("two", at(20), NOW))
    assert not await begin(lambda uow: uow.spent.spend("one", at(10), at(9)))
    assert await begin(lambda uow: uow.spent.spend("one", at(30), at(10)))
    assert not await begin(lambda uow: uow.spent.spend("two", at(20), at(19)))
