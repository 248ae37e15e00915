"""`/threadline`: link, unlink, account, status, help. Acknowledges first, replies privately."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck

from bots import texts
from bots.errands import Errands
from bots.slack.accounts import AccountForm
from bots.slack.inbound import SLACK, text_of, workspace_of
from bots.slack.responding import Responding
from bots.slack.workspaces import Workspace
from core.errors import InvalidProjectId, ProjectNotAllowed, ThreadlineError
from core.model import AuthorId, ChannelKey, project_id
from core.services.linking import Linking

log = structlog.get_logger(__name__)

_WORKSPACE = "workspace"
_REMOVE = "remove"


class Commands:
    """Answers the slash command."""

    def __init__(
        self,
        linking: Linking,
        errands: Errands,
        respond: Responding,
        *,
        accounts: AccountForm,
        admins: frozenset[str],
    ) -> None:
        self._accounts = accounts
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
        if said is not None:
            await self._respond(text_of(command, "response_url"), text=said)

    async def _carry_out(self, command: Mapping[str, Any], here: Workspace) -> str | None:
        """Do what is asked, and return what is said then; None where a form says it."""
        verb, *words = (command.get("text") or "help").split() or ["help"]
        at = ChannelKey(SLACK, workspace_of(command), command["channel_id"])
        who = AuthorId(command["user_id"])
        match verb.lower():
            case "link":
                return await self._link(at, who, words, here)
            case "unlink":
                return await self._unlink(at, who, words, here)
            case "account":
                return await self._account(command, words, here)
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
        if not await here.members.may_link(who, self._admins):
            return texts.NOT_ALLOWED
        try:
            released = await self._linking.link(place, project, who)
        except ProjectNotAllowed:
            return texts.accounts.NOT_ALLOWED.format(project=project)
        said = texts.linked(project, workspace=not place.channel, released=released)
        has_key = (await self._linking.status(place)).has_key
        return said if has_key else said + texts.accounts.NO_KEY_YET

    async def _unlink(self, at: ChannelKey, who: AuthorId, words: list[str], here: Workspace) -> str:
        place = _place(at, words)
        if place is None:
            return texts.BAD_PLACE.format(word=_shown(" ".join(words)))
        if not await here.members.may_link(who, self._admins):
            return texts.NOT_ALLOWED
        gone = await self._linking.unlink(place)
        return texts.unlinked(was_linked=gone, workspace=not place.channel)

    async def _account(self, command: Mapping[str, Any], words: list[str], here: Workspace) -> str | None:
        match words:
            case []:
                return await self._accounts.open(command, here)
            case [word] if word.lower() == _REMOVE:
                return await self._accounts.remove(command, here)
        return texts.accounts.BAD_WORD.format(word=_shown(" ".join(words)))


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
