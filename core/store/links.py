"""Which channel has which project."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, func, literal, select

from core.model import AuthorId, ChannelKey, Link, Platform, ProjectId, WorkspaceId
from core.store.prepared import Found, Prepared
from core.store.tables import AnyRow, table
from core.store.workspace_tables import LinkRow

_links = table(LinkRow)
_l = _links.c

_HERE = and_(
    _l.platform == bindparam("platform"),
    _l.workspace == bindparam("workspace"),
    _l.channel == bindparam("channel"),
)
_GET = Prepared(select(_links).where(_HERE))
_BOTH = Prepared(
    select(_links).where(
        _l.platform == bindparam("platform"),
        _l.workspace == bindparam("workspace"),
        _l.channel.in_([bindparam("channel"), literal("")]),
    )
)
_REMOVE = _links.delete().where(_HERE)


class SqlLinks:
    """The `Links` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, at: ChannelKey) -> Link | None:
        row = _GET.first(self._connection, _place(at))
        return None if row is None else _link(row)

    def both(self, at: ChannelKey) -> tuple[Link | None, Link | None]:
        links = [_link(row) for row in _BOTH.all(self._connection, _place(at))]
        found = {link.at.channel: link for link in links}
        return found.get(at.channel) if at.channel else None, found.get("")

    def put(self, link: Link) -> None:
        lock(self._connection, link.at.platform, link.at.workspace)
        self.remove(link.at)
        self._connection.execute(
            _links.insert().values(
                platform=link.at.platform,
                workspace=link.at.workspace,
                channel=link.at.channel,
                project=link.project,
                linked_by=link.by,
                linked_at=link.since,
                answers_all=link.answers_all,
            )
        )

    def hold(self, platform: Platform, workspace: WorkspaceId) -> None:
        lock(self._connection, platform, workspace, "pg_advisory_xact_lock_shared")

    def remove(self, at: ChannelKey) -> bool:
        return self._connection.execute(_REMOVE, _place(at)).rowcount == 1

    def purge(self, platform: Platform, workspace: WorkspaceId) -> int:
        here = (_links.c.platform == platform, _links.c.workspace == workspace)
        return self._connection.execute(_links.delete().where(*here)).rowcount

    def all(self, platform: Platform) -> Sequence[Link]:
        rows = self._connection.execute(
            select(_links).where(_links.c.platform == platform).order_by(_links.c.workspace, _links.c.channel)
        )
        return [_link(row) for row in rows]


def lock(
    connection: Connection, platform: Platform, workspace: WorkspaceId, kind: str = "pg_advisory_xact_lock"
) -> None:
    """Take a lock of what is not there yet, a link or an account, where there is more than one writer."""
    if connection.dialect.name != "sqlite":
        named = func.hashtextextended(f"links {platform} {workspace}", 0)
        connection.execute(select(getattr(func, kind)(named)))


def _place(at: ChannelKey) -> dict[str, str]:
    return {"platform": at.platform, "workspace": at.workspace, "channel": at.channel}


def _link(row: AnyRow | Found) -> Link:
    platform, workspace, channel, project, by, since, answers_all = row
    at = ChannelKey(Platform(platform), WorkspaceId(workspace), channel)
    return Link(at, ProjectId(project), AuthorId(by), since, answers_all)
