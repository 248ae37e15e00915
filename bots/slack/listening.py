"""What is done with Slack's events: translated and committed, and only then acknowledged. Nothing else."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog

from bots.slack.amendments import Deletion, Edit, to_amendment
from bots.slack.departures import Departures
from bots.slack.inbound import to_question, written_at
from bots.slack.workspaces import Workspace
from core.errors import StoreUnavailable
from core.model import Amendment, Outcome, Question
from core.services.offered import Services

log = structlog.get_logger(__name__)


class Listening:
    """Hands what people write, and do to what they wrote, to the services.

    Whatever these raise goes on to Bolt: then Slack gets no acknowledgement, and sends the event again.
    """

    def __init__(self, services: Services, departures: Departures, *, missed: Callable[[], None]) -> None:
        """`missed` is called where nothing could be stored: Slack sends it again for some minutes only."""
        self._services = services
        self._departures = departures
        self._missed = missed

    async def on_message(self, body: Mapping[str, Any], here: Workspace) -> None:
        """Take in a question, or what became of one."""
        bot_user = here.identity.bot_user
        amendment = to_amendment(body, bot_user=bot_user)
        with self._looked_for_later():
            if amendment is not None:
                await self.amend(amendment)
                return
            question = to_question(body, bot_user=bot_user)
            if question is not None:
                outcome = await self.offer(question)
                log.info("question offered", outcome=outcome.value, event_id=question.event)

    async def amend(self, amendment: Edit | Deletion) -> None:
        """Take in what became of a message; raises StoreUnavailable."""
        match amendment:
            case Edit() as edit:
                await self._edited(edit)
            case Deletion(at, message, question):
                known = None if question is None or await self._is_past(question) else question
                came_to = await self._services.amending.deleted(at, message, known)
                log.log(_level(came_to), "message deleted", came_to=came_to.value, message=message)

    async def offer(self, question: Question) -> Outcome:
        """Offer a question; raises StoreUnavailable.

        What was written in a workspace before it removed us is not kept, should it come once more.
        """
        past = await self._is_past(question)
        return Outcome.IGNORED if past else await self._services.asking.accept(question)

    async def on_other_event(self) -> None:
        """Acknowledge what we subscribe to no longer, or not yet: Slack would only send it again."""

    async def _edited(self, edit: Edit) -> None:
        if not await self._is_past(edit.question):
            came_to = await self._services.amending.edited(edit.question, offered=edit.offered)
            log.log(_level(came_to), "message edited", came_to=came_to.value, event_id=edit.question.event)

    async def _is_past(self, question: Question) -> bool:
        """Tell whether a message, whatever became of it since, is from before its workspace removed us."""
        left = await self._departures.last(question.thread.workspace)
        return left is not None and written_at(question.message) <= left

    @contextmanager
    def _looked_for_later(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable:
            self._missed()
            raise


def _level(came_to: Amendment) -> int:
    """Return how loudly to log it: most of what is edited is none of ours."""
    return logging.DEBUG if came_to is Amendment.UNKNOWN else logging.INFO
