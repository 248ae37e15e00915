"""Who has installed the app, when some removed it, and what was used up that counts once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, select

from core.model import AuthorId, Installation, Platform, WorkspaceId
from core.store.tables import AnyRow, table
from core.store.workspace_tables import DepartureRow, InstallationRow, SpentRow

_installations = table(InstallationRow)
_departures = table(DepartureRow)
_spent = table(SpentRow)
# Slack sends an event again for some minutes, and we look back for hours: a week is plenty.
_REMEMBERED = timedelta(days=7)


class SqlInstallations:
    """The `Installations` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, platform: Platform, workspace: WorkspaceId) -> Installation | None:
        row = self._connection.execute(select(_installations).where(_at(platform, workspace))).first()
        return None if row is None else _installation(row)

    def put(self, installation: Installation) -> None:
        self.remove(installation.platform, installation.workspace)
        self._connection.execute(
            _installations.insert().values(
                platform=installation.platform,
                workspace=installation.workspace,
                organisation=installation.organisation,
                name=installation.name,
                bot_id=installation.bot_id,
                bot_user=installation.bot_user,
                token=installation.token,
                installed_by=installation.by,
                since=installation.since,
            )
        )

    def reseal(self, installation: Installation, token: str) -> bool:
        sealed = and_(
            _at(installation.platform, installation.workspace), _installations.c.token == installation.token
        )
        changed = _installations.update().where(sealed).values(token=token)
        return self._connection.execute(changed).rowcount == 1

    def remove(self, platform: Platform, workspace: WorkspaceId, upto: datetime | None = None) -> bool:
        here = _installations.delete().where(_at(platform, workspace))
        if upto is not None:
            here = here.where(_installations.c.since <= upto)
        return self._connection.execute(here).rowcount == 1

    def all(self, platform: Platform) -> Sequence[Installation]:
        rows = self._connection.execute(
            select(_installations)
            .where(_installations.c.platform == platform)
            .order_by(_installations.c.workspace)
        )
        return [_installation(row) for row in rows]

    def leave(self, platform: Platform, workspace: WorkspaceId, at: datetime) -> None:
        before = self.left(platform, workspace)
        here = and_(_departures.c.platform == platform, _departures.c.workspace == workspace)
        self._connection.execute(
            _departures.delete().where(here | (_departures.c.left_at < at - _REMEMBERED))
        )
        self._connection.execute(
            _departures.insert().values(
                platform=platform, workspace=workspace, left_at=at if before is None else max(at, before)
            )
        )

    def left(self, platform: Platform, workspace: WorkspaceId) -> datetime | None:
        here = (_departures.c.platform == platform, _departures.c.workspace == workspace)
        left: datetime | None = self._connection.execute(
            select(_departures.c.left_at).where(*here)
        ).scalar_one_or_none()
        return left


class SqlSpent:
    """The `Spent` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def spend(self, once: str, until: datetime, now: datetime) -> bool:
        self._connection.execute(_spent.delete().where(_spent.c.until <= now))
        if self._connection.execute(select(_spent).where(_spent.c.once == once)).first() is not None:
            return False
        self._connection.execute(_spent.insert().values(once=once, until=until))
        return True


def _at(platform: Platform, workspace: WorkspaceId) -> ColumnElement[bool]:
    return and_(_installations.c.platform == platform, _installations.c.workspace == workspace)


def _installation(row: AnyRow) -> Installation:
    return Installation(
        platform=Platform(row.platform),
        workspace=WorkspaceId(row.workspace),
        name=row.name,
        bot_id=row.bot_id,
        bot_user=row.bot_user,
        by=AuthorId(row.installed_by),
        since=row.since,
        token=row.token,
        organisation=row.organisation,
    )
