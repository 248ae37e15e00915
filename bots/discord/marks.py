"""What the button under an answer says: whose answer it is, and which conversation goes on by it."""

import base64
import hmac
import re
from dataclasses import dataclass

import discord

from bots.discord.keys import DISCORD
from core.model import DeliveryId, ThreadKey, WorkspaceId

_SEALED = 8  # characters: forty bits, to be guessed through Discord
#: What a button's custom_id looks like, for discord.py's dynamic items.
TEMPLATE = re.compile(
    r"a:(?P<workspace>@me|[0-9]{1,20}):(?P<channel>[0-9]{1,20}):(?P<thread>[@~!]?[0-9]{1,20})"
    r":(?P<delivery>[0-9a-z]{1,20}):(?P<seal>[a-z2-7]{8})"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one delivery's last message."""

    thread: ThreadKey
    delivery: DeliveryId
    seal: str

    @property
    def custom_id(self) -> str:
        """As the button carries it; with a form's prefix still under Discord's hundred characters."""
        where = self.thread
        return f"a:{where.workspace}:{where.channel}:{where.thread}:{self.delivery}:{self.seal}"


class Marks:
    """Makes marks, and knows its own: what a form sends back could have been made up by anyone."""

    def __init__(self, bot_token: str) -> None:
        self._key = hmac.digest(bot_token.encode(), b"threadline marks", "sha256")

    def make(self, thread: ThreadKey, delivery: DeliveryId) -> Mark:
        """Return the mark of an answer in a conversation."""
        told = "\n".join((thread.workspace, thread.channel, thread.thread, delivery))
        code = base64.b32encode(hmac.digest(self._key, told.encode(), "sha256")).decode().lower()
        return Mark(thread, delivery, code[:_SEALED])

    def holds(self, mark: Mark) -> bool:
        """Whether it was made with this bot token."""
        return hmac.compare_digest(mark.seal, self.make(mark.thread, mark.delivery).seal)


def read_mark(custom_id: str) -> Mark | None:
    """Read a custom_id; None if it does not look like one of ours. Whether it is one `Marks` knows."""
    found = TEMPLATE.fullmatch(custom_id)
    if found is None:
        return None
    thread = ThreadKey(DISCORD, WorkspaceId(found["workspace"]), found["channel"], found["thread"])
    return Mark(thread, DeliveryId(found["delivery"]), found["seal"])


def marks(message: discord.Message) -> list[Mark]:
    """Return the marks on a message; those of strangers mean nothing, so look at the author, too."""
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    ids = (item.custom_id for row in rows for item in row.children if isinstance(item, discord.Button))
    return [found for found in map(read_mark, filter(None, ids)) if found is not None]
