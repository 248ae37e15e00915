"""What people do in the simulated Discord by talking: say, edit, delete, react, open threads."""

from collections.abc import Iterable
from dataclasses import replace

from bots.demo.discord.announcing import message_event, messages_gone, reaction_event
from bots.demo.discord.drafts import Draft
from bots.demo.discord.guilds import Guilds
from bots.demo.discord.mentions import Allowed
from bots.demo.discord.posting import answering, blank, change, post, remove
from bots.demo.discord.records import Json, Message
from bots.demo.discord.threads import enter, start_thread


class Talking(Guilds):
    """People (and other bots), who may do whatever the test or the demo has them do."""

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        reply_to: str | None = None,
        ping: bool = True,
        files: Iterable[str] = (),
    ) -> str:
        """Post as a person or another bot and return the message's id.

        `<@id>`, `<@!id>` and `<@&role>` become mentions; a reply mentions who it answers, unless told not to.
        """
        message = blank(self, channel, user)
        if reply_to is not None:
            message = answering(message, self._existing(reply_to))
        draft = Draft(
            content=text,
            files={name: b"\x00" * 1024 for name in files},
            allowed=Allowed(replied_user=ping),
        )
        enter(self, channel, user)
        return post(self, message, draft).id

    async def edit(self, message: str, text: str) -> None:
        """Change what a person said; emits MESSAGE_UPDATE."""
        change(self, self._existing(message), Draft(content=text), frozenset({"content"}))

    async def embed(self, message: str, *embeds: Json) -> None:
        """Let Discord unfurl a link, which emits a MESSAGE_UPDATE that nobody edited anything for."""
        unfurled = self.keep(replace(self._existing(message), embeds=embeds))
        message_event(self, "MESSAGE_UPDATE", unfurled)

    async def delete(self, message: str) -> None:
        """Delete a message, whoever wrote it; emits MESSAGE_DELETE."""
        remove(self, self._existing(message))

    async def delete_many(self, *messages: str) -> None:
        """Delete messages of one channel at once, as a moderator's bot does; emits MESSAGE_DELETE_BULK."""
        gone = [self._existing(message) for message in messages]
        messages_gone(self, gone)
        for message in gone:
            self.forget(message.id)

    async def react(self, user: str, message: str, emoji: str) -> None:
        """React to a message; emits MESSAGE_REACTION_ADD."""
        before = self._existing(message)
        reacted = self.keep(replace(before, reactions=(*before.reactions, (emoji, user))))
        reaction_event(self, "MESSAGE_REACTION_ADD", reacted, emoji, user)

    async def open_post(self, user: str, forum: str, title: str, text: str) -> str:
        """Open a post in a forum and return its thread's id, which its first message shares."""
        thread = start_thread(self, self.channels[forum], user, title)
        first = replace(blank(self, thread.id, user), id=thread.id)
        post(self, first, Draft(content=text))
        return thread.id

    async def open_thread(
        self, user: str, channel: str, name: str, message: str | None = None, *, private: bool = False
    ) -> str:
        """Open a thread, from a message or from nothing; return its id (the message's, if there is one)."""
        root = None if message is None else self._existing(message)
        return start_thread(self, self.channels[channel], user, name, message=root, private=private).id

    async def add_to_thread(self, thread: str, user: str) -> None:
        """Bring a user (or the bot) into a thread, which they then see even if it is private."""
        enter(self, thread, user)

    def _existing(self, message: str) -> Message:
        found = self.message(message)
        if found is None:
            raise LookupError(f"no message {message}")
        return found
