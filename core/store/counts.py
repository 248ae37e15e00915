"""How much was asked lately, and by whom; every count is an index range, `latest` reads what it tells of."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, text

from core.model import AuthorId, ChannelKey, ConversationId, Platform, State, ThreadKey, WorkspaceId
from core.store.tables import IS_OPEN, DeliveryRow, table

_deliveries = table(DeliveryRow)


class SqlCounts:
    """The `Counts` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def in_thread(self, conversation: ConversationId, since: datetime) -> int:
        return self._since(since, _deliveries.c.conversation_id == conversation)

    def by_author(self, platform: Platform, workspace: WorkspaceId, author: AuthorId, since: datetime) -> int:
        here = (_deliveries.c.platform == platform, _deliveries.c.workspace == workspace)
        return self._since(since, *here, _deliveries.c.author == author)

    def in_channel(self, at: ChannelKey, since: datetime) -> int:
        here = (_deliveries.c.platform == at.platform, _deliveries.c.workspace == at.workspace)
        return self._since(since, *here, _deliveries.c.channel == at.channel)

    def waiting(self, platform: Platform, workspace: WorkspaceId, enough: int) -> int:
        here = (_deliveries.c.platform == platform, _deliveries.c.workspace == workspace, text(IS_OPEN))
        some = select(_deliveries.c.platform).where(*here).limit(enough).subquery()
        return int(self._connection.execute(select(func.count()).select_from(some)).scalar_one())

    def latest(self, platform: Platform, since: datetime) -> Mapping[ThreadKey, datetime]:
        place = (_deliveries.c.workspace, _deliveries.c.channel, _deliveries.c.thread)
        rows = self._connection.execute(
            select(*place, func.max(_deliveries.c.asked_at).label("newest"))
            .where(_deliveries.c.platform == platform, _deliveries.c.asked_at >= since)
            .group_by(*place)
        )
        return {
            ThreadKey(platform, WorkspaceId(row.workspace), row.channel, row.thread): row.newest
            for row in rows
        }

    def _since(self, since: datetime, *conditions: ColumnElement[bool]) -> int:
        counted = (_deliveries.c.accepted_at >= since, _deliveries.c.state != State.REFUSED.value)
        return int(self._connection.execute(select(func.count()).where(*conditions, *counted)).scalar_one())
