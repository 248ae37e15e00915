"""What people do in the simulated workspace: speak, edit, join, click. The app's deeds are elsewhere."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots.demo.slack.courier import Interaction
from bots.demo.slack.interactions import acknowledge, basics, close_or_change, view_values
from bots.demo.slack.mentions import rich_text
from bots.demo.slack.records import Channel, EventDelivery, Json, Kind, Message, View
from bots.demo.slack.state import WorkspaceState
from bots.demo.slack.wire import view_json


class SlackWorkspace(WorkspaceState):
    """A Slack workspace with one app installed; every verb emits the events a real one would."""

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
        drawn = {**self.draw(message), "channel": message.channel, "event_ts": message.ts}
        if message.thread_ts:
            root = self.message(message.channel, message.thread_ts)
            drawn["parent_user_id"] = root.user if root is not None else ""
        named = f"<@{self.bot_user}>" in message.text or f"<@{self.bot_user}|" in message.text
        if named and kind is not Kind.DIRECT and message.user != self.bot_user:
            mention = {name: value for name, value in drawn.items() if name != "subtype"}
            self.publish(mention | {"type": "app_mention"}, message.channel)
        self.publish(drawn | {"channel_type": kind.value}, message.channel)

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
        """Change what a person said; emits `message_changed`."""
        before = self._existing(channel, ts)
        self.change(replace(before, text=text, blocks=(rich_text(text, self.new_id("b")),)))

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

    async def repeat_event(self, event_id: str, times: int = 2) -> tuple[EventDelivery, ...]:
        """Deliver the same event again, `times` times at once; return the attempts."""
        if self.courier is None:
            return ()
        return await self.courier.repeat(self.events[event_id], times)

    async def open_home(self, user: str, tab: str = "messages") -> None:
        """Let a user open the app's page; emits `app_home_opened`."""
        channel = self.direct_channel(user)
        self.publish(
            {
                "type": "app_home_opened",
                "user": user,
                "channel": channel,
                "tab": tab,
                "event_ts": self.new_ts(),
            }
        )

    async def uninstall(self) -> None:
        """Remove the app: its tokens are refused from now on; emits `tokens_revoked`, `app_uninstalled`."""
        self.publish({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot_user]}})
        self.publish({"type": "app_uninstalled"})
        self.installed = False

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Interaction:
        """Run a slash command; returns once acknowledged (or after 3 s), and goes on collecting replies."""
        interaction = Interaction(channel=channel, user=user)
        person, where = self.users[user], self.channels[channel]
        body: Json = {
            "token": "verification-token",
            "team_id": self.team,
            "team_domain": self.name.lower(),
            "channel_id": channel,
            "channel_name": "directmessage" if where.kind is Kind.DIRECT else where.name,
            "user_id": user,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self.app_id,
            "is_enterprise_install": "false",
            "trigger_id": self.new_trigger(user),
        }
        return await self._ask("slash_commands", interaction, body)

    async def shortcut(self, user: str, channel: str, ts: str, *, callback_id: str) -> Interaction:
        """Use a message shortcut on a message."""
        message = self._existing(channel, ts)
        interaction = Interaction(channel=channel, user=user, thread_ts=message.thread_ts)
        body = basics(self, "message_action", user, channel) | {
            "callback_id": callback_id,
            "action_ts": self.new_ts(),
            "message_ts": ts,
            "message": self.draw(message),
        }
        return await self._ask("interactive", interaction, body)

    async def click(
        self, user: str, channel: str, ts: str, *, action_id: str, value: str = "", block_id: str = ""
    ) -> Interaction:
        """Click a button (or feedback button) of a message of the app; emits `block_actions`."""
        message = self._existing(channel, ts)
        interaction = Interaction(channel=channel, user=user, thread_ts=message.thread_ts)
        action = {
            "action_id": action_id,
            "block_id": block_id,
            "type": "button",
            "value": value,
            "text": {"type": "plain_text", "text": value},
            "action_ts": self.new_ts(),
        }
        container = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False}
        body = basics(self, "block_actions", user, channel) | {
            "api_app_id": self.app_id,
            "container": container | ({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            "message": self.draw(message),
            "state": {"values": {}},
            "actions": [action],
        }
        return await self._ask("interactive", interaction, body)

    async def submit_view(
        self, user: str, view_id: str, *, values: Mapping[str, Mapping[str, Any]]
    ) -> Interaction:
        """Submit a modal; plain strings become the state of the element they belong to.

        The answer's `body` is the app's `response_action`, if any; an empty one closes the modal.
        """
        view = self.views[view_id]
        drawn = view_json(view, self.team, self.app_id, self.bot_id, view_values(view, values))
        body = basics(self, "view_submission", user) | {
            "api_app_id": self.app_id,
            "view": drawn,
            "response_urls": [],
        }
        interaction = Interaction(channel="", user=user)
        interaction.status, interaction.body = await self._deliver("interactive", body)
        if interaction.status == 200:
            close_or_change(self, view, interaction.body)
        return interaction

    def view(self, user: str) -> View | None:
        """Return the modal the user sees now, None for none."""
        seen = [view for view in self.views.values() if view.user == user and view.is_open]
        return seen[-1] if seen else None

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Send every Socket Mode connection a `disconnect`."""
        if self.courier is not None:
            await self.courier.disconnect(reason)

    async def _ask(self, kind: str, interaction: Interaction, body: Json) -> Interaction:
        if self.courier is not None:
            body["response_url"] = self.courier.response_url(interaction)
        interaction.status, interaction.body = await self._deliver(kind, body)
        acknowledge(self, interaction)
        return interaction

    async def _deliver(self, kind: str, body: Json) -> tuple[int | None, Json]:
        return (None, {}) if self.courier is None else await self.courier.ask(kind, body)

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
