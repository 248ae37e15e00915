"""Conversations that go, with all that belongs to them: a workspace's, or those that nobody goes on with."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, select, text

from core.model import ConversationId, Outlived, Platform, WorkspaceId
from core.store.tables import IS_OPEN, ConversationRow, DeliveryRow, OvertakingRow, PartRow, TurnRow, table

_conversations = table(ConversationRow)
_turns = table(TurnRow)
_deliveries = table(DeliveryRow)
_parts = table(PartRow)
_overtaking = table(OvertakingRow)
_c, _d = _conversations.c, _deliveries.c

_IDS: "BindParameter[int]" = bindparam("ids", expanding=True)
_THEIRS = _d.conversation_id.in_(_IDS)
# Locked before anything else is read of them: who asks in one at this moment is waited for, or passed by.
_OF_WORKSPACE = (
    select(_c.id)
    .where(_c.platform == bindparam("platform"), _c.workspace == bindparam("workspace"))
    .order_by(_c.id)
    .limit(bindparam("limit"))
    .with_for_update()
)
_BEHIND = (
    select(_c.id)
    .where(_c.id > bindparam("after"))
    .order_by(_c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_accepted = select(_d.accepted_at).where(_d.conversation_id == _c.id).correlate(_conversations).limit(1)
_LIVED = (
    select(
        _c.id,
        _accepted.order_by(_d.accepted_at).scalar_subquery(),
        _accepted.order_by(_d.accepted_at.desc()).scalar_subquery(),
    )
    .where(_c.id.in_(_IDS))
    .order_by(_c.id)
)
_UNSETTLED = select(_d.conversation_id).where(_THEIRS, text(IS_OPEN))
_OVERTAKING = _overtaking.delete().where(
    _overtaking.c.platform == bindparam("platform"), _overtaking.c.workspace == bindparam("workspace")
)
_REMOVE = (
    _parts.delete().where(_parts.c.delivery_id.in_(select(_d.id).where(_THEIRS))),
    _turns.delete().where(_turns.c.conversation_id.in_(_IDS)),
    _deliveries.delete().where(_THEIRS),
    _conversations.delete().where(_c.id.in_(_IDS)),
)


def purge(connection: Connection, platform: Platform, workspace: WorkspaceId, limit: int) -> int:
    """Delete up to `limit` conversations of a workspace, the oldest first; return how many.

    What came before any conversation of its goes, too.
    """
    here = {"platform": platform, "workspace": workspace}
    ids = connection.execute(_OF_WORKSPACE, {**here, "limit": limit}).scalars().all()
    _remove(connection, ids)
    connection.execute(_OVERTAKING, here)
    return len(ids)


def outlived(connection: Connection, after: ConversationId, before: datetime, limit: int) -> Outlived:
    """Delete, of up to `limit` conversations behind `after`, those in which all is over since `before`.

    Conversations are numbered as they begin: behind some that all began later, none is to be looked for. A
    single one may seem to have: what is revived counts as accepted then.
    """
    ids = connection.execute(_BEHIND, {"after": after, "limit": limit}).scalars().all()
    lived = connection.execute(_LIVED, {"ids": ids}).all()
    old = [id_ for id_, _, last in lived if last is not None and last < before]
    unsettled = set(connection.execute(_UNSETTLED, {"ids": old}).scalars())
    gone = [id_ for id_ in old if id_ not in unsettled]
    _remove(connection, gone)
    began = [first for _, first, _ in lived if first is not None]
    is_end = len(ids) < limit or (bool(began) and min(began) >= before)
    return Outlived(None if is_end else ConversationId(ids[-1]), len(gone))


def _remove(connection: Connection, ids: Sequence[int]) -> None:
    if ids:
        for removing in _REMOVE:
            connection.execute(removing, {"ids": ids})
