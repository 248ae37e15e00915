"""How much was asked lately, and by whom: every count is an index range, and none goes further than asked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    TextClause,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from core.model import Amounts, ConversationId, Platform, Question, ThreadKey, WorkspaceId
from core.store.prepared import Prepared
from core.store.tables import IS_COUNTED, IS_OPEN, DeliveryRow, table

_deliveries = table(DeliveryRow)
_d = _deliveries.c
#: So far the platform's clock may be ahead of ours: a question is accepted after it was written.
_APART = timedelta(hours=1)

_HERE = (_d.platform == bindparam("platform"), _d.workspace == bindparam("workspace"))
_LATELY = (_d.accepted_at >= bindparam("since"), text(IS_COUNTED))
_TO_BE_ANSWERED = text("state IN ('unlinked', 'waiting', 'accepted', 'asking')")
_COUNTED: Mapping[str, Sequence[ColumnElement[bool] | TextClause]] = {
    "thread": (_d.conversation_id == bindparam("conversation"), *_LATELY),
    "person": (*_HERE, _d.author == bindparam("author"), *_LATELY),
    "channel": (*_HERE, _d.channel == bindparam("channel"), *_LATELY),
    "waiting": (*_HERE, text(IS_OPEN), _TO_BE_ANSWERED),
}
# Said so that no index is used for the platform: all rows may have the same.
_ON_PLATFORM = func.coalesce(_d.platform, _d.platform) == bindparam("platform")
_THREAD = (_d.workspace, _d.channel, _d.thread)
_newest = func.max(_d.asked_at)
_LATEST = (
    select(*_THREAD, _newest)
    .where(_d.accepted_at >= bindparam("accepted"), _d.asked_at >= bindparam("since"), _ON_PLATFORM)
    .group_by(*_THREAD)
    .order_by(_newest.desc())
    .limit(bindparam("limit"))
)


class SqlCounts:
    """The `Counts` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lately(
        self, question: Question, conversation: ConversationId, since: datetime, upto: Amounts
    ) -> Amounts:
        bounds = {name: bound for name, bound in asdict(upto).items() if bound is not None}
        if not bounds:
            return Amounts()
        asked = {
            "platform": question.thread.platform,
            "workspace": question.thread.workspace,
            "channel": question.thread.channel,
            "author": question.author,
            "conversation": conversation,
            "since": since,
            **{f"upto_{name}": bound for name, bound in bounds.items()},
        }
        (counted,) = _counting(tuple(bounds)).all(self._connection, asked)
        return Amounts(**dict(zip(bounds, counted, strict=True)))

    def latest(self, platform: Platform, since: datetime, limit: int) -> Mapping[ThreadKey, datetime]:
        asked = {"platform": platform, "since": since, "accepted": since - _APART, "limit": limit}
        return {
            ThreadKey(platform, WorkspaceId(workspace), channel, thread): newest
            for workspace, channel, thread, newest in self._connection.execute(_LATEST, asked)
        }


@cache
def _counting(what: tuple[str, ...]) -> Prepared:
    """Return the statement that counts all of that at once."""
    return Prepared(select(*[_count(name) for name in what]))


def _count(name: str) -> "ScalarSelect[int]":
    one: ColumnElement[int] = literal_column("1").label("one")
    some = select(one).select_from(_deliveries).where(*_COUNTED[name]).limit(bindparam(f"upto_{name}"))
    return select(func.count()).select_from(some.subquery()).scalar_subquery()
