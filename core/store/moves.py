"""Questions that go to another lane, since another key counts for them. Who works on them is in `claims`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, exists, func, literal, select, text

from core.model import ChannelKey, LaneId, Platform, State, WorkspaceId
from core.store.claims import Claims
from core.store.lanes import SqlLanes
from core.store.tables import IS_ACCEPTED, IS_OPEN, DeliveryRow, LaneRow, table
from core.store.workspace_tables import AccountRow

_deliveries = table(DeliveryRow)
_accounts = table(AccountRow)
_lanes = table(LaneRow)
_accepted = text(IS_ACCEPTED)
_d = _deliveries.c
_to_be_asked = (
    text(IS_OPEN),
    _d.state.in_([State.ACCEPTED.value, State.WAITING.value]),
    _d.notice.is_(None),
    # What was revived to be posted, and waits for its turn, stays in its workspace's lane.
    _d.lane != literal("post ") + _d.platform + " " + _d.workspace,
)
_theirs = (_accounts.c.platform == _d.platform, _accounts.c.workspace == _d.workspace)
_WITHOUT_ACCOUNT = (
    select(_d.workspace, _d.lane)
    .distinct()
    .where(*_to_be_asked, _d.platform == bindparam("at"), ~exists().where(*_theirs))
    .order_by(_d.workspace, _d.lane)
)
_served = select(_lanes.c.served).where(_lanes.c.id == _d.lane).scalar_subquery()
_beyond = _d.rank - func.coalesce(_served, 0)
#: The place in what is left of a line: what was tried and waits on stands at the head, with no gap behind it.
_STANDS = case((_beyond > 0, _beyond), else_=0)


class Moves:
    """The queue's side of a change of keys, over one connection."""

    def __init__(self, connection: Connection, lanes: SqlLanes, claims: Claims) -> None:
        self._connection = connection
        self._lanes = lanes
        self._claims = claims

    def without_account(self, platform: Platform) -> Sequence[tuple[ChannelKey, LaneId]]:
        """Return which workspaces without an account have something to be asked, and in which lanes."""
        found = self._connection.execute(_WITHOUT_ACCOUNT, {"at": platform})
        return [(ChannelKey(platform, WorkspaceId(of)), LaneId(lane)) for of, lane in found]

    def move(self, to: LaneId, now: datetime, of: ChannelKey) -> int:
        """Move what is still to be asked of a workspace to another lane: from where its line there is."""
        elsewhere = (*_to_be_asked, _d.lane != to, _d.platform == of.platform, _d.workspace == of.workspace)
        first = self._connection.execute(select(func.min(_STANDS)).where(_accepted, *elsewhere)).scalar()
        ahead = self._claims.next_rank(to, of.platform, of.workspace) - (first or 0)
        moved = self._connection.execute(
            _deliveries.update()
            .where(*elsewhere)
            .values(
                lane=to,
                paused_before=self._lanes.get(to).paused_total(now),
                due_at=case((_d.due_at > now, now), else_=_d.due_at),
                rank=case((_d.state == State.ACCEPTED.value, _STANDS + ahead), else_=_d.rank),
            )
        )
        return moved.rowcount
