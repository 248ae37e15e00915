"""The statements on deliveries."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    and_,
    bindparam,
    exists,
    or_,
    select,
    text,
)

from core.store.prepared import Prepared
from core.store.tables import (
    IS_ASIDE,
    IS_HEAD,
    IS_KEPT,
    IS_OPEN,
    IS_UNLINKED,
    IS_WAITING,
    ConversationRow,
    DeliveryRow,
    PartRow,
    table,
)

_deliveries = table(DeliveryRow)
_parts = table(PartRow)
_conversations = table(ConversationRow)
_d = _deliveries.c


def _select(*conditions: ColumnElement[bool] | TextClause) -> "Select[*tuple[Any, ...]]":
    return select(_deliveries).where(*conditions)


def _oldest(*conditions: ColumnElement[bool] | TextClause) -> "Select[*tuple[Any, ...]]":
    return _select(*conditions).order_by(_d.asked_at, _d.id)


_IN_WORKSPACE = and_(_d.platform == bindparam("platform"), _d.workspace == bindparam("workspace"))
_AS_MESSAGE = and_(_d.channel == bindparam("channel"), _d.message == bindparam("message"))
_IN_CONVERSATION = _d.conversation_id == bindparam("conversation")
_UNLINKED = _oldest(text(IS_UNLINKED), _d.platform == bindparam("platform"))
_UNLINKED_THERE = _UNLINKED.where(_d.workspace == bindparam("workspace"))
# A holder's, by its fence, of which nothing is settled yet.
_HELD = and_(_d.id == bindparam("held"), _d.fence == bindparam("held_fence"), text(IS_OPEN))

UNLINKED_ANYWHERE = Prepared(_UNLINKED)
UNLINKED_IN_WORKSPACE = Prepared(_UNLINKED_THERE)
UNLINKED_IN_CHANNEL = Prepared(_UNLINKED_THERE.where(_d.channel == bindparam("channel")))
ENQUEUE = Prepared(_deliveries.insert())
KNOWN = Prepared(
    select(
        or_(
            exists().where(_IN_WORKSPACE, _d.event == bindparam("event")),
            exists().where(_IN_WORKSPACE, _AS_MESSAGE),
        )
    )
)
_GET = _select(_d.id == bindparam("id"))
GET = Prepared(_GET)
GET_LOCKED = Prepared(_GET.with_for_update())
LOCK_CONVERSATION_OF = Prepared(
    select(_conversations.c.id)
    .where(
        _conversations.c.id == select(_d.conversation_id).where(_d.id == bindparam("id")).scalar_subquery()
    )
    .with_for_update()
)
OF_MESSAGE = Prepared(_select(_IN_WORKSPACE, _AS_MESSAGE))
HEAD = Prepared(_select(_IN_CONVERSATION, text(IS_HEAD)).with_for_update())
NEXT_WAITING = Prepared(_oldest(_IN_CONVERSATION, text(IS_WAITING)).limit(1).with_for_update())
UNSETTLED = Prepared(_oldest(_IN_CONVERSATION, text(IS_OPEN)).with_for_update())
LISTED = Prepared(
    _select(_d.state == bindparam("state"), text(IS_ASIDE))
    .order_by(_d.accepted_at.desc(), _d.id.desc())
    .limit(bindparam("limit"))
)
KEPT = Prepared(
    _oldest(text(IS_KEPT), _d.platform == bindparam("platform"), _d.author == bindparam("author"))
)
FETCHED = Prepared(_deliveries.update().where(_d.id == bindparam("fetched"), text(IS_KEPT)))
WRITE = Prepared(_deliveries.update().where(_HELD))
BIND_CONVERSATION = Prepared(_conversations.update().where(_conversations.c.id == bindparam("conversation")))
BIND = Prepared(
    _deliveries.update()
    .where(_d.id == bindparam("bound"))
    .values(fence=_d.fence + 1, lease_until=None)
    .returning(*_d)
)
REVIVE = Prepared(
    _deliveries.update().where(
        _d.id == bindparam("revived"), _d.fence == bindparam("revived_fence"), text(IS_ASIDE)
    )
)
STORE_PART = Prepared(_parts.insert())
PARTS = Prepared(
    select(_parts).where(_parts.c.delivery_id == bindparam("delivery")).order_by(_parts.c.number)
)
RECORD = Prepared(
    _parts.update().where(_parts.c.delivery_id == bindparam("delivery"), _parts.c.number == bindparam("part"))
)
