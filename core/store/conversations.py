"""Threads and their turns."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import BindParameter, Connection, and_, bindparam, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from core import history
from core.model import (
    AuthorId,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Outlived,
    Platform,
    ProjectId,
    Role,
    ThreadKey,
    Turn,
    WorkspaceId,
)
from core.store import removing
from core.store.prepared import Prepared
from core.store.tables import ConversationRow, DeliveryRow, OvertakingRow, TurnRow, table

_conversations = table(ConversationRow)
_turns = table(TurnRow)
_deliveries = table(DeliveryRow)
_overtaking = table(OvertakingRow)
_c, _t, _d, _o = _conversations.c, _turns.c, _deliveries.c, _overtaking.c

#: Turns that are read at first; four times as many, where that was not enough.
_AT_FIRST = 32

_FIND = select(_c.id, _c.project).where(
    _c.platform == bindparam("platform"),
    _c.workspace == bindparam("workspace"),
    _c.channel == bindparam("channel"),
    _c.thread == bindparam("thread"),
)
_GET = Prepared(_FIND)
_GET_LOCKED = Prepared(_FIND.with_for_update())
_IDS: "BindParameter[int]" = bindparam("ids", expanding=True)
_LOCK = select(_c.id).where(_c.id.in_(_IDS)).order_by(_c.id).with_for_update()
BEGINNING = func.pg_advisory_xact_lock(func.hashtextextended(bindparam("beginning"), 0))
"""A lock of a thread that is not there yet, by its `beginning`: of who opens it, and who finds it missing."""
_is_overtaken = exists().where(
    _o.platform == bindparam("its_platform"),
    _o.workspace == bindparam("its_workspace"),
    _o.channel == bindparam("its_channel"),
    _o.thread == bindparam("its_thread"),
)
# Of two processes that begin one thread at once the later one waits, and then finds it there. Whether
# something came before it can be told at once where there is only one writer, and else not before the lock.
_OPEN = {
    name: Prepared(
        insert(_conversations).values(told_trimmed=False).on_conflict_do_nothing().returning(_c.id, also)
    )
    for name, insert, also in (
        ("sqlite", sqlite.insert, _is_overtaken),
        ("postgresql", postgresql.insert, BEGINNING),
    )
}
_BIND = Prepared(_conversations.update().where(_c.id == bindparam("bound")))
_MOVE = Prepared(_conversations.update().where(_c.id == bindparam("moved")))
_MOVE_DELIVERIES = Prepared(_deliveries.update().where(_d.conversation_id == bindparam("moved")))
_TELL_TRIMMED = Prepared(
    _conversations.update()
    .where(_c.id == bindparam("told"), _c.told_trimmed.is_(False))
    .values(told_trimmed=True)
)

_APPEND = Prepared(
    _turns.insert()
    .inline()
    .values(asked_at=select(_d.asked_at).where(_d.id == bindparam("of")).scalar_subquery())
)
_AS_WRITTEN = (_t.asked_at, _t.delivery_id, _t.id)
_UP_TO = and_(
    _t.conversation_id == bindparam("conversation"),
    _t.asked_at <= bindparam("asked_at"),
    or_(_t.asked_at < bindparam("asked_at"), _t.delivery_id <= bindparam("delivery")),
)
_SAID = select(_t.id, _t.role, _t.author, _t.content).where(_UP_TO)
_FIRST = Prepared(_SAID.order_by(*_AS_WRITTEN).limit(1))
_NEWEST = Prepared(_SAID.order_by(*[column.desc() for column in _AS_WRITTEN]).limit(bindparam("many")))
_SPEAKERS = Prepared(select(_t.author).where(_UP_TO, _t.author.is_not(None)).order_by(*_AS_WRITTEN))
# With its conversation's id, by which they are found.
_TURNS_OF = and_(
    _t.conversation_id == select(_d.conversation_id).where(_d.id == bindparam("delivery")).scalar_subquery(),
    _t.delivery_id == bindparam("delivery"),
)
_QUESTION_OF = and_(_TURNS_OF, _t.role == Role.USER.value)
_ASKED = Prepared(select(_t.content).where(_QUESTION_OF))
_REWRITE = Prepared(_turns.update().where(_QUESTION_OF))
_FORGET = Prepared(_turns.delete().where(_TURNS_OF))


class SqlConversations:
    """The `Conversations` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._locked: set[ConversationId] = set()
        self._overtaken: set[ThreadKey] = set()

    def get(self, thread: ThreadKey) -> Conversation | None:
        return self._found(thread, _GET)

    def locked(self, thread: ThreadKey) -> Conversation | None:
        conversation = self._found(thread, _GET_LOCKED)
        if conversation is not None:
            self._locked.add(conversation.id)
        return conversation

    def lock(self, conversations: Collection[ConversationId]) -> None:
        unlocked = set(conversations) - self._locked
        if not unlocked or self._connection.dialect.name == "sqlite":  # which has one writer at a time
            return
        self._connection.execute(_LOCK, {"ids": sorted(unlocked)})
        self._locked |= unlocked

    def open(self, thread: ThreadKey, project: ProjectId | None) -> Conversation:
        dialect = self._connection.dialect.name
        new, its = {**_columns(thread), "project": project}, _its(thread)
        also = its if dialect == "sqlite" else {"beginning": beginning(thread)}
        row = _OPEN[dialect].first(self._connection, {**new, **also})
        if row is None and (known := self.locked(thread)) is not None:
            return known
        number, is_overtaken = row or (0, False)
        opened = Conversation(ConversationId(number), thread, project)
        self._locked.add(opened.id)
        if dialect != "sqlite" or is_overtaken:
            self._overtaken.add(thread)
        return opened

    def may_be_overtaken(self, thread: ThreadKey) -> bool:
        """Tell, once, whether a thread was opened in this transaction that something may have come before."""
        is_so = thread in self._overtaken
        self._overtaken.discard(thread)
        return is_so

    def bind(self, conversation: ConversationId, project: ProjectId) -> None:
        _BIND.run(self._connection, {"bound": conversation, "project": project})

    def move(self, thread: ThreadKey, to: str) -> bool:
        conversation = self.locked(thread)
        if conversation is None or self.get(replace(thread, thread=to)) is not None:
            return False
        for moving in (_MOVE, _MOVE_DELIVERIES):
            moving.run(self._connection, {"moved": conversation.id, "thread": to})
        return True

    def append(self, conversation: ConversationId, delivery: DeliveryId, turn: Turn) -> None:
        _APPEND.run(
            self._connection,
            {
                "conversation_id": conversation,
                "delivery_id": delivery,
                "of": delivery,
                "role": turn.role.value,
                "author": turn.author,
                "content": turn.text,
            },
        )

    def turns(self, delivery: Delivery, budget: int) -> Sequence[Turn]:
        upto, many = _upto(delivery), _AT_FIRST
        while True:
            rows = _NEWEST.all(self._connection, {**upto, "many": many})
            newest = [_turn(*row) for row in rows]
            needed = history.beyond(newest, budget)
            if needed is not None:
                ((first, *said),) = _FIRST.all(self._connection, upto)
                between = first != rows[needed - 1][0]
                return [*([_turn(first, *said)] if between else []), *reversed(newest[:needed])]
            if len(rows) < many:
                return newest[::-1]
            many *= 4

    def speakers(self, delivery: Delivery) -> Sequence[AuthorId]:
        rows = _SPEAKERS.all(self._connection, _upto(delivery))
        return [AuthorId(author) for (author,) in dict.fromkeys(rows)]

    def asked(self, delivery: DeliveryId) -> str | None:
        asked: str | None = _ASKED.scalar(self._connection, {"delivery": delivery})
        return asked

    def rewrite(self, delivery: DeliveryId, text: str) -> None:
        _REWRITE.run(self._connection, {"delivery": delivery, "content": text})

    def forget(self, delivery: DeliveryId) -> None:
        _FORGET.run(self._connection, {"delivery": delivery})

    def told_trimmed(self, conversation: ConversationId) -> bool:
        return _TELL_TRIMMED.run(self._connection, {"told": conversation}) == 1

    def purge(self, platform: Platform, workspace: WorkspaceId, limit: int) -> int:
        return removing.purge(self._connection, platform, workspace, limit)

    def outlived(self, after: ConversationId, before: datetime, limit: int) -> Outlived:
        return removing.outlived(self._connection, after, before, limit)

    def _found(self, thread: ThreadKey, statement: Prepared) -> Conversation | None:
        found = statement.first(self._connection, _columns(thread))
        if found is None:
            return None
        number, project = found
        return Conversation(ConversationId(number), thread, None if project is None else ProjectId(project))


def beginning(thread: ThreadKey) -> str:
    """Return the name by which a thread is locked that is not there yet."""
    return f"thread {thread.platform} {thread.workspace} {thread.channel} {thread.thread}"


def _columns(thread: ThreadKey) -> dict[str, str]:
    return {
        "platform": thread.platform,
        "workspace": thread.workspace,
        "channel": thread.channel,
        "thread": thread.thread,
    }


def _its(thread: ThreadKey) -> dict[str, str]:
    return {f"its_{name}": value for name, value in _columns(thread).items()}


def _upto(delivery: Delivery) -> dict[str, object]:
    return {
        "conversation": delivery.conversation,
        "asked_at": delivery.asked_at,
        "delivery": delivery.id,
    }


def _turn(_id: int, role: str, author: str | None, content: str) -> Turn:
    return Turn(Role(role), None if author is None else AuthorId(author), content)
