"""What people do with the app in the simulated workspace: commands, clicks, forms. Talk is elsewhere."""

from collections.abc import Mapping
from typing import Any

from bots.demo.slack.courier import Interaction
from bots.demo.slack.interactions import acknowledge, basics, close_or_change, view_values
from bots.demo.slack.records import EventDelivery, Json, Kind, View
from bots.demo.slack.talking import Talking
from bots.demo.slack.wire import view_json


class SlackWorkspace(Talking):
    """A Slack workspace with one app installed; every verb emits the events a real one would."""

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

    async def uninstall(self, *, tokens_first: bool = True) -> None:
        """Remove the app: its tokens are refused from now on; emits `tokens_revoked`, `app_uninstalled`.

        Slack promises no order of the two.
        """
        self.remove_app(tokens_first=tokens_first)

    def remove_app(self, *, tokens_first: bool = True) -> None:
        """Do what `uninstall` does, as when the app gives its last token back."""
        events: list[Json] = [
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot_user]}},
            {"type": "app_uninstalled"},
        ]
        for event in events if tokens_first else reversed(events):
            self.publish(event)
        self.installed = False

    async def revoke_user_token(self, user: str) -> None:
        """Take back what one person has granted the app for themselves; emits `tokens_revoked`."""
        self.publish({"type": "tokens_revoked", "tokens": {"oauth": [user], "bot": []}})

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
            "enterprise_id": self.enterprise,
            "is_enterprise_install": str(self.is_enterprise_install).lower(),
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
        filled, by = view_values(view, values), self.enterprise if self.is_enterprise_install else ""
        drawn = view_json(view, self.team, self.app_id, self.bot_id, filled, installed_in=by)
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
        interaction.team = self.team
        if self.courier is not None:
            body["response_url"] = self.courier.response_url(interaction)
        interaction.status, interaction.body = await self._deliver(kind, body)
        acknowledge(self, interaction)
        return interaction

    async def _deliver(self, kind: str, body: Json) -> tuple[int | None, Json]:
        return (None, {}) if self.courier is None else await self.courier.ask(kind, body)
