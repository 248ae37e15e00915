"""Builds the world: people, guilds, roles, channels, direct conversations, and what the bot may do."""

from collections.abc import Iterable
from dataclasses import replace

from bots.demo.discord.announcing import channel_event, thread_event
from bots.demo.discord.permissions import BOT, EVERYONE, bits
from bots.demo.discord.records import Channel, ChannelKind, Guild, Member, Overwrite, Role, User
from bots.demo.discord.state import DiscordState
from bots.demo.discord.threads import set_thread
from bots.demo.discord.wire import guild_create_json

_KINDS = {
    "text": ChannelKind.TEXT,
    "forum": ChannelKind.FORUM,
    "announcement": ChannelKind.ANNOUNCEMENT,
}


class Guilds(DiscordState):
    """What an admin does in a server, beside talking."""

    def add_guild(self, name: str) -> str:
        """Add a server that has just invited the bot (its own role included); return its id."""
        guild = Guild(self.snowflakes.new(), name, owner=self.owner, joined_at=self.clock.now())
        guild.roles[guild.id] = Role(guild.id, "@everyone", EVERYONE)
        role = Role(self.snowflakes.new(), self.users[self.bot_user].name, BOT, managed_by=self.bot_user)
        guild.roles[role.id] = role
        guild.members[self.bot_user] = Member(self.bot_user, self.clock.now(), (role.id,))
        guild.members[self.owner] = Member(self.owner, self.clock.now())
        self.guilds[guild.id] = guild
        self.announce("GUILD_CREATE", guild_create_json(self, guild), guild.id, "guilds")
        return guild.id

    def remove_bot(self, guild: str) -> None:
        """Throw the bot out of a server, which then is no more of this world's; emits GUILD_DELETE."""
        del self.guilds[guild]
        for channel in [channel for channel in self.channels.values() if channel.guild == guild]:
            self.forget_messages(channel.id)
            del self.channels[channel.id]
        self.announce("GUILD_DELETE", {"id": guild}, guild, "guilds")

    def fail(self, guild: str) -> None:
        """Have an outage take a server away, which it is not left by; emits GUILD_DELETE, "unavailable"."""
        self.announce("GUILD_DELETE", {"id": guild, "unavailable": True}, guild, "guilds")

    def recover(self, guild: str) -> None:
        """End a server's outage; emits GUILD_CREATE."""
        self.announce("GUILD_CREATE", guild_create_json(self, self.guilds[guild]), guild, "guilds")

    def bot_role(self, guild: str) -> str:
        """Return the id of the role Discord made for the bot there: pinging it is meant for the bot."""
        return next(role.id for role in self.guilds[guild].roles.values() if role.managed_by == self.bot_user)

    def add_role(
        self, guild: str, name: str, *, permissions: Iterable[str] = (), mentionable: bool = False
    ) -> str:
        """Add a role to a server; return its id."""
        role = Role(self.snowflakes.new(), name, bits(permissions), mentionable=mentionable)
        self.guilds[guild].roles[role.id] = role
        return role.id

    def add_user(self, name: str, *, bot: bool = False, locale: str = "en-US") -> str:
        """Add a person, or with `bot=True` somebody else's bot; return the user id."""
        user = User(self.snowflakes.new(), name, bot=bot, locale=locale)
        self.users[user.id] = user
        return user.id

    def join(self, guild: str, user: str, *, permissions: Iterable[str] = (), owner: bool = False) -> None:
        """Let a user into a server; the permissions come by a role of their own."""
        place = self.guilds[guild]
        roles = (self.add_role(guild, f"{self.users[user].name}'s", permissions=permissions),)
        place.members[user] = Member(user, self.clock.now(), roles if permissions else ())
        if not permissions:
            del place.roles[roles[0]]
        if owner:
            place.owner = user

    def add_channel(self, guild: str, name: str, *, kind: str = "text") -> str:
        """Add a channel ("text", "forum" or "announcement") that everybody may use; return its id."""
        channel = Channel(self.snowflakes.new(), _KINDS[kind], name, self.clock.now(), guild=guild)
        self.keep_channel(channel)
        channel_event(self, "CHANNEL_CREATE", channel)
        return channel.id

    def deny(self, channel: str, *permissions: str) -> None:
        """Forbid the bot something in a channel and its threads, by the names of discord.Permissions."""
        self._overwrite(channel, deny=bits(permissions))

    def allow(self, channel: str, *permissions: str) -> None:
        """Allow the bot something in a channel and its threads."""
        self._overwrite(channel, allow=bits(permissions))

    def revoke(self, guild: str, *permissions: str) -> None:
        """Take permissions from the bot's own role and from @everyone, in the whole server."""
        place = self.guilds[guild]
        for role in (place.roles[guild], place.roles[self.bot_role(guild)]):
            place.roles[role.id] = replace(role, permissions=role.permissions & ~bits(permissions))

    def refuse_dms(self, user: str, *, refuses: bool = True) -> None:
        """Let a user refuse the bot's direct messages: it may open the conversation, but not write there."""
        self.users[user] = replace(self.users[user], refuses_dms=refuses)

    def archive(self, thread: str) -> None:
        """Archive a thread, by hand or by time; emits THREAD_UPDATE."""
        set_thread(self, thread, archived=True, locked=self.channels[thread].locked)

    def lock(self, thread: str) -> None:
        """Lock a thread: only who may manage threads writes there; emits THREAD_UPDATE."""
        set_thread(self, thread, archived=self.channels[thread].archived, locked=True)

    def delete_channel(self, channel: str) -> None:
        """Delete a channel with its threads, or a thread, and all that was said there; emits …_DELETE."""
        place = self.channels[channel]
        for thread in self.threads(channel):
            self.delete_channel(thread.id)
        if place.kind.is_thread:
            thread_event(self, "THREAD_DELETE", place)
        else:
            channel_event(self, "CHANNEL_DELETE", place)
        self.forget_messages(channel)
        del self.channels[channel]
        self.changes.happened()

    def _overwrite(self, channel: str, *, allow: int = 0, deny: int = 0) -> None:
        place = self.channels[channel]
        own = place.overwrites.get(self.bot_user, Overwrite())
        changed = Overwrite((own.allow | allow) & ~deny, (own.deny | deny) & ~allow)
        after = self.keep_channel(replace(place, overwrites={**place.overwrites, self.bot_user: changed}))
        channel_event(self, "CHANNEL_UPDATE", after)
