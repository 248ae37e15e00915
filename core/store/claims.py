"""Who may work on what: leases taken, renewed and expired. Where something is due is in `due`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    text,
)

from core.model import DeliveryId, Lane, LaneId, State
from core.store.due import Due
from core.store.lanes import SqlLanes, lane_of
from core.store.prepared import Prepared
from core.store.tables import (
    IS_ACCEPTED,
    IS_FREE,
    IS_LEASED,
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
_HOLDS = Prepared(
    select(
        exists().where(
            _deliveries.c.id == bindparam("id"), _deliveries.c.fence == bindparam("fence"), _leased
        )
    )
)

_LANE_IDS: "BindParameter[str]" = bindparam("ids", expanding=True)
_OPEN_AMONG = (
    select(_lanes)
    .where(_lanes.c.id.in_(_LANE_IDS))
    .where(or_(_lanes.c.paused_until.is_(None), _lanes.c.paused_until <= bindparam("now")))
    .order_by(_lanes.c.id)
)
_FREE_AMONG = _OPEN_AMONG.with_for_update(skip_locked=True)
_ALL_AMONG = _OPEN_AMONG.with_for_update()
_BUSY = (
    select(_deliveries.c.lane, func.count().label("many"))
    .where(_deliveries.c.lane.in_(_LANE_IDS), _leased)
    .group_by(_deliveries.c.lane)
)
_DUE = (
    select(_deliveries.c.id, _deliveries.c.rank)
    # Said so that no index is used for it: rows are to be read by rank, and nothing to be sorted.
    .where(func.coalesce(_deliveries.c.due_at, _deliveries.c.due_at) <= bindparam("now"))
    .where(_deliveries.c.lane == bindparam("lane"), _free)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)
_BY_RANK = (_deliveries.c.rank, _deliveries.c.due_at, _deliveries.c.id)
_IN_LINE = Prepared(_DUE.order_by(*_BY_RANK))
# A probe is of another project than failed last.
_TO_PROBE = Prepared(
    _DUE.order_by(case((_deliveries.c.project == bindparam("suspect"), 1), else_=0), *_BY_RANK)
)
_CHOSEN: "BindParameter[str]" = bindparam("chosen", expanding=True)
_CLAIM = (
    _deliveries.update()
    .where(_deliveries.c.id.in_(_CHOSEN))
    .values(state=_claimed_state, fence=_deliveries.c.fence + 1)
    .returning(*_deliveries.c)
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
        claimed = self._connection.execute(_CLAIM, {"chosen": chosen, "lease_until": until})
        return sorted(claimed, key=lambda row: (row.rank, row.due_at, row.id))

    def next_rank(self, lane: LaneId, platform: str, workspace: str) -> int:
        """Return the place behind a workspace's last one in the line; where it has none, the very next."""
        of_workspace = {"lane": lane, "platform": platform, "workspace": workspace}
        last: int | None = _LAST_RANK.scalar(self._connection, of_workspace)
        return 1 + max(last or 0, self._lanes.get(lane).served)

    def holds(self, held: DeliveryId, fence: int) -> bool:
        """Tell whether this fence still has the lease."""
        return bool(_HOLDS.scalar(self._connection, {"id": held, "fence": fence}))

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

    def _open_lanes(self, now: datetime) -> Iterator[Sequence[Lane]]:
        """Yield the open lanes with something due, locked: claims in a lane happen one after the other.

        A lane that another process is just claiming from is left to it. Only where that is so of all they
        are waited for: what has come since the others looked would otherwise wait for the next sweep. A lane
        that a purge has removed, while something was accepted into it, is made for the next claim.
        """
        due: list[str] = []
        locked, shared = False, self._connection.dialect.name != "sqlite"
        for ids in self._due_in.lanes(now):
            due += ids
            lanes = self._locked(_FREE_AMONG, ids, now)
            locked = locked or bool(lanes)
            if shared and len(lanes) < len(ids):
                self._lanes.make_missing(ids)
            yield lanes
        if due and not locked and shared:
            yield self._locked(_ALL_AMONG, due, now)

    def _locked(
        self, statement: "Select[*tuple[Any, ...]]", ids: Sequence[str], now: datetime
    ) -> Sequence[Lane]:
        """Return the lanes in the order in which they were asked for, whatever that of the locks is."""
        found = {
            row.id: lane_of(row) for row in self._connection.execute(statement, {"ids": ids, "now": now})
        }
        return [found[id_] for id_ in ids if id_ in found]

    def _busy(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Count the leases of each lane: of what others took before this transaction had the lanes, too."""
        counted = self._connection.execute(_BUSY, {"ids": [lane.id for lane in lanes]})
        return {row.lane: row.many for row in counted}

    def _due(self, lane: Lane, now: datetime, room: int) -> list[str]:
        due = {"lane": lane.id, "now": now, "room": room}
        if lane.away_since is None or lane.suspect is None:
            rows = _IN_LINE.all(self._connection, due)
        else:
            rows = _TO_PROBE.all(self._connection, {**due, "suspect": lane.suspect})
        if rows and rows[-1][1] > lane.served:
            self._lanes.serve(lane.id, rows[-1][1])
        return [id_ for id_, _ in rows]
