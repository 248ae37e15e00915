"""Puts into a database what people did before a fleet begins: they installed the app, and set their keys."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from bots.slack.inbound import SLACK
from core.clock import SystemClock
from core.model import Account, AuthorId, ChannelKey, Installation, Link, ProjectId, SealedKey, WorkspaceId
from core.ports import UnitOfWork
from core.project_api import lane_of
from core.services.installing import Installing
from core.store import connect, migrate, open_store
from core.store.secrets import Cipher
from tests.faults.fleet.assistant import PROJECT
from tests.faults.fleet.records import Workspace

_ADMIN = AuthorId("UADMIN")


async def move_in(database: str, secret_key: str, workspaces: Sequence[Workspace]) -> None:
    """Make the tables, and keep the workspaces' tokens and API keys, sealed by `secret_key`."""
    engine, clock, cipher = connect(database), SystemClock(), Cipher([secret_key])
    await asyncio.to_thread(migrate, engine)
    store = open_store(engine)
    installing = Installing(store, cipher, clock, SLACK)

    def set_keys(uow: UnitOfWork) -> None:
        for one in workspaces:
            uow.accounts.put(_account(one, SealedKey(cipher.seal(one.key)), clock.now()))
            at = ChannelKey(SLACK, WorkspaceId(one.team), "")
            uow.links.put(Link(at, ProjectId(PROJECT), _ADMIN, clock.now()))

    for one in workspaces:
        here = Installation(
            SLACK, WorkspaceId(one.team), one.team, one.bot_id, one.bot_user, _ADMIN, clock.now()
        )
        await installing.install(here, one.token)
    await store(set_keys)
    await store.aclose()


def _account(one: Workspace, sealed: SealedKey, now: datetime) -> Account:
    return Account(SLACK, WorkspaceId(one.team), sealed, lane_of(one.key), "", (), _ADMIN, now)
