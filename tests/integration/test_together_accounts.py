"""Two processes over one PostgreSQL database: a key is set while a question is taken in that lacks one."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from core.model import NO_KEY, ChannelKey, DeliveryId, Outcome, Project, WorkspaceId
from core.ports import Transact
from core.services.accounting import Accounting, Wanted
from core.services.allowances import Allowances
from core.services.asking import Asking, AskingRules
from core.services.rush import Rush
from core.testing import ScriptedKeys
from tests.fixtures.queued import ANA, CHAT, SHOP, place, question, thread
from tests.fixtures.together import Together, together

_ROUNDS = 8
_RULES = AskingRules(NO_KEY, allowances=Allowances(None, None, None, None))


@pytest_asyncio.fixture
async def two(postgres_url: str) -> AsyncIterator[Together]:
    async with together(postgres_url) as both:
        yield both


async def test_a_question_waits_for_no_key_that_is_just_set(two: Together) -> None:
    keys = ScriptedKeys(key=[Project(SHOP, "Shop")])

    async def ask(process: Transact, workspace: str) -> object:
        asking = Asking(
            process,
            two.clock,
            _RULES,
            rush=Rush(two.clock),
            new_id=lambda _: DeliveryId(secrets.token_hex(8)),
            wake=lambda: None,
            cancelled=lambda _: None,
        )
        asked = question(workspace, thread("t", place(workspace=workspace)))
        return await asking.accept(replace(asked, project=SHOP))

    async def set_key(process: Transact, workspace: str) -> object:
        accounting = Accounting(process, two.clock, _RULES.own, keys, wake=lambda: None)
        account = await accounting.set(ChannelKey(CHAT, WorkspaceId(workspace)), Wanted("key"), ANA)
        return account[1]

    for number in range(_ROUNDS):
        workspace = f"w{number}"
        here = ChannelKey(CHAT, WorkspaceId(workspace))
        assert await two[0](lambda uow: uow.accounts.get(CHAT, here.workspace)) is None
        outcome, released = await two.at_once(
            lambda one: ask(one, workspace),
            lambda other: set_key(other, workspace),
        )
        assert (outcome, released) in {(Outcome.ACCEPTED, 0), (Outcome.UNLINKED, 1)}
        assert await two[0](lambda uow: uow.deliveries.unlinked(here)) == []
