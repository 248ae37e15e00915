"""What is filled in in our forms, made into questions or accounts; and what is pressed to stop some."""

from typing import Any

import discord

from bots import texts
from bots.discord.accounts import ACCOUNT, AccountForm
from bots.discord.intake import Asked, Intake
from bots.discord.keys import Kind, spot
from bots.discord.marks import Marks, read_mark, read_stop
from bots.discord.views import ABOUT, FORM, MESSAGE, QUESTION, filled_in, sent_by

_QUOTED = 200  # characters of a message that is asked about, shown with the question


class Forms:
    """Takes in what is sent by a form, and by *Stop*."""

    def __init__(self, intake: Intake, marks: Marks, accounts: AccountForm) -> None:
        self._intake = intake
        self._accounts = accounts
        self._marks = marks

    async def on_form(self, interaction: discord.Interaction[Any]) -> None:
        """Offer a form's question, or set the account that is filled in."""
        custom_id = sent_by(interaction)
        if custom_id == ACCOUNT:
            await self._accounts.on_form(interaction)
        if not custom_id.startswith(FORM):
            return
        await self._asked(interaction, custom_id.removeprefix(FORM))

    async def on_pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Stop what whoever pressed the button under a wait has asked there."""
        mark = read_stop(sent_by(interaction))
        if mark is None:
            return
        if self._marks.holds(mark):
            await self._intake.stop(interaction, mark.thread)
        else:
            await self._intake.say(interaction, texts.OLD_BUTTON)

    async def _asked(self, interaction: discord.Interaction[Any], about: str) -> None:
        written = filled_in(interaction)
        question = written.get(QUESTION, "").strip()
        if about == ABOUT:
            message = written.get(MESSAGE, "").strip()
            asked = question or texts.ASK_DEFAULT
            shown = f"{asked}\n{_quoted(message)}"
            await self._intake.interaction(interaction, Asked(texts.about_message(asked, message), shown))
            return
        mark = read_mark(about)
        if mark is None or not self._marks.holds(mark):
            await self._intake.say(interaction, texts.OLD_BUTTON)
            return
        private = spot(mark.thread).kind is Kind.PRIVATE
        await self._intake.interaction(interaction, Asked(question, private=private, thread=mark.thread))


def _quoted(message: str) -> str:
    line = " ".join(message.split())
    return f"> {line[:_QUOTED].rstrip()} …" if len(line) > _QUOTED else f"> {line}"
