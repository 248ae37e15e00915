"""People in the simulated workspace speak, join, edit and delete. How they use the app is elsewhere."""

import uuid
from dataclasses import replace

from bots.demo.slack.mentions import rich_text
from bots.demo.slack.records import Channel, Json, Kind, Message
from bots.demo.slack.state import WorkspaceState


class Talking(WorkspaceState):
    """What is said, and taken back; every verb emits the events a real one would."""

    async def say(
        self, user: str, channel: str, text: str, *, thread: str | None = None, files: bool = False
    ) -> str:
        """Post as a person (or another bot) and return the ts; a mention also emits `app_mention`."""
        author = self.users[user]
        self._enter(user, channel)
        message = Message(
            channel=channel,
            ts=self.new_ts(),
            user=user,
            text=text,
            blocks=(rich_text(text, self.new_id("b")),) if text else (),
            thread_ts=thread or "",
            subtype="file_share" if files else "",
            bot_id=author.bot_id,
            app_id=author.app_id,
            client_msg_id="" if author.bot_id else str(uuid.uuid4()),
            files=(self._file(user),) if files else (),
        )
        self.keep(message)
        self.publish_message(message)
        return message.ts

    async def direct_message(
        self, user: str, text: str, *, thread: str | None = None, files: bool = False
    ) -> str:
        """Post in the user's direct conversation with the bot and return the ts."""
        return await self.say(user, self.direct_channel(user), text, thread=thread, files=files)

    def publish_message(self, message: Message) -> None:
        """Emit what a new message emits: `message`, and `app_mention` when it names the bot in a channel."""
        kind = self.channels[message.channel].kind
        self._publish_mention(message)
        self.publish(self._drawn_new(message) | {"channel_type": kind.value}, message.channel)

    async def join(self, user: str, channel: str) -> str:
        """Let a user join a channel, which posts a `channel_join` message; return its ts."""
        self._enter(user, channel)
        subtype = "group_join" if self.channels[channel].kind is Kind.PRIVATE else "channel_join"
        text = f"<@{user}> has joined the channel"
        message = Message(channel=channel, ts=self.new_ts(), user=user, text=text, subtype=subtype)
        self.keep(message)
        self.publish_message(message)
        return message.ts

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change what a person said; emits `message_changed`, and `app_mention` again if it names the bot."""
        before = self._existing(channel, ts)
        self._publish_mention(
            self.change(replace(before, text=text, blocks=(rich_text(text, self.new_id("b")),)))
        )

    async def unfurl(self, channel: str, ts: str, url: str) -> None:
        """Add the preview of a link to a message; emits `message_changed`, though nobody has edited it."""
        before = self._existing(channel, ts)
        preview: Json = {"from_url": url, "original_url": url, "id": 1, "title": url, "text": "A page."}
        after = replace(before, attachments=(*before.attachments, preview))
        self.keep(after)
        self._publish_change(after, before)

    def change(self, after: Message) -> Message:
        """Store an edited message and emit `message_changed`; return it as stored."""
        before = self._existing(after.channel, after.ts)
        edited = replace(after, edited_ts=self.new_ts())
        self.keep(edited)
        self._publish_change(edited, before)
        return edited

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message; a root with replies leaves a tombstone, as on Slack."""
        self.remove(self._existing(channel, ts))

    def remove(self, message: Message) -> None:
        """Delete a message and emit `message_deleted`, or `message_changed` when it leaves a tombstone."""
        if len(self.thread(message.channel, message.ts)) > 1:
            grave = Message(
                channel=message.channel,
                ts=message.ts,
                user="USLACKBOT",
                text="This message was deleted.",
                subtype="tombstone",
            )
            self.keep(grave)
            self._publish_change(grave, message)
            return
        self.forget(message)
        self._publish_hidden(
            message.channel,
            {
                "subtype": "message_deleted",
                "previous_message": self.draw(message),
                "deleted_ts": message.ts,
            },
        )

    def _publish_mention(self, message: Message) -> None:
        """Emit `app_mention` for a message in a channel that names the bot, new or edited."""
        named = f"<@{self.bot_user}>" in message.text or f"<@{self.bot_user}|" in message.text
        direct = self.channels[message.channel].kind is Kind.DIRECT
        if named and not direct and message.user != self.bot_user:
            drawn = self._drawn_new(message)
            mention = {name: value for name, value in drawn.items() if name != "subtype"}
            self.publish(mention | {"type": "app_mention"}, message.channel)

    def _drawn_new(self, message: Message) -> Json:
        drawn = {**self.draw(message), "channel": message.channel, "event_ts": message.ts}
        if message.thread_ts:
            root = self.message(message.channel, message.thread_ts)
            drawn["parent_user_id"] = root.user if root is not None else ""
        return drawn

    def _enter(self, user: str, channel: str) -> None:
        where: Channel = self.channels[channel]
        self.channels[channel] = replace(where, members=where.members | {user})

    def _existing(self, channel: str, ts: str) -> Message:
        message = self.message(channel, ts)
        if message is None:
            raise LookupError(f"no message {ts} in {channel}")
        return message

    def _publish_change(self, after: Message, before: Message) -> None:
        self._publish_hidden(
            after.channel,
            {
                "subtype": "message_changed",
                "message": self.draw(after) | {"source_team": self.team, "user_team": self.team},
                "previous_message": self.draw(before),
            },
        )

    def _publish_hidden(self, channel: str, event: Json) -> None:
        ts = self.new_ts()
        common = {"type": "message", "channel": channel, "hidden": True, "ts": ts, "event_ts": ts}
        self.publish(common | event | {"channel_type": self.channels[channel].kind.value}, channel)

    def _file(self, user: str) -> Json:
        return {
            "id": self.new_id("F"),
            "name": "diagram.png",
            "title": "diagram.png",
            "mimetype": "image/png",
            "filetype": "png",
            "user": user,
            "size": 1024,
            "mode": "hosted",
        }
