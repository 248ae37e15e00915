"""One interaction as its user sees it: what they did, and what the app made of it. It decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from bots.demo.discord.records import Json, Message


class InteractionKind(IntEnum):
    """What the user did; the value is Discord's `type`."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Callback(IntEnum):
    """How the app may answer first; the value is Discord's callback `type`."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(eq=False, slots=True)
class Interaction:
    """A slash command, menu command, press, typing or submission; `id` and `token` are the app's keys."""

    id: str
    token: str
    kind: InteractionKind
    channel: str
    user: str
    began_at: datetime
    began: float
    """When it began, monotonic."""
    look_up: Callable[[str], Message | None]
    """Finds a message by its id, as it reads now."""
    body: Json = field(default_factory=dict)
    """What the app was sent."""
    menu_command: bool = False
    source: str = ""
    """The message pressed or asked about, "" for none."""
    trigger: Json | None = None
    """The metadata of the interaction that opened the modal, for a submission."""
    response: Callback | None = None
    """The type of the app's first response; None while there is none."""
    modal: Json | None = None
    """The modal the app opened: title, custom_id, components."""
    choices: list[Json] = field(default_factory=list)
    """What autocomplete offered: name and value."""
    acked_after: float | None = None
    """Seconds to the first response; None when there was none in time."""
    failed: bool = False
    """Whether the user saw "the application did not respond"."""
    expired: bool = False
    original_id: str = ""
    followup_ids: list[str] = field(default_factory=list)

    @property
    def original(self) -> Message | None:
        """Return the first response as it reads now; None if it was no message or is deleted."""
        return self.look_up(self.original_id) if self.original_id else None

    @property
    def followups(self) -> list[Message]:
        """Return the follow-ups that still exist, oldest first."""
        found = (self.look_up(message) for message in self.followup_ids)
        return [message for message in found if message is not None]
