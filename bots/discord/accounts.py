"""`/threadline account`: a server's own API key, by a form. What is written there is not logged."""

import asyncio
from typing import Any

import discord
import structlog

from bots import texts
from bots.discord.calls import calling
from bots.discord.intake import Intake
from bots.discord.keys import DIRECT, DISCORD, workspace
from bots.discord.trust import Trust
from bots.discord.views import filled_in
from bots.texts import accounts as said
from core.errors import StoreUnavailable, ThreadlineError
from core.model import Account, AuthorId, ChannelKey
from core.services.accounting import Accounting
from core.services.filling import Field, wanted

log = structlog.get_logger(__name__)

#: The form's id.
ACCOUNT = "account"
#: Seconds for what has to be known before Discord is answered: it allows three in all.
_LOOK_WITHIN = 2.0
_LONGEST_KEY, _LONGEST_LIST, _LONGEST_NUMBER = 500, 2_000, 9


def whole(interaction: discord.Interaction[Any]) -> ChannelKey:
    """Return the server of an interaction, or the place of all direct messages."""
    return ChannelKey(DISCORD, workspace(interaction.guild_id))


class AccountForm:
    """Opens the form, and takes in what is sent by it."""

    def __init__(self, accounting: Accounting, intake: Intake, trust: Trust) -> None:
        self._accounting = accounting
        self._intake = intake
        self._trust = trust

    async def command(self, interaction: discord.Interaction[Any], *, remove: bool) -> None:
        """Open the form, or take the key away."""
        at = whole(interaction)
        if at.workspace == DIRECT:
            await self._intake.say(interaction, said.NOT_HERE)
        elif await self._trust.has_or_says(interaction):
            await (self._remove(interaction, at) if remove else self._open(interaction, at))

    async def on_form(self, interaction: discord.Interaction[Any]) -> None:
        """Set what was filled in, once the key has proved good; say what came of it to its author alone."""
        if not await self._trust.has_or_says(interaction):
            return
        await self._intake.think(interaction)
        at, by = whole(interaction), AuthorId(str(interaction.user.id))
        try:
            account, released = await self._accounting.set(at, wanted(filled_in(interaction)), by)
        except ThreadlineError as error:
            log.info("account not set", workspace=at.workspace, error=type(error).__name__)
            faults = said.faults(error)
            words = "\n".join(f"**{said.LABELS[field]}**: {fault}" for field, fault in faults.items())
        else:
            log.info("account set", workspace=at.workspace, by=by)
            words = said.saved(account, released=released, whole=texts.GUILD)
        await self._intake.confirm(interaction, words)

    async def _open(self, interaction: discord.Interaction[Any], at: ChannelKey) -> None:
        if not self._accounting.can_keep:
            await self._intake.say(interaction, said.NOT_KEPT)
            return
        try:
            async with asyncio.timeout(_LOOK_WITHIN):
                account = await self._accounting.get(at)
        except TimeoutError as error:
            raise StoreUnavailable("the present account was not known in time") from error
        async with calling():
            await interaction.response.send_modal(_form(account))

    async def _remove(self, interaction: discord.Interaction[Any], at: ChannelKey) -> None:
        await self._intake.think(interaction)
        had_one = await self._accounting.remove(at)
        log.info("account removed", workspace=at.workspace, had_one=had_one)
        terms = await self._accounting.terms(at)
        words = said.removed(
            had_one=had_one, has_key=terms.has_key, admin=texts.GUILD_ADMIN, whole=texts.GUILD
        )
        await self._intake.confirm(interaction, words)


def _form(account: Account | None) -> discord.ui.Modal:
    """Return the form, filled in with what is set already, but for the key. It is finished, as our others."""
    form = discord.ui.Modal(title=said.TITLE.format(whole=texts.GUILD), custom_id=ACCOUNT, timeout=None)
    form.add_item(_field(Field.KEY, _LONGEST_KEY, said.keep_key(account), required=account is None))
    shown = said.shown(account)
    many_lines = discord.TextStyle.paragraph
    form.add_item(_field(Field.PROJECTS, _LONGEST_LIST, default=shown[Field.PROJECTS], style=many_lines))
    for field in (Field.PERSON, Field.CHANNEL, Field.WAITING):
        form.add_item(_field(field, _LONGEST_NUMBER, default=shown[field]))
    form.stop()
    return form


def _field(
    field: Field,
    longest: int,
    placeholder: str | None = None,
    *,
    default: str | None = None,
    required: bool = False,
    style: discord.TextStyle = discord.TextStyle.short,
) -> discord.ui.Label[discord.ui.Modal]:
    written = discord.ui.TextInput[discord.ui.Modal](
        custom_id=field.value,
        style=style,
        max_length=longest,
        required=required,
        default=default or None,
        placeholder=placeholder or None,
    )
    return discord.ui.Label(text=said.LABELS[field], description=said.HINTS[field], component=written)
