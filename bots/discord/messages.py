"""One message as Discord's API takes it: quiet by default, whoever sends it. It sends nothing."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import discord
from discord.http import MultipartParameters, handle_message_parameters
from discord.utils import MISSING

from bots.discord.marks import Mark
from bots.discord.views import row_of


@dataclass(frozen=True, slots=True)
class Said:
    """A message: its words, perhaps with a file; where there is a `mark`, with the button that bears it."""

    words: str
    file: str = ""
    mark: Mark | None = None
    names: Sequence[int] = ()  #: whom it may ping; nobody else ever is

    def parameters(self, *, nonce: str | None = None, unseen: bool = False) -> MultipartParameters:
        """Return it for discord.py. Repeated with its `nonce` within minutes, it is shown once; `unseen`:
        only an interaction's author sees it. No preview is loaded for any link."""
        return handle_message_parameters(
            self.words,
            nonce=nonce,
            flags=discord.MessageFlags(suppress_embeds=True, ephemeral=unseen),
            file=self.attached if self.file else MISSING,
            view=row_of(self.mark),  # none, where there is no mark: an edit takes a former one away
            allowed_mentions=_pinging(self.names),
        )

    @property
    def attached(self) -> discord.File:
        """The file, as it is sent."""
        return discord.File(io.BytesIO(self.file.encode()), filename="answer.md")


def _pinging(names: Sequence[int]) -> discord.AllowedMentions:
    if not names:
        return discord.AllowedMentions.none()
    only = [discord.Object(who) for who in names]
    return discord.AllowedMentions(everyone=False, users=only, roles=False, replied_user=False)
