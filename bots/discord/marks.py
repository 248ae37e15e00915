"""What our buttons say: whose answer, or wait, they hang on, and which conversation that is in."""

import base64
import hmac
import re
from dataclasses import dataclass

import discord

from bots.discord.keys import DISCORD
from core.model import DeliveryId, ThreadKey, WorkspaceId

_SEALED = 8  # characters: forty bits, to be guessed through Discord
_TOLD = (
    r"(?P<workspace>@me|[0-9]{1,20}):(?P<channel>[0-9]{1,20}):(?P<thread>[@~!]?[0-9]{1,20})"
    r":(?P<delivery>[0-9a-z]{1,20}):(?P<seal>[a-z2-7]{8})"
)
#: What the custom_id of an answer's button looks like, for discord.py's dynamic items.
TEMPLATE = re.compile(f"a:{_TOLD}")
_STOPS = re.compile(f"s:{_TOLD}")


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one delivery's last message, or, if it `stops`, of one that tells of its waiting."""

    thread: ThreadKey
    delivery: DeliveryId
    seal: str
    stops: bool = False

    @property
    def custom_id(self) -> str:
        """As the button carries it; with a form's prefix still under Discord's hundred characters."""
        where, sign = self.thread, "s" if self.stops else "a"
        return f"{sign}:{where.workspace}:{where.channel}:{where.thread}:{self.delivery}:{self.seal}"


class Marks:
    """Makes marks, and knows its own: what a form sends back could have been made up by anyone."""

    def __init__(self, bot_token: str) -> None:
        self._key = hmac.digest(bot_token.encode(), b"threadline marks", "sha256")

    def make(self, thread: ThreadKey, delivery: DeliveryId, *, stops: bool = False) -> Mark:
        """Return the mark of an answer, or of a wait, in a conversation: neither passes for the other."""
        also = ("stops",) if stops else ()
        told = "\n".join((thread.workspace, thread.channel, thread.thread, delivery, *also))
        code = base64.b32encode(hmac.digest(self._key, told.encode(), "sha256")).decode().lower()
        return Mark(thread, delivery, code[:_SEALED], stops)

    def holds(self, mark: Mark) -> bool:
        """Whether it was made with this bot token."""
        return hmac.compare_digest(mark.seal, self.make(mark.thread, mark.delivery, stops=mark.stops).seal)


def read_mark(custom_id: str) -> Mark | None:
    """Read an answer's custom_id; None if it looks like none of ours. Whether it is one `Marks` knows."""
    return _read(TEMPLATE, custom_id, stops=False)


def read_stop(custom_id: str) -> Mark | None:
    """Read the custom_id of a message that tells of a wait, in the same way."""
    return _read(_STOPS, custom_id, stops=True)


def _read(looks: re.Pattern[str], custom_id: str, *, stops: bool) -> Mark | None:
    found = looks.fullmatch(custom_id)
    if found is None:
        return None
    thread = ThreadKey(DISCORD, WorkspaceId(found["workspace"]), found["channel"], found["thread"])
    return Mark(thread, DeliveryId(found["delivery"]), found["seal"], stops)


def marks(message: discord.Message) -> list[Mark]:
    """Return the answers' marks on a message; those of strangers mean nothing, so look at the author, too."""
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    ids = (item.custom_id for row in rows for item in row.children if isinstance(item, discord.Button))
    return [found for found in map(read_mark, filter(None, ids)) if found is not None]
