"""Our answers → Slack: a `Poster`. Every message goes into its thread, marked so that it can be found."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.models.blocks import ContextBlock, MarkdownBlock, MarkdownTextObject, SectionBlock

from bots import texts
from bots.slack.calls import Forbidden, Unshowable
from bots.slack.inbound import to_ts
from bots.slack.markup import SECTION_LIMIT, TEXT_LIMIT, as_text, fallback, parts
from bots.slack.stop_button import with_stop
from bots.slack.workspaces import Workspaces
from core.clock import Clock
from core.errors import CannotLook, PostRefused, ThreadlineError
from core.model import (
    Address,
    AnswerPart,
    AssistantAway,
    AuthorId,
    Mark,
    Notice,
    QueuedUntil,
    Reason,
    Remark,
    ThreadState,
    Working,
    WorkspaceId,
)

log = structlog.get_logger(__name__)

#: The metadata by which our messages are found again after an attempt whose outcome is unknown.
PART = "threadline_part"
# A status lapses after two minutes (assistant.threads.setStatus): a longer wait is said in a message.
_STATUS_HOLDS = timedelta(seconds=100)
# A form is dated by our clock, the answer's message by Slack's.
_CLOCKS_APART = timedelta(minutes=5)
_PAGES = 5
_PAGE = 200


class SlackPoster:
    """Shows answers, notices and states in Slack threads."""

    def __init__(self, workspaces: Workspaces, clock: Clock) -> None:
        self._workspaces = workspaces
        self._clock = clock

    def split(self, answer: str, remarks: Collection[Remark]) -> Sequence[str]:
        """Return Markdown parts that each fit a `markdown` block."""
        said = texts.remarks(remarks)
        return parts(f"{answer}\n\n{said}" if said else answer)

    async def post(self, to: Address, part: AnswerPart) -> str:
        """Post a part as a `markdown` block; as plain text, whole, if Slack will not show that."""
        blocks = [_block(part)]
        try:
            return await self._say(to, text=fallback(part.text), blocks=blocks, piece=part)
        except Unshowable as error:
            log.warning("blocks refused, posted as text", delivery=to.delivery, said=str(error))
            return await self._say(to, text="\n".join(as_text(part.text)), piece=part)

    async def notify(self, to: Address, notice: Notice) -> str:
        """Post a notice in its thread; one about a thread that refuses us goes to its asker directly."""
        words = texts.notice(notice, to.delivery)
        if notice.reason is Reason.POST_REFUSED:
            return await self._tell_directly(to, words)
        return await self._say(to, text=words, piece=notice)

    async def _tell_directly(self, to: Address, words: str) -> str:
        try:
            await self._set_status(to, "")  # no message of ours will take it away
        except ThreadlineError as error:
            log.info("state not shown", delivery=to.delivery, error=str(error))
        here = await self._workspaces.get(to.thread.workspace)
        with here.watch.translated():
            reply = await here.client.chat_postMessage(channel=to.author, text=words, **_QUIET)
        return str(reply["ts"])

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        """Look through the thread, from the question on, for the message with this piece's mark."""
        here, cursor = await self._workspaces.get(to.thread.workspace), ""
        for _ in range(_PAGES):
            try:
                with here.watch.translated():
                    reply = await here.client.conversations_replies(
                        channel=to.thread.channel,
                        ts=to.thread.thread,
                        oldest=to_ts(to.asked_at - _CLOCKS_APART),
                        limit=_PAGE,
                        cursor=cursor,
                        include_all_metadata=True,
                    )
            except Forbidden as error:
                raise CannotLook(str(error)) from error
            except PostRefused:
                return None  # where we may not look we may not have posted either
            for message in reply["messages"]:
                if (message.get("metadata") or {}).get("event_payload") == _mark(to, piece):
                    return str(message["ts"])
            cursor = (reply.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        raise CannotLook("the thread has more messages than we may look through")

    async def mark(self, to: Address, part: AnswerPart, mark: Mark) -> None:
        """Have a posted part say so, in small print below it; as text, whole, if Slack will not show that."""
        words = texts.mark(mark)
        below = ContextBlock(elements=[MarkdownTextObject(text=words)]).to_dict()
        most = TEXT_LIMIT - len(words)
        beside = f"{fallback(part.text, most)}\n{words}"
        try:
            await self._change(to, part, beside, [_block(part), below])
        except Unshowable as error:
            log.warning("blocks refused, marked as text", delivery=to.delivery, said=str(error))
            is_whole = len(as_text(part.text, most)) == 1
            await self._change(to, part, beside, None if is_whole else [*_sections(part.text), below])

    async def _change(
        self, to: Address, part: AnswerPart, text: str, blocks: Sequence[dict[str, Any]] | None
    ) -> None:
        here = await self._workspaces.get(to.thread.workspace)
        with here.watch.translated():
            await here.client.chat_update(
                channel=to.thread.channel,
                ts=part.posted or "",
                text=text,
                blocks=blocks,
                metadata={"event_type": PART, "event_payload": _mark(to, part)},
            )

    async def show_state(self, to: Address, state: ThreadState) -> None:
        """Set the thread's status; Slack takes it away with our next message, or after two minutes."""
        match state:
            case QueuedUntil(at) if at - self._clock.now() > _STATUS_HOLDS:
                await self._say_waiting(to, texts.queued(self._shown(at)))
            case QueuedUntil(at):
                clock_time = texts.clock_time(self._clock.wall(at))
                await self._set_status(to, texts.STATUS_QUEUED.format(at=clock_time))
            case AssistantAway(until):
                await self._say_waiting(to, texts.away(self._shown(until)))
            case Working.ASKING:
                await self._set_status(to, texts.STATUS_WORKING)
            case Working.IDLE:
                await self._set_status(to, "")

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:
        """Return display names, remembered for ten minutes."""
        return await (await self._workspaces.get(workspace)).members.names(authors)

    def _shown(self, at: datetime) -> str:
        """Return a time as each reader is shown it in their own time zone."""
        wall = self._clock.wall(at)
        return f"<!date^{int(wall.timestamp())}^{{time}}|{texts.clock_time(wall)}>"

    async def _say_waiting(self, to: Address, words: str) -> None:
        await self._say(to, text=words, piece=None, blocks=with_stop(words))

    async def _say(
        self,
        to: Address,
        *,
        text: str,
        piece: AnswerPart | Notice | None,
        blocks: Sequence[dict[str, Any]] | None = None,
    ) -> str:
        mark = None if piece is None else {"event_type": PART, "event_payload": _mark(to, piece)}
        here = await self._workspaces.get(to.thread.workspace)
        with here.watch.translated():
            reply = await here.client.chat_postMessage(
                channel=to.thread.channel,
                thread_ts=to.thread.thread,
                text=text,
                blocks=blocks,
                metadata=mark,
                **_QUIET,
            )
        return str(reply["ts"])

    async def _set_status(self, to: Address, status: str) -> None:
        here = await self._workspaces.get(to.thread.workspace)
        if not here.shows_status:
            return
        try:
            with here.watch.translated():
                await here.client.assistant_threads_setStatus(
                    channel_id=to.thread.channel, thread_ts=to.thread.thread, status=status
                )
        except Forbidden:
            here.shows_status = False
            log.warning(
                "no status is shown: the app lacks a scope for it", method="assistant.threads.setStatus"
            )


# No preview is ever fetched for a link in an answer: it could carry what was said to a stranger's server.
_QUIET: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False}


def _mark(to: Address, piece: AnswerPart | Notice) -> Mapping[str, Any]:
    if isinstance(piece, Notice):
        return {"delivery": to.delivery, "notice": piece.reason.value}
    return {"delivery": to.delivery, "part": piece.number}


def _block(part: AnswerPart) -> dict[str, str]:
    """Return what slack_sdk's own block is; to make that takes longer than all else of a message."""
    return {"type": MarkdownBlock.type, "text": part.text}


def _sections(text: str) -> list[dict[str, Any]]:
    """Return blocks that show a long text just as a message's own text is shown."""
    pieces = as_text(text, SECTION_LIMIT)
    return [SectionBlock(text=MarkdownTextObject(text=piece, verbatim=True)).to_dict() for piece in pieces]
