"""Which workspaces have an API key of their own. The key is stored sealed; nothing here opens it."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from core.model import Account, AuthorId, LaneId, Platform, ProjectId, SealedKey, WorkspaceId
from core.store.links import lock
from core.store.prepared import Found, Prepared
from core.store.tables import AnyRow, table
from core.store.workspace_tables import AccountRow

_accounts = table(AccountRow)
_here = (_accounts.c.platform == bindparam("at"), _accounts.c.workspace == bindparam("of"))
_get = Prepared(select(_accounts).where(*_here))
_reseal = _accounts.update().where(*_here, _accounts.c.sealed == bindparam("before"))
_remove = _accounts.delete().where(*_here)
_all = select(_accounts).where(_accounts.c.platform == bindparam("at")).order_by(_accounts.c.workspace)


class SqlAccounts:
    """The `Accounts` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, platform: Platform, workspace: WorkspaceId) -> Account | None:
        row = _get.first(self._connection, {"at": platform, "of": workspace})
        return None if row is None else _account(row)

    def put(self, account: Account) -> None:
        lock(self._connection, account.platform, account.workspace)
        self.remove(account.platform, account.workspace)
        self._connection.execute(
            _accounts.insert().values(
                platform=account.platform,
                workspace=account.workspace,
                sealed=account.key,
                lane=account.lane,
                ending=account.ending,
                projects=" ".join(account.projects),
                set_by=account.by,
                set_at=account.since,
                person=account.person,
                channel=account.channel,
                waiting=account.waiting,
            )
        )

    def reseal(self, account: Account, key: SealedKey) -> bool:
        here = {"at": account.platform, "of": account.workspace, "before": account.key}
        return self._connection.execute(_reseal.values(sealed=key), here).rowcount == 1

    def remove(self, platform: Platform, workspace: WorkspaceId) -> bool:
        return self._connection.execute(_remove, {"at": platform, "of": workspace}).rowcount == 1

    def all(self, platform: Platform) -> Sequence[Account]:
        return [_account(row) for row in self._connection.execute(_all, {"at": platform})]


def _account(row: AnyRow | Found) -> Account:
    platform, workspace, sealed, lane, ending, projects, by, since, person, channel, waiting = row
    return Account(
        platform=Platform(platform),
        workspace=WorkspaceId(workspace),
        key=SealedKey(sealed),
        lane=LaneId(lane),
        ending=ending,
        projects=tuple(map(ProjectId, projects.split())),
        by=AuthorId(by),
        since=since,
        person=person,
        channel=channel,
        waiting=waiting,
    )
