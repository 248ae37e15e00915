"""A change of the key that seals: over the twin, SQLite and PostgreSQL."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from core.errors import SealUnbroken, StoreUnavailable
from core.model import Installation, SealedKey, WorkspaceId
from core.ports import Transact, UnitOfWork
from core.services.resealing import AT_ONCE, Resealed, Resealing
from core.store.secrets import Cipher
from tests.fixtures.queued import ANA, CHAT, NOW, account

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
BEFORE, BOTH, AFTER = Cipher([OLD]), Cipher([NEW, OLD]), Cipher([NEW])
MANY = AT_ONCE + 3
APP = Installation(CHAT, WorkspaceId("E1"), "Org", "B1", "U1", ANA, NOW, BEFORE.seal("xoxb-1"), "E1")


def _keep(uow: UnitOfWork) -> None:
    for number in range(MANY):
        key = SealedKey(BEFORE.seal(f"key {number}"))
        uow.accounts.put(replace(account(workspace=f"w{number:03}"), key=key))
    uow.installations.put(APP)
    uow.installations.put(replace(APP, workspace=WorkspaceId("T1"), token=""))


def over(begin: Transact, cipher: Cipher | None) -> Resealing:
    return Resealing(begin, cipher, [CHAT])


async def test_all_is_sealed_anew_in_pieces_and_the_old_key_is_needed_no_more(begin: Transact) -> None:
    await begin(_keep)
    with pytest.raises(SealUnbroken, match=rf"{MANY + 1} of .* the first of {CHAT} w000"):
        await over(begin, AFTER).check(tokens=True)
    assert await over(begin, BOTH).reseal() == Resealed(anew=MANY + 1)
    await over(begin, AFTER).check(tokens=True)
    accounts = await begin(lambda uow: uow.accounts.all(CHAT))
    assert [AFTER.open(one.key) for one in accounts] == [f"key {number}" for number in range(MANY)]
    installed = await begin(lambda uow: uow.installations.all(CHAT))
    assert [AFTER.open(one.token) if one.token else "" for one in installed] == ["xoxb-1", ""]
    assert [replace(one, token="") for one in installed] == [
        replace(APP, token=""),
        replace(APP, workspace=WorkspaceId("T1"), token=""),
    ]


async def test_what_broke_off_goes_on_when_it_is_done_again(begin: Transact) -> None:
    await begin(_keep)
    runs = 0

    class Breaking:
        async def __call__(self, work):  # type: ignore[no-untyped-def]  # passed through
            nonlocal runs
            runs += 1
            if runs > 2:  # after a look at what there is, and one piece
                raise StoreUnavailable
            return await begin(work)

    with pytest.raises(StoreUnavailable):
        await over(Breaking(), BOTH).reseal()
    assert await over(begin, BOTH).reseal() == Resealed(anew=MANY + 1 - AT_ONCE, already=AT_ONCE)


async def test_what_no_key_opens_stays_unless_it_is_to_be_forgotten(begin: Transact) -> None:
    await begin(_keep)
    await begin(lambda uow: uow.accounts.put(replace(account(), key=SealedKey(AFTER.seal("ours")))))
    assert await over(begin, AFTER).reseal() == Resealed(already=1, lost=MANY + 1)
    assert len(await begin(lambda uow: uow.accounts.all(CHAT))) == MANY + 1
    assert await over(begin, AFTER).reseal(forget=True) == Resealed(already=1, lost=MANY + 1)
    assert [one.workspace for one in await begin(lambda uow: uow.accounts.all(CHAT))] == [account().workspace]
    assert [one.workspace for one in await begin(lambda uow: uow.installations.all(CHAT))] == ["T1"]
    await over(begin, AFTER).check(tokens=True)


async def test_without_any_key_nothing_opens_and_tokens_count_only_where_they_are_used(
    begin: Transact,
) -> None:
    await over(begin, None).check(tokens=True)
    await begin(lambda uow: uow.installations.put(APP))
    await over(begin, None).check(tokens=False)
    with pytest.raises(SealUnbroken, match=r"1 of the tokens"):
        await over(begin, None).check(tokens=True)
    assert await over(begin, None).reseal() == Resealed(lost=1)


async def test_what_is_set_or_gone_between_looking_and_writing_is_left_as_it_is(begin: Transact) -> None:
    await begin(_keep)
    newer = replace(APP, token=AFTER.seal("xoxb-2"))
    runs = 0

    class Between:
        async def __call__(self, work):  # type: ignore[no-untyped-def]  # passed through
            nonlocal runs
            found = await begin(work)
            runs += 1
            if runs == 1:
                await begin(lambda uow: uow.accounts.remove(CHAT, WorkspaceId("w000")))
                await begin(lambda uow: uow.installations.put(newer))
            return found

    assert await over(Between(), BOTH).reseal() == Resealed(anew=MANY - 1, already=1)
    assert await begin(lambda uow: uow.installations.get(CHAT, APP.workspace)) == newer
