"""Who may work on what: leases taken, renewed and expired. Where something is due is in `due`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    TextClause,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)

from core.model import ChannelKey, DeliveryId, Lane, LaneId, State
from core.store.due import Due
from core.store.lanes import SqlLanes, lane_of
from core.store.prepared import Prepared
from core.store.tables import (
    IS_ACCEPTED,
    IS_FREE,
    IS_LEASED,
    IS_OPEN,
    AnyRow,
    DeliveryRow,
    LaneRow,
    table,
)
from core.store.workspace_tables import AccountRow

_deliveries = table(DeliveryRow)
_lanes = table(LaneRow)
_accounts = table(AccountRow)

_free = text(IS_FREE)
_leased = text(IS_LEASED)
_accepted = text(IS_ACCEPTED)
_in_lane = _deliveries.c.lane == _lanes.c.id
_claimed_state = case(
    (_deliveries.c.state == State.ACCEPTED.value, State.ASKING.value),
    (_deliveries.c.state == State.ANSWERED.value, State.POSTING.value),
    else_=_deliveries.c.state,
)
_released_state = case(
    (_deliveries.c.state == State.ASKING.value, State.ACCEPTED.value),
    (_deliveries.c.state == State.POSTING.value, State.ANSWERED.value),
    else_=_deliveries.c.state,
)

_LAST_RANK = Prepared(
    select(func.max(_deliveries.c.rank)).where(
        _deliveries.c.lane == bindparam("lane"),
        _deliveries.c.platform == bindparam("platform"),
        _deliveries.c.workspace == bindparam("workspace"),
        _accepted,
    )
)


_LANE_IDS: "BindParameter[str]" = bindparam("ids", expanding=True)
_OPEN_AMONG = (
    select(_lanes)
    .where(_lanes.c.id.in_(_LANE_IDS))
    .where(or_(_lanes.c.paused_until.is_(None), _lanes.c.paused_until <= bindparam("now")))
    .order_by(_lanes.c.id)
)


class Claims:
    """The queue's side of leases, over one connection."""

    def __init__(self, connection: Connection, lanes: SqlLanes) -> None:
        self._connection = connection
        self._lanes = lanes
        self._due_in = Due(connection)

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[AnyRow]:
        """Lease what is due, lane by lane: an index range each, whatever else lies in the table."""
        chosen: list[str] = []
        for lanes in self._open_lanes(now):
            busy = self._busy(lanes) if lanes else {}
            for lane in lanes:
                room = min(lane.room(concurrency) - busy.get(lane.id, 0), limit - len(chosen))
                if room > 0:
                    chosen += self._due(lane, now, room)
            if len(chosen) == limit:
                break
        if not chosen:
            return []
        claimed = self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.id.in_(chosen))
            .values(state=_claimed_state, fence=_deliveries.c.fence + 1, lease_until=until)
            .returning(*_deliveries.c)
        )
        return sorted(claimed, key=lambda row: (row.rank, row.due_at, row.id))

    def next_rank(self, lane: LaneId, platform: str, workspace: str) -> int:
        """Return the place behind a workspace's last one in the line; where it has none, the very next."""
        of_workspace = {"lane": lane, "platform": platform, "workspace": workspace}
        last: int | None = _LAST_RANK.scalar(self._connection, of_workspace)
        return 1 + max(last or 0, self._lanes.get(lane).served)

    def holds(self, held: DeliveryId, fence: int) -> bool:
        """Tell whether this fence still has the lease."""
        mine = (_deliveries.c.id == held, _deliveries.c.fence == fence, _leased)
        return bool(self._connection.execute(select(exists().where(*mine))).scalar())

    def renew(self, fences: Mapping[DeliveryId, int], until: datetime) -> Collection[DeliveryId]:
        """Prolong the leases whose fence is still the holder's; return their ids."""
        leased = self._connection.execute(
            select(_deliveries.c.id, _deliveries.c.fence)
            .where(_deliveries.c.id.in_(list(fences)), _leased)
            .order_by(_deliveries.c.id)
            .with_for_update()
        )
        kept = [DeliveryId(row.id) for row in leased if fences[DeliveryId(row.id)] == row.fence]
        self._connection.execute(
            _deliveries.update().where(_deliveries.c.id.in_(kept)).values(lease_until=until)
        )
        return kept

    def release_expired(self, now: datetime, held: Collection[DeliveryId]) -> int:
        """Free what expired leases hold; what was being posted, or told, may have been."""
        was_asking = _deliveries.c.state == State.ASKING.value
        expired = self._connection.execute(
            select(_deliveries.c.id)
            .where(_leased, _deliveries.c.lease_until <= now, _deliveries.c.id.not_in(list(held)))
            .with_for_update(skip_locked=True)
        )
        ids = list(expired.scalars())
        if not ids:
            return 0
        freed = self._connection.execute(
            _deliveries.update()
            .where(_deliveries.c.id.in_(ids))
            .values(
                state=_released_state,
                doubtful=or_(_deliveries.c.doubtful, ~was_asking),
                attempt=_deliveries.c.attempt + case((was_asking, 1), else_=0),
                fence=_deliveries.c.fence + 1,
                lease_until=None,
            )
        )
        return freed.rowcount

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
            return self.next_rank(lane, of.platform, of.workspace)
        return 1 + self._lanes.get(lane).served

    def _open_lanes(self, now: datetime) -> Iterator[Sequence[Lane]]:
        """Yield the open lanes with something due, locked: claims in a lane happen one after the other.

        A lane that another process is just claiming from is left to it. Only where that is so of all they
        are waited for: what has come since the others looked would otherwise wait for the next sweep.
        """
        due: list[str] = []
        locked = False
        for ids in self._due_in.lanes(now):
            due += ids
            lanes = self._locked(_OPEN_AMONG.with_for_update(skip_locked=True), ids, now)
            locked = locked or bool(lanes)
            yield lanes
        if due and not locked and self._connection.dialect.name != "sqlite":
            yield self._locked(_OPEN_AMONG.with_for_update(), due, now)

    def _locked(
        self, statement: "Select[*tuple[Any, ...]]", ids: Sequence[str], now: datetime
    ) -> Sequence[Lane]:
        return [lane_of(row) for row in self._connection.execute(statement, {"ids": ids, "now": now})]

    def _busy(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Count the leases of each lane: of what others took before this transaction had the lanes, too."""
        counted = (
            select(_deliveries.c.lane, func.count().label("many"))
            .where(_deliveries.c.lane.in_([lane.id for lane in lanes]), _leased)
            .group_by(_deliveries.c.lane)
        )
        return {row.lane: row.many for row in self._connection.execute(counted)}

    def _due(self, lane: Lane, now: datetime, room: int) -> list[str]:
        # Said so that no index is used for it: rows are to be read by rank, and nothing to be sorted.
        is_due = func.coalesce(_deliveries.c.due_at, _deliveries.c.due_at) <= now
        due = (
            select(_deliveries.c.id, _deliveries.c.rank)
            .where(_deliveries.c.lane == lane.id, _free, is_due)
            .order_by(*_line(lane))
            .limit(room)
            .with_for_update(skip_locked=True)
        )
        rows = self._connection.execute(due).all()
        if rows and rows[-1].rank > lane.served:
            self._lanes.serve(lane.id, rows[-1].rank)
        return [row.id for row in rows]


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


def _line(lane: Lane) -> Sequence[ColumnElement[Any]]:
    """Return the order in which a lane's line is served; a probe is of another project than failed last."""
    by_rank = [_deliveries.c.rank, _deliveries.c.due_at, _deliveries.c.id]
    if lane.away_since is None or lane.suspect is None:
        return by_rank
    return [case((_deliveries.c.project == lane.suspect, 1), else_=0), *by_rank]
