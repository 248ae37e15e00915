"""The simulated Discord as its people use an app: commands, menus, buttons, forms. No deeds of the app."""

from typing import Any

from bots.demo.discord.asking import interaction_json, metadata_json, new_interaction
from bots.demo.discord.components import SELECTS, Part, walk
from bots.demo.discord.drawing import censored, message_json
from bots.demo.discord.interaction import Interaction, InteractionKind
from bots.demo.discord.modals import Given, fill_in
from bots.demo.discord.offering import MESSAGE_MENU, command_data, offered
from bots.demo.discord.records import Json, Message
from bots.demo.discord.responding import ANSWER_WITHIN
from bots.demo.discord.talking import Talking
from bots.demo.discord.wire import guild_create_json, own_user_json, user_json
from bots.demo.tasks import within

_LINKS = frozenset({5, 6})


class DiscordWorld(Talking):
    """One application and all the servers and people it meets; every verb emits the events a real one would.

    The verbs that use the app return once it made its first response, or after three seconds of the world's
    clock, and then the interaction `failed`.
    """

    async def slash(self, user: str, channel: str, command: str, **options: Any) -> Interaction:
        """Run a slash command ("ask", or "threadline link") with these options.

        Raises LookupError or ValueError for what Discord would not offer the user, or not let them send.
        """
        interaction = new_interaction(self, InteractionKind.COMMAND, user, channel)
        return await self._ask(interaction, command_data(self, user, channel, command, options))

    async def complete(
        self, user: str, channel: str, command: str, option: str, typed: str, **others: Any
    ) -> list[Json]:
        """Type into an option of a slash command; return the choices the app offers, none if it is late."""
        interaction = new_interaction(self, InteractionKind.AUTOCOMPLETE, user, channel)
        data = command_data(self, user, channel, command, {**others, option: typed}, focused=option)
        return (await self._ask(interaction, data)).choices

    async def menu(self, user: str, channel: str, message: str, name: str) -> Interaction:
        """Choose an entry of the app in a message's menu; the app may read that message in any case."""
        command = offered(self, user, channel, name, MESSAGE_MENU)
        interaction = new_interaction(self, InteractionKind.COMMAND, user, channel, source=message, menu=True)
        data = {
            "id": command["id"],
            "name": name,
            "type": MESSAGE_MENU,
            "target_id": message,
            "resolved": {"messages": {message: message_json(self, self._existing(message))}},
        }
        return await self._ask(interaction, data)

    async def press(self, user: str, channel: str, message: str, label: str) -> Interaction:
        """Press a button of a message, named by its label or custom_id."""
        for part in walk(self._seen(user, message).components):
            if part["type"] == Part.BUTTON and label in {part.get("label"), part.get("custom_id")}:
                if part.get("disabled") or part.get("style") in _LINKS:
                    raise LookupError(f"the button {label!r} cannot be pressed")
                return await self._use(user, channel, message, part, {})
        raise LookupError(f"no button {label!r}")

    async def choose(
        self, user: str, channel: str, message: str, custom_id: str, *values: str
    ) -> Interaction:
        """Choose values in a select menu of a message."""
        for part in walk(self._seen(user, message).components):
            if part["type"] in SELECTS and part.get("custom_id") == custom_id:
                return await self._use(user, channel, message, part, {"values": list(values)})
        raise LookupError(f"no select menu {custom_id!r}")

    async def submit(self, user: str, asked: Interaction, **given: Given) -> Interaction:
        """Submit the modal an interaction was answered with; fields are named by label or custom_id."""
        if asked.modal is None:
            raise LookupError("this interaction opened no modal")
        source = asked.source if asked.kind is InteractionKind.COMPONENT else ""
        components = fill_in(asked.modal, given)
        interaction = new_interaction(self, InteractionKind.MODAL, user, asked.channel, source=source)
        interaction.trigger = metadata_json(self, asked)
        data = {"custom_id": asked.modal["custom_id"], "components": components, "resolved": {}}
        return await self._ask(interaction, data, self.message(source))

    def expire(self, interaction: Interaction) -> None:
        """Let an interaction's token die now, instead of fifteen minutes after it began."""
        interaction.expired = True

    # --- what the gateway asks -----------------------------------------------------------------

    def user_payload(self, user: str) -> Json:
        """Return a user; the bot as it sees itself."""
        found = self.users[user]
        return own_user_json(found) if user == self.bot_user else user_json(found)

    def guild_payload(self, guild: str) -> Json:
        """Return what GUILD_CREATE says of a guild."""
        return guild_create_json(self, self.guilds[guild])

    def censored(self, data: Json) -> Json:
        """Return a message as an application without the message-content intent is shown it."""
        return censored(self, data)

    def _seen(self, user: str, message: str) -> Message:
        found = self._existing(message)
        if found.seen_by not in {"", user}:
            raise LookupError(f"{self.users[user].name} does not see {message}")
        return found

    async def _use(self, user: str, channel: str, message: str, part: Json, more: Json) -> Interaction:
        interaction = new_interaction(self, InteractionKind.COMPONENT, user, channel, source=message)
        data = {"custom_id": part["custom_id"], "component_type": part["type"], "id": part["id"]}
        return await self._ask(interaction, data | more, self._existing(message))

    async def _ask(self, interaction: Interaction, data: Json, message: Message | None = None) -> Interaction:
        interaction.body = interaction_json(self, interaction, data, message)
        try:
            await within(self.clock, ANSWER_WITHIN, self._answered(interaction))
        except TimeoutError:
            interaction.failed = True
            self.changes.happened()
        return interaction

    async def _answered(self, interaction: Interaction) -> None:
        guild = self.channels[interaction.channel].guild
        self.announce("INTERACTION_CREATE", interaction.body, guild or None, "")
        await self.changes.until(lambda: interaction.response is not None)
