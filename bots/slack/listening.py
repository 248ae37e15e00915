"""What is done with Slack's events: translated and committed, and only then acknowledged. Nothing else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from bots.slack.amendments import Deletion, Edit, to_amendment
from bots.slack.inbound import SLACK, to_question, uninstalled_from
from core.clock import Clock
from core.model import Amendment, ChannelKey, MessageId, Outcome, Question, WorkspaceId
from core.services.offered import Services

log = structlog.get_logger(__name__)


class Listening:
    """Hands what people write, and do to what they wrote, to the services.

    Whatever these raise goes on to Bolt: then Slack gets no acknowledgement, and sends the event again.
    """

    def __init__(self, services: Services, clock: Clock, *, bot_user: str) -> None:
        self._services = services
        self._clock = clock
        self._bot_user = bot_user
        self._edits = Edits()
        self._left: dict[WorkspaceId, datetime] = {}

    async def on_message(self, body: Mapping[str, Any]) -> None:
        """Take in a question, or what became of one."""
        match to_amendment(body, bot_user=self._bot_user):
            case Edit() as edit:
                await self._edited(edit)
            case Deletion(at, message, question):
                known = None if question is None or self._is_past(question) else question
                came_to = await self._services.amending.deleted(at, message, known)
                log.info("message deleted", came_to=came_to.value, event_id=body.get("event_id"))
            case None:
                question = to_question(body, bot_user=self._bot_user)
                if question is not None:
                    await self._asked(question)

    async def offer(self, question: Question) -> Outcome:
        """Offer a question; raises StoreUnavailable.

        What was written in a workspace before it removed us is not kept, should it come once more.
        """
        past = self._is_past(question)
        return Outcome.IGNORED if past else await self._services.asking.accept(question)

    async def on_uninstalled(self, body: Mapping[str, Any]) -> None:
        """Forget a workspace that has removed us, or taken our token away; whichever event comes first."""
        workspace = uninstalled_from(body)
        if workspace is not None:
            self._left[workspace] = self._clock.wall(self._clock.now())
            many = await self._services.purging.purge(SLACK, workspace)
            log.info(
                "workspace purged", workspace=workspace, conversations=many, event_id=body.get("event_id")
            )

    async def on_other_event(self) -> None:
        """Acknowledge what we subscribe to no longer, or not yet: Slack would only send it again."""

    async def _asked(self, question: Question) -> None:
        outcome = await self.offer(question)
        log.info("question offered", outcome=outcome.value, event_id=question.event)

    async def _edited(self, edit: Edit) -> None:
        if self._edits.outdate(edit) or self._is_past(edit.question):
            return
        came_to = await self._services.amending.edited(edit.question)
        log.info("message edited", came_to=came_to.value, event_id=edit.question.event)
        if came_to is Amendment.UNKNOWN and edit.offered:
            await self._asked(edit.question)

    def _is_past(self, question: Question) -> bool:
        left = self._left.get(question.thread.workspace)
        return left is not None and question.asked_at <= left


class Edits:
    """Remembers each message's latest edit, as far as it has room: one that comes late must not undo it."""

    def __init__(self, at_most: int = 10_000) -> None:
        self._at_most = at_most
        self._latest: dict[tuple[ChannelKey, MessageId], datetime] = {}

    def outdate(self, edit: Edit) -> bool:
        """Tell whether a later edit of its message was seen; note this one if not."""
        message = edit.question.thread.linked_at, edit.question.message
        latest = self._latest.pop(message, edit.edited_at)
        self._latest[message] = max(latest, edit.edited_at)
        if len(self._latest) > self._at_most:
            del self._latest[next(iter(self._latest))]
        return edit.edited_at < latest
