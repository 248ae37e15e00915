"""What people do in a simulated Discord server, from what they type. It shows nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bots import texts
from bots.cli.demo.seen import Chat, Misunderstood, Said, Spot
from bots.cli.demo.typed import with_mentions
from bots.demo.discord import DiscordWorld, Interaction, Json, Message
from bots.texts.accounts import LABELS
from core.services.filling import Field

_SLASH = 1  # developers/interactions/application-commands: CHAT_INPUT, and SUB_COMMAND
_BOOLEAN = 5
_YES = frozenset({"true", "yes", "1"})


class DiscordWays:
    """The `Ways` of a world, which has one server."""

    def __init__(self, world: DiscordWorld) -> None:
        self._world = world

    @property
    def channels(self) -> Mapping[str, Spot]:
        """Return the server's channels by name."""
        places = self._world.channels.values()
        return {one.name: Spot(Chat.DISCORD, one.id) for one in places if one.guild and not one.parent}

    async def say(self, who: str, spot: Spot, text: str) -> str:
        """Write a message, in a thread only where the app has opened one."""
        if spot.thread and spot.thread not in self._world.channels:
            raise Misunderstood(
                "No thread hangs on that message. Type :up, and mention @threadline to begin one."
            )
        words = with_mentions(text, self._people())
        return await self._world.say(self._id(who), spot.thread or spot.channel, words)

    async def slash(self, who: str, spot: Spot, line: str) -> None:
        """Use a slash command: `/ask WORDS`, `/threadline link PROJECT`, options as `name:value`."""
        user, channel = self._id(who), spot.thread or spot.channel
        with _as_discord_says():
            name, part, given = self._read(line)
            for option in part.get("options", ()):
                if option.get("autocomplete") and option["name"] in given:
                    given[option["name"]] = await self._chosen(user, channel, name, option["name"], given)
            _answered(await self._world.slash(user, channel, name, **given))

    async def ask_about(self, who: str, conversation: Spot, question: str) -> None:
        """Use the message's menu."""
        user, message = self._id(who), conversation.thread
        if not message:
            raise Misunderstood("Direct messages have no menu here: just write.")
        with _as_discord_says():
            entry = texts.ASK_ABOUT_MENU
            asked = _answered(await self._world.menu(user, conversation.channel, message, entry))
            await self._fill_in(user, asked, question)

    async def ask_more(self, who: str, spot: Spot, question: str) -> None:
        """Press the newest button."""
        user = self._id(who)
        answers = [one for one in self._seen(user, spot) if one.components]
        if not answers:
            raise Misunderstood("No answer here has a button yet.")
        newest = max(answers, key=lambda one: int(one.id))
        with _as_discord_says():
            pressed = await self._world.press(user, newest.channel, newest.id, texts.FOLLOW_UP)
            await self._fill_in(user, _answered(pressed), question)

    async def edit(self, message: Said, text: str) -> None:
        """Edit a message."""
        await self._world.edit(message.id, with_mentions(text, self._people()))

    async def press(self, who: str, message: Said, label: str) -> None:
        """Press a button."""
        place = message.spot.thread or message.spot.channel
        with _as_discord_says():
            _answered(await self._world.press(self._id(who), place, message.id, label))

    async def set_key(self, who: str, spot: Spot, key: str) -> str:
        """Use the command and fill in its form; what comes of it is said beside it."""
        user, channel = self._id(who), spot.thread or spot.channel
        with _as_discord_says():
            asked = _answered(await self._world.slash(user, channel, "threadline account"))
            if asked.modal is not None:
                await self._world.submit(user, asked, **{LABELS[Field.KEY]: key})
        return ""

    def direct(self, who: str) -> tuple[Spot, str]:
        """Return the app's direct messages."""
        about = "Here nobody has to mention anybody. Name a project: /ask WORDS project:shop-demo-7f3k2"
        return Spot(Chat.DISCORD, self._world.open_dm(self._id(who))), about

    async def _fill_in(self, user: str, asked: Interaction, question: str) -> None:
        if asked.modal is None:
            return  # the app has said why
        await self._world.submit(user, asked, **{texts.QUESTION_LABEL: question})

    def _seen(self, user: str, spot: Spot) -> Iterator[Message]:
        """What somebody sees in a thread, or in a channel with its threads."""
        threads = () if spot.thread else (thread.id for thread in self._world.threads(spot.channel))
        places = (spot.thread or spot.channel, *threads)
        for place in places:
            yield from self._world.messages(place)
        yield from (one for one in self._world.ephemerals(user) if one.channel in places)

    def _read(self, line: str) -> tuple[str, Json, dict[str, Any]]:
        """Return a command's whole name, its definition, and the options that a line gives it."""
        name, _, rest = line.removeprefix("/").partition(" ")
        offered = {one["name"]: one for one in self._world.commands if one["type"] == _SLASH}
        if name not in offered:
            raise Misunderstood(f"This server has the slash commands {_listed(offered)}.")
        part = offered[name]
        below = {one["name"]: one for one in part.get("options", ()) if one["type"] == _SLASH}
        if below:
            word, _, rest = rest.strip().partition(" ")
            if word not in below:
                raise Misunderstood(f"After /{name} comes one of: {', '.join(below)}.")
            name, part = f"{name} {word}", below[word]
        return name, part, _given(part, rest)

    async def _chosen(self, user: str, channel: str, name: str, option: str, given: Mapping[str, Any]) -> str:
        """Return what somebody means who has typed a part of a name and looks at what is offered."""
        typed = str(given[option])
        others = {key: value for key, value in given.items() if key != option}
        choices = await self._world.complete(user, channel, name, option, typed, **others)
        if len(choices) > 1:
            raise Misunderstood(f"Discord offers: {', '.join(one['name'] for one in choices)}.")
        return str(choices[0]["value"]) if choices else typed

    def _id(self, who: str) -> str:
        return self._people()[who.lower()]

    def _people(self) -> Mapping[str, str]:
        return {user.name.lower(): user.id for user in self._world.users.values()}


def _given(part: Json, rest: str) -> dict[str, Any]:
    """Read `name:value` words as options; the others together are the first one that is required."""
    defined = {one["name"]: one for one in part.get("options", ())}
    given: dict[str, Any] = {}
    free = []
    for word in rest.split():
        key, _, value = word.partition(":")
        if value and key in defined:
            given[key] = value.lower() in _YES if defined[key]["type"] == _BOOLEAN else value
        else:
            free.append(word)
    first = next((name for name, one in defined.items() if one.get("required")), "")
    if free and not first:
        raise Misunderstood(
            f"This command takes {' and '.join(f'{name}:…' for name in defined) or 'no words'}."
        )
    return {first: " ".join(free), **given} if free else given


@contextmanager
def _as_discord_says() -> Iterator[None]:
    """Say plainly what Discord's own client would not let anybody do."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise Misunderstood(f"Discord does not take that: {error.args[0]}.") from error


def _answered(interaction: Interaction) -> Interaction:
    if interaction.failed:
        raise Misunderstood("“The application did not respond.”")
    return interaction


def _listed(commands: Mapping[str, Json]) -> str:
    return " and ".join(f"/{name}" for name in commands)
