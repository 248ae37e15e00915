"""`/threadline`: link, unlink, status, help. Acknowledges first, replies privately."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck

from bots import texts
from bots.errands import Errands
from bots.slack.inbound import SLACK, text_of, workspace_of
from bots.slack.responding import Responding
from bots.slack.workspaces import Workspace
from core.errors import InvalidProjectId, ThreadlineError
from core.model import AuthorId, ChannelKey, project_id
from core.services.linking import Linking

log = structlog.get_logger(__name__)

_WORKSPACE = "workspace"


class Commands:
    """Answers the slash command."""

    def __init__(
        self,
        linking: Linking,
        errands: Errands,
        respond: Responding,
        *,
        admins: frozenset[str],
    ) -> None:
        self._linking = linking
        self._errands = errands
        self._respond = respond
        self._admins = admins

    async def on_command(self, ack: AsyncAck, command: Mapping[str, Any], here: Workspace) -> None:
        """Acknowledge at once and see to the command afterwards."""
        await ack()
        self._errands.run(self._answer(command, here))

    async def _answer(self, command: Mapping[str, Any], here: Workspace) -> None:
        try:
            said = await self._carry_out(command, here)
        except ThreadlineError as error:
            log.warning("command failed", error=type(error).__name__, said=str(error))
            said = texts.command_failed(str(error))
        await self._respond(text_of(command, "response_url"), text=said)

    async def _carry_out(self, command: Mapping[str, Any], here: Workspace) -> str:
        verb, *words = (command.get("text") or "help").split() or ["help"]
        at = ChannelKey(SLACK, workspace_of(command), command["channel_id"])
        who = AuthorId(command["user_id"])
        match verb.lower():
            case "link":
                return await self._link(at, who, words, here)
            case "unlink":
                return await self._unlink(at, who, words, here)
            case "status":
                return texts.status(await self._linking.status(at))
            case "help":
                return texts.HELP
        return texts.UNKNOWN_COMMAND.format(word=_shown(verb))

    async def _link(self, at: ChannelKey, who: AuthorId, words: list[str], here: Workspace) -> str:
        if not words:
            return texts.NAME_A_PROJECT
        try:
            project = project_id(words[0])
        except InvalidProjectId:
            return texts.BAD_PROJECT.format(project=_shown(words[0]))
        place = _place(at, words[1:])
        if place is None:
            return texts.BAD_PLACE.format(word=_shown(" ".join(words[1:])))
        if not await self._may_link(who, here):
            return texts.NOT_ALLOWED
        released = await self._linking.link(place, project, who)
        return texts.linked(project, workspace=not place.channel, released=released)

    async def _unlink(self, at: ChannelKey, who: AuthorId, words: list[str], here: Workspace) -> str:
        place = _place(at, words)
        if place is None:
            return texts.BAD_PLACE.format(word=_shown(" ".join(words)))
        if not await self._may_link(who, here):
            return texts.NOT_ALLOWED
        gone = await self._linking.unlink(place)
        return texts.unlinked(was_linked=gone, workspace=not place.channel)

    async def _may_link(self, who: AuthorId, here: Workspace) -> bool:
        return who in self._admins or (await here.members.get(who)).is_admin


def _place(at: ChannelKey, words: list[str]) -> ChannelKey | None:
    """Return the channel, or its workspace where the words say so; None for words we do not know."""
    match words:
        case []:
            return at
        case [word] if word.lower() == _WORKSPACE:
            return ChannelKey(at.platform, at.workspace)
    return None


def _shown(word: str) -> str:
    """Return somebody's word as it may stand inside `code` in a reply."""
    return word.replace("`", "'")[:80]
