"""Follow-ups that came before what makes their thread ours; whoever opens the thread finds them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from core.model import (
    AuthorId,
    ChannelKey,
    EventId,
    MessageId,
    Platform,
    ProjectId,
    Question,
    Reason,
    Receipt,
    ThreadKey,
    WorkspaceId,
)
from core.store.conversations import BEGINNING, SqlConversations, beginning
from core.store.tables import AnyRow, ConversationRow, OvertakingRow, table

_overtaking = table(OvertakingRow)
_o, _c = _overtaking.c, table(ConversationRow).c
_THREAD = ("platform", "workspace", "channel", "thread")
_SAID = ("event", "content", "asked_at", "has_files", "objection", "project", "receipt", "edited_at")

_LOCK = select(BEGINNING)
# Said of the statement's own snapshot, which is taken after the lock is.
_UNKNOWN = select(*[bindparam(f"new_{column.name}", type_=column.type) for column in _o]).where(
    ~exists().where(*[_c[name] == bindparam(f"new_{name}") for name in _THREAD])
)


def _latest(new: "ReadOnlyColumnCollection[str, ColumnElement[Any]]") -> dict[str, ColumnElement[Any]]:
    """Return what is kept of a message that is offered again: the text that was written later."""
    is_later = func.coalesce(new.edited_at, new.asked_at) >= func.coalesce(_o.edited_at, _o.asked_at)
    return {"kept_at": new.kept_at, **{one: case((is_later, new[one]), else_=_o[one]) for one in _SAID}}


_KEEP = {
    name: new.on_conflict_do_update(
        index_elements=list(_overtaking.primary_key), set_=_latest(new.excluded)
    ).returning(_o.message)
    for name, new in (
        ("sqlite", sqlite.insert(_overtaking).from_select(list(_o), _UNKNOWN)),
        ("postgresql", postgresql.insert(_overtaking).from_select(list(_o), _UNKNOWN)),
    )
}
_TAKE = _overtaking.delete().where(*[_o[name] == bindparam(name) for name in _THREAD]).returning(*_o)
_FORGET = _overtaking.delete().where(
    *[_o[name] == bindparam(name) for name in ("platform", "workspace", "channel", "message")]
)
_beyond = select(_o.kept_at).order_by(_o.kept_at.desc()).limit(1).offset(bindparam("most"))
_TRIM = _overtaking.delete().where(
    or_(
        _o.kept_at < bindparam("since"),
        _o.kept_at > bindparam("until"),
        _o.kept_at <= _beyond.scalar_subquery(),
    )
)


class SqlOvertaking:
    """The `Overtaking` port.

    Where there is more than one writer, who keeps something and who opens its thread exclude each other by
    a lock of the thread that is not there yet: whoever is second sees what the first has done.
    """

    def __init__(self, connection: Connection, conversations: SqlConversations) -> None:
        self._connection = connection
        self._conversations = conversations

    def keep(self, question: Question, now: datetime) -> bool:
        thread, dialect = question.thread, self._connection.dialect.name
        if dialect != "sqlite":
            self._connection.execute(_LOCK, {"beginning": beginning(thread)})
        new = {
            "new_platform": thread.platform,
            "new_workspace": thread.workspace,
            "new_channel": thread.channel,
            "new_thread": thread.thread,
            "new_message": question.message,
            "new_event": question.event,
            "new_author": question.author,
            "new_content": question.text,
            "new_asked_at": question.asked_at,
            "new_has_files": question.has_files,
            "new_objection": None if question.objection is None else question.objection.value,
            "new_project": question.project,
            "new_receipt": question.receipt,
            "new_edited_at": question.edited_at,
            "new_kept_at": now,
        }
        return self._connection.execute(_KEEP[dialect], new).first() is not None

    def take(self, thread: ThreadKey, since: datetime) -> Sequence[Question]:
        if not self._conversations.may_be_overtaken(thread):
            return ()
        here = {name: getattr(thread, name) for name in _THREAD}
        rows = self._connection.execute(_TAKE, here).all()
        return [_question(row) for row in rows if row.kept_at >= since]

    def forget(self, at: ChannelKey, message: MessageId) -> None:
        here = {"platform": at.platform, "workspace": at.workspace, "channel": at.channel}
        self._connection.execute(_FORGET, {**here, "message": message})

    def trim(self, since: datetime, until: datetime, most: int) -> None:
        self._connection.execute(_TRIM, {"since": since, "until": until, "most": most})


def _question(row: AnyRow) -> Question:
    return Question(
        event=EventId(row.event),
        message=MessageId(row.message),
        thread=ThreadKey(Platform(row.platform), WorkspaceId(row.workspace), row.channel, row.thread),
        author=AuthorId(row.author),
        text=row.content,
        asked_at=row.asked_at,
        addressed=False,
        has_files=row.has_files,
        objection=None if row.objection is None else Reason(row.objection),
        project=None if row.project is None else ProjectId(row.project),
        receipt=Receipt(row.receipt),
        edited_at=row.edited_at,
    )
