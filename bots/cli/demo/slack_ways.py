"""What people do in a simulated Slack workspace, from what they type. It shows nothing."""

import asyncio
from collections.abc import Mapping

from bots.cli.demo.seen import Chat, Misunderstood, Said, Spot
from bots.cli.demo.slack_window import buttons
from bots.cli.demo.slack_words import escaped
from bots.cli.demo.typed import with_mentions
from bots.demo.slack import SlackWorkspace, View
from bots.slack.shortcut import ASK_ABOUT
from core.services.filling import Field

COMMAND = "/threadline"

_FORM_WITHIN = 3.0  #: seconds in which a form must open


class SlackWays:
    """The `Ways` of a workspace."""

    def __init__(self, workspace: SlackWorkspace) -> None:
        self._workspace = workspace

    @property
    def channels(self) -> Mapping[str, Spot]:
        """Return the channels by name."""
        found = self._workspace.channels.values()
        return {one.name: Spot(Chat.SLACK, one.id) for one in found if one.kind != "im"}

    async def say(self, who: str, spot: Spot, text: str) -> str:
        """Write a message."""
        words = with_mentions(escaped(text), self._people())
        return await self._workspace.say(self._id(who), spot.channel, words, thread=spot.thread or None)

    async def slash(self, who: str, spot: Spot, line: str) -> None:
        """Use the one slash command."""
        command, _, words = line.partition(" ")
        if command != COMMAND:
            raise Misunderstood(f"This workspace has one slash command: {COMMAND} help.")
        if spot.thread:
            raise Misunderstood("Slack has no slash commands in threads: type :up first.")
        await self._workspace.command(self._id(who), spot.channel, command, words.strip())

    async def ask_about(self, who: str, conversation: Spot, question: str) -> None:
        """Use the message shortcut on the thread's root."""
        workspace, user = self._workspace, self._id(who)
        before = workspace.view(user)
        await workspace.shortcut(user, conversation.channel, conversation.thread, callback_id=ASK_ABOUT)
        form = await self._opened(user, before, "“Ask about this message”")
        field = next(block for block in form.body["blocks"] if block["type"] == "input")
        values = {field["block_id"]: {field["element"]["action_id"]: question}}
        await workspace.submit_view(user, form.id, values=values)

    async def ask_more(self, who: str, spot: Spot, question: str) -> None:  # noqa: ARG002 there is no button
        """Refuse: no answer has a button here."""
        raise Misunderstood("On Slack one just goes on writing in the thread: :thread 1, then the question.")

    async def edit(self, message: Said, text: str) -> None:
        """Edit a message."""
        words = with_mentions(escaped(text), self._people())
        await self._workspace.edit(message.spot.channel, message.id, words)

    async def press(self, who: str, message: Said, label: str) -> None:
        """Press a button."""
        found = self._workspace.message(message.spot.channel, message.id)
        elements = () if found is None else buttons(found)
        action = next(one["action_id"] for one in elements if one["text"]["text"] == label)
        await self._workspace.click(self._id(who), message.spot.channel, message.id, action_id=action)

    async def set_key(self, who: str, spot: Spot, key: str) -> str:
        """Use the command and fill in the form that it opens."""
        workspace, user = self._workspace, self._id(who)
        before = workspace.view(user)
        await self.slash(who, spot, f"{COMMAND} account")
        form = await self._opened(user, before, f"{COMMAND} account")
        done = await workspace.submit_view(user, form.id, values={Field.KEY: {Field.KEY: key}})
        if "errors" in done.body:
            return " ".join(done.body["errors"].values())
        return str(done.body["view"]["blocks"][0]["text"]["text"])

    def direct(self, who: str) -> tuple[Spot, str]:
        """Return the app's direct messages."""
        channel = self._workspace.direct_channel(self._id(who))
        about = "Here nobody has to mention anybody. Direct messages ask the workspace's default project."
        return Spot(Chat.SLACK, channel), about

    async def _opened(self, user: str, before: View | None, what: str) -> View:
        """Return the form that opens for somebody who saw `before`."""

        def form() -> View | None:
            seen = self._workspace.view(user)
            return None if seen is None or (before is not None and seen.id == before.id) else seen

        try:
            async with asyncio.timeout(_FORM_WITHIN):
                return await self._workspace.until(form)
        except TimeoutError as error:
            raise Misunderstood(f"The form of {what} did not open.") from error

    def _id(self, who: str) -> str:
        return self._people()[who.lower()]

    def _people(self) -> Mapping[str, str]:
        return {person.display_name.lower(): person.id for person in self._workspace.users.values()}
