"""Questions that go to another lane, since another key counts for them. Who works on them is in `claims`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, TextClause, case, exists, func, literal, select, text

from core.model import ChannelKey, LaneId, State
from core.store.claims import Claims
from core.store.lanes import SqlLanes
from core.store.tables import IS_ACCEPTED, IS_OPEN, DeliveryRow, table
from core.store.workspace_tables import AccountRow

_deliveries = table(DeliveryRow)
_accounts = table(AccountRow)
_accepted = text(IS_ACCEPTED)


class Moves:
    """The queue's side of a change of keys, over one connection."""

    def __init__(self, connection: Connection, lanes: SqlLanes, claims: Claims) -> None:
        self._connection = connection
        self._lanes = lanes
        self._claims = claims

    def move(self, to: LaneId, now: datetime, of: ChannelKey | None) -> int:
        """Move what is still to be asked to another lane: it goes on from where that one's line is."""
        # What was revived to be posted, and waits for its turn, stays in its workspace's lane.
        posting = literal("post ") + _deliveries.c.platform + " " + _deliveries.c.workspace
        elsewhere = _deliveries.c.lane.not_in([to, posting])
        to_be_asked = (_deliveries.c.notice.is_(None), elsewhere, *_in(of))
        first = select(func.min(_deliveries.c.rank)).where(_accepted, *to_be_asked)
        ahead = self._next(to, of) - (self._connection.execute(first).scalar() or 0)
        is_in_line = _deliveries.c.state == State.ACCEPTED.value
        moved = self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.state.in_([State.ACCEPTED.value, State.WAITING.value]), *to_be_asked)
            .values(
                lane=to,
                paused_before=self._lanes.get(to).paused_total(now),
                due_at=case((_deliveries.c.due_at > now, now), else_=_deliveries.c.due_at),
                rank=case((is_in_line, _deliveries.c.rank + ahead), else_=_deliveries.c.rank),
            )
        )
        return moved.rowcount

    def _next(self, lane: LaneId, of: ChannelKey | None = None) -> int:
        """Return the next place in a lane's line; with `of`, the next one of that workspace."""
        if of is not None:
            return self._claims.next_rank(lane, of.platform, of.workspace)
        return 1 + self._lanes.get(lane).served


def _in(of: ChannelKey | None) -> Sequence[ColumnElement[bool] | TextClause]:
    """Return the condition for what is open in a workspace; or, without one, in those without an account."""
    if of is not None:
        here = (_deliveries.c.platform == of.platform, _deliveries.c.workspace == of.workspace)
        return (text(IS_OPEN), *here)
    theirs = (
        _accounts.c.platform == _deliveries.c.platform,
        _accounts.c.workspace == _deliveries.c.workspace,
    )
    return (text(IS_OPEN), ~exists().where(*theirs))
