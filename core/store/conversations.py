"""Threads and their turns."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from core.model import (
    AuthorId,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Platform,
    ProjectId,
    Role,
    ThreadKey,
    Turn,
    WorkspaceId,
)
from core.store.tables import ConversationRow, DeliveryRow, PartRow, TurnRow, table

_conversations = table(ConversationRow)
_turns = table(TurnRow)
_deliveries = table(DeliveryRow)
_parts = table(PartRow)


class SqlConversations:
    """The `Conversations` port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, thread: ThreadKey) -> Conversation | None:
        found = self._connection.execute(
            select(_conversations.c.id, _conversations.c.project).where(
                _conversations.c.platform == thread.platform,
                _conversations.c.workspace == thread.workspace,
                _conversations.c.channel == thread.channel,
                _conversations.c.thread == thread.thread,
            )
        ).first()
        if found is None:
            return None
        return Conversation(ConversationId(found.id), thread, _project(found.project))

    def open(self, thread: ThreadKey, project: ProjectId | None) -> Conversation:
        known = self.get(thread)
        if known is not None:
            return known
        inserted = self._connection.execute(
            _conversations.insert().values(
                platform=thread.platform,
                workspace=thread.workspace,
                channel=thread.channel,
                thread=thread.thread,
                project=project,
                told_trimmed=False,
            )
        )
        (number,) = inserted.inserted_primary_key or (0,)
        return Conversation(ConversationId(number), thread, project)

    def bind(self, conversation: ConversationId, project: ProjectId) -> None:
        self._connection.execute(
            _conversations.update().where(_conversations.c.id == conversation).values(project=project)
        )

    def move(self, thread: ThreadKey, to: str) -> bool:
        conversation = self.get(thread)
        if conversation is None or self.get(replace(thread, thread=to)) is not None:
            return False
        self._connection.execute(
            _conversations.update().where(_conversations.c.id == conversation.id).values(thread=to)
        )
        self._connection.execute(
            _deliveries.update().where(_deliveries.c.conversation_id == conversation.id).values(thread=to)
        )
        return True

    def append(self, conversation: ConversationId, delivery: DeliveryId, turn: Turn) -> None:
        asked_at = select(_deliveries.c.asked_at).where(_deliveries.c.id == delivery).scalar_subquery()
        self._connection.execute(
            _turns.insert().values(
                conversation_id=conversation,
                delivery_id=delivery,
                asked_at=asked_at,
                role=turn.role.value,
                author=turn.author,
                content=turn.text,
            )
        )

    def turns(self, delivery: Delivery) -> Sequence[Turn]:
        upto = or_(
            _turns.c.asked_at < delivery.asked_at,
            and_(_turns.c.asked_at == delivery.asked_at, _turns.c.delivery_id <= delivery.id),
        )
        rows = self._connection.execute(
            select(_turns.c.role, _turns.c.author, _turns.c.content)
            .where(_turns.c.conversation_id == delivery.conversation, upto)
            .order_by(_turns.c.asked_at, _turns.c.delivery_id, _turns.c.id)
        )
        return [Turn(Role(row.role), _author(row.author), row.content) for row in rows]

    def asked(self, delivery: DeliveryId) -> str | None:
        question = select(_turns.c.content).where(*_question_of(delivery))
        return self._connection.execute(question).scalar()

    def rewrite(self, delivery: DeliveryId, text: str) -> None:
        self._connection.execute(_turns.update().where(*_question_of(delivery)).values(content=text))

    def forget(self, delivery: DeliveryId) -> None:
        self._connection.execute(_turns.delete().where(*_turns_of(delivery)))

    def purge(self, platform: Platform, workspace: WorkspaceId, limit: int) -> int:
        here = (_conversations.c.platform == platform, _conversations.c.workspace == workspace)
        oldest = select(_conversations.c.id).where(*here).order_by(_conversations.c.id).limit(limit)
        ids = list(self._connection.execute(oldest).scalars())
        theirs = _deliveries.c.conversation_id.in_(ids)
        parts = _parts.c.delivery_id.in_(select(_deliveries.c.id).where(theirs))
        self._connection.execute(_parts.delete().where(parts))
        self._connection.execute(_turns.delete().where(_turns.c.conversation_id.in_(ids)))
        self._connection.execute(_deliveries.delete().where(theirs))
        self._connection.execute(_conversations.delete().where(_conversations.c.id.in_(ids)))
        return len(ids)

    def told_trimmed(self, conversation: ConversationId) -> bool:
        told = self._connection.execute(
            _conversations.update()
            .where(_conversations.c.id == conversation, _conversations.c.told_trimmed.is_(False))
            .values(told_trimmed=True)
        )
        return told.rowcount == 1


def _turns_of(delivery: DeliveryId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition for a delivery's turns, with its conversation's id, by which they are found."""
    conversation = select(_deliveries.c.conversation_id).where(_deliveries.c.id == delivery)
    return (_turns.c.conversation_id == conversation.scalar_subquery(), _turns.c.delivery_id == delivery)


def _question_of(delivery: DeliveryId) -> tuple[ColumnElement[bool], ...]:
    return (*_turns_of(delivery), _turns.c.role == Role.USER.value)


def _project(stored: str | None) -> ProjectId | None:
    return None if stored is None else ProjectId(stored)


def _author(stored: str | None) -> AuthorId | None:
    return None if stored is None else AuthorId(stored)
