"""The buttons under our messages, and the forms. All they know is in their ids: a restart loses nothing."""

import re
from collections.abc import Mapping
from typing import Any, Self, cast

import discord
import structlog

from bots import texts
from bots.discord.calls import calling
from bots.discord.marks import TEMPLATE, Mark, read_mark
from core.errors import ThreadlineError

log = structlog.get_logger(__name__)

#: How long a question in a form, or of a command, may be: the message that shows it must hold it.
LONGEST_QUESTION = 1_500
#: How much of a message can be asked about.
LONGEST_MESSAGE = 4_000
FORM = "f:"
ABOUT = "about"
QUESTION, MESSAGE = "question", "message"
_TOLD = "told"


class FollowUpButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=TEMPLATE,
):
    """Opens a form for the next question of a conversation."""

    def __init__(self, mark: Mark) -> None:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label=texts.FOLLOW_UP, style=discord.ButtonStyle.secondary, custom_id=mark.custom_id
        )
        super().__init__(button)
        self._mark = mark

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 discord.py passes it
        item: discord.ui.Item[Any],  # noqa: ARG003 the same
        match: re.Match[str],
    ) -> Self:
        """Make the button again that was pressed."""
        mark = read_mark(match.string)
        assert mark is not None  # noqa: S101 the template matched
        return cls(mark)

    async def callback(self, interaction: discord.Interaction[Any]) -> Any:
        """Open the form."""
        try:
            async with calling():
                await interaction.response.send_modal(follow_up_form(self._mark))
        except ThreadlineError as error:
            log.warning("form not opened", error=type(error).__name__, said=str(error))


def row_of(mark: Mark | None, told: str = "") -> discord.ui.View | None:
    """Return the row under a message, None for none; `told` stands beside the button, to be read only.

    It is finished: discord.py would remember each one otherwise. Who presses is looked for by the mark.
    """
    if mark is None and not told:
        return None
    view = discord.ui.View(timeout=None)
    if mark is not None and mark.stops:
        view.add_item(discord.ui.Button(label=texts.STOP_BUTTON, custom_id=mark.custom_id))
    elif mark is not None:
        view.add_item(FollowUpButton(mark))
    if told:
        view.add_item(discord.ui.Button(label=told, custom_id=_TOLD, disabled=True))
    view.stop()
    return view


def follow_up_form(mark: Mark) -> discord.ui.Modal:
    """Return the form for the next question. It is finished: what is filled in comes as any interaction."""
    form = discord.ui.Modal(title=texts.FOLLOW_UP, custom_id=FORM + mark.custom_id, timeout=None)
    form.add_item(_question(required=True))
    form.stop()
    return form


def about_form(message: str) -> discord.ui.Modal:
    """Return the form for a question about a message, which it carries along."""
    form = discord.ui.Modal(title=texts.ASK_TITLE, custom_id=FORM + ABOUT, timeout=None)
    form.add_item(_question(required=False, placeholder=texts.ASK_DEFAULT))
    shown = discord.ui.TextInput[discord.ui.Modal](
        custom_id=MESSAGE, style=discord.TextStyle.paragraph, default=message[:LONGEST_MESSAGE], required=True
    )
    form.add_item(discord.ui.Label(text=texts.ASK_ABOUT_LABEL, component=shown))
    form.stop()
    return form


def _question(*, required: bool, placeholder: str | None = None) -> discord.ui.Label[discord.ui.Modal]:
    asked = discord.ui.TextInput[discord.ui.Modal](
        custom_id=QUESTION,
        style=discord.TextStyle.paragraph,
        max_length=LONGEST_QUESTION,
        required=required,
        placeholder=placeholder,
    )
    return discord.ui.Label(text=texts.QUESTION_LABEL, component=asked)


def filled_in(interaction: discord.Interaction[Any]) -> dict[str, str]:
    """Return what was written in a form, by the ids of its fields."""
    found: dict[str, str] = {}
    sent: Mapping[str, Any] = cast("Mapping[str, Any]", interaction.data or {})
    fields: list[Any] = list(sent.get("components", ()))
    while fields:
        field = fields.pop()
        fields += [*field.get("components", ()), *([field["component"]] if "component" in field else ())]
        if "value" in field:
            found[str(field["custom_id"])] = str(field["value"])
    return found


def sent_by(interaction: discord.Interaction[Any]) -> str:
    """Return the id of the form that was filled in, or of the button that was pressed."""
    return str(cast("Mapping[str, Any]", interaction.data or {}).get("custom_id", ""))
